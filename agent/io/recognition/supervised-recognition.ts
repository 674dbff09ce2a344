import type { AgentError } from '../../errors.ts';
import type { Clock } from '../../ports.ts';
import type { Frame } from '../../vision/frame.ts';
import { systemTimers, type Timers } from '../process/clock.ts';
import { deferred } from '../process/deferred.ts';
import type { RecognitionThread } from './recognition-thread.ts';

export type SupervisionOptions<Event> = {
  readonly start: () => RecognitionThread<Event>;
  readonly clock: Clock;
  /** Starts in a row after a crash; a thread that lived for `steadyMs` counts as recovered. */
  readonly restarts?: number;
  readonly steadyMs?: number;
  /** Wait before the first restart; doubles with each, up to 30 s. */
  readonly backoffMs?: number;
  readonly timers?: Timers;
  readonly onRestart?: (restart: { readonly attempt: number; readonly error: AgentError }) => void;
};

const longestBackoffMs = 30_000;

/**
 * A recognition thread that is started again when it crashes or hangs. The frame at work is lost with it; the
 * next one waits for the new thread. `exited` settles when it is closed, or has crashed once too often,
 * or could not be opened the first time (a missing model does not come back by itself), or hangs while an
 * earlier one still does: there is memory for one beside the one at work, and whoever supervises the process
 * can do what it cannot, end them.
 */
export function superviseRecognition<Event>(
  options: SupervisionOptions<Event>,
): RecognitionThread<Event> {
  const { start, clock, timers = systemTimers } = options;
  const { restarts = 5, steadyMs = 60_000, backoffMs = 500 } = options;
  const exited = deferred<AgentError | undefined>();
  let failures = 0;
  let closed = false;
  let wasReady = false;
  let cancelRestart = () => {};
  /** Settled while a thread is at work. */
  let available = Promise.resolve();
  /** Hung, and was replaced. */
  let leftBehind: RecognitionThread<Event> | undefined;
  let thread = watched();
  const { ready } = thread;
  ready.then(
    () => {
      wasReady = true;
    },
    () => {},
  );

  function watched(): RecognitionThread<Event> {
    const startedAtMs = clock.monotonicMs();
    const started = start();
    void started.exited.then((error) => {
      if (closed || !error) return exited.resolve(undefined);
      failures = clock.monotonicMs() - startedAtMs >= steadyMs ? 1 : failures + 1;
      const isSecondToHang = started.isLeft() && leftBehind?.isLeft();
      if (!wasReady || failures > restarts || isSecondToHang) return exited.resolve(error);
      if (started.isLeft()) leftBehind = started;
      options.onRestart?.({ attempt: failures, error });
      available = restart();
    });
    return started;
  }

  function restart(): Promise<void> {
    const waitMs = Math.min(backoffMs * 2 ** (failures - 1), longestBackoffMs);
    return new Promise((resolve) => {
      const cancel = timers.after(waitMs, () => {
        thread = watched();
        resolve();
      });
      cancelRestart = () => {
        cancel();
        resolve();
      };
    });
  }

  return {
    ready,
    recognise: async (frame: Frame) => {
      await available;
      return thread.recognise(frame);
    },
    forget: () => thread.forget(),
    close: async () => {
      closed = true;
      cancelRestart();
      await thread.close();
      exited.resolve(undefined);
    },
    exited: exited.promise,
    isLeft: () => thread.isLeft(),
  };
}
