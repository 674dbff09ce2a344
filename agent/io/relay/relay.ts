import type { Clock } from '../../ports.ts';
import { systemTimers, type Timers } from '../process/clock.ts';
import { type Deferred, deferred } from '../process/deferred.ts';
import type { HolderEnd, HolderProcess, HolderWord, StartHolder } from './start-holder.ts';

/** `failed`: the order is over all the same; a door that opens later than asked opens for somebody else. */
export type PulseOutcome =
  | { readonly kind: 'opened' }
  /** It is open, and stays so for as long as the pulse before asked for. */
  | { readonly kind: 'already-open' }
  | { readonly kind: 'failed'; readonly reason: 'not-ready' | 'no-answer' | 'ended' };

export type Relay = {
  /** Drives the line high now and, whatever becomes of this process, low after `holdMs`. Never rejects. */
  pulse(holdMs: number): Promise<PulseOutcome>;
  /** The line is low when it settles. May be called twice. */
  close(): Promise<void>;
};

export type RelayFault = HolderEnd & {
  /** How often in a row. */
  readonly attempt: number;
};

/**
 * The relay of the door, held by a process of its own (native/src/relay-holder.c), which is started again,
 * without end, when it is gone: starting it is what drives a line low that nobody holds any more.
 */
export function startRelay(options: {
  readonly startHolder: StartHolder;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly timers?: Timers;
  readonly onFault: (fault: RelayFault) => void;
}): Relay {
  const { startHolder, clock, timers = systemTimers, onFault } = options;
  let state: 'starting' | 'low' | 'high' | 'gone' = 'starting';
  let pending: Deferred<PulseOutcome> | undefined;
  let failures = 0;
  let startedAtMs = 0;
  let isClosing = false;
  const closed = deferred<void>();
  let cancelWatch = () => {};
  let cancelRestart = () => {};
  let holder = start();

  function start(): HolderProcess {
    state = 'starting';
    startedAtMs = clock.monotonicMs();
    cancelWatch = timers.after(readyMs, giveUp);
    return startHolder({ onWord, onEnd });
  }

  function onWord(word: HolderWord): void {
    switch (word) {
      case 'ready':
        state = 'low';
        cancelWatch();
        break;
      case 'high':
        state = 'high';
        answer({ kind: 'opened' });
        break;
      case 'busy':
        answer({ kind: 'already-open' });
        break;
      case 'low':
        state = 'low';
        cancelWatch();
    }
  }

  function onEnd(end: HolderEnd): void {
    state = 'gone';
    cancelWatch();
    answer({ kind: 'failed', reason: 'ended' });
    if (isClosing) {
      closed.resolve();
      return;
    }
    failures = clock.monotonicMs() - startedAtMs >= steadyMs ? 1 : failures + 1;
    onFault({ ...end, attempt: failures });
    // At once the first time: the line may have been left high.
    const waitMs = failures === 1 ? 0 : Math.min(backoffMs * 2 ** (failures - 2), longestBackoffMs);
    cancelRestart = timers.after(waitMs, () => {
      holder = start();
    });
  }

  function answer(outcome: PulseOutcome): void {
    pending?.resolve(outcome);
    pending = undefined;
  }

  async function pulse(holdMs: number): Promise<PulseOutcome> {
    if (isClosing) return { kind: 'failed', reason: 'not-ready' };
    if (state === 'high' || pending) return { kind: 'already-open' };
    if (state !== 'low') return { kind: 'failed', reason: 'not-ready' };
    pending = deferred();
    const { promise } = pending;
    holder.pulse(holdMs);
    const cancelAnswer = timers.after(answerMs, () => {
      answer({ kind: 'failed', reason: 'no-answer' });
      giveUp();
    });
    const outcome = await promise;
    cancelAnswer();
    // Read anew: the holder has spoken meanwhile.
    if (isHigh()) cancelWatch = timers.after(holdMs + lateMs, giveUp);
    return outcome;
  }

  const isHigh = () => state === 'high';

  /** A holder that is stuck may be holding the door: the one that follows it lets go. */
  function giveUp(): void {
    holder.kill('SIGTERM');
    cancelWatch();
    cancelWatch = timers.after(killMs, () => holder.kill('SIGKILL'));
  }

  async function close(): Promise<void> {
    if (!isClosing) {
      isClosing = true;
      cancelRestart();
      cancelWatch();
      if (state === 'gone') closed.resolve();
      else {
        holder.release();
        cancelWatch = timers.after(answerMs, giveUp);
      }
    }
    await closed.promise;
  }

  return { pulse, close };
}

const readyMs = 5_000;
/**
 * The holder answers within a millisecond, but it, or this thread, may have to wait for a processor; and who is given
 * up too early takes an open door away. Until then the holder itself ends the pulse in time.
 */
const answerMs = 2_000;
/** After the end of a pulse, by which the line must be low. */
const lateMs = 250;
const killMs = 100;
const steadyMs = 60_000;
const backoffMs = 100;
const longestBackoffMs = 10_000;
