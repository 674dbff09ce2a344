import type { Coverage } from '../consent/consent.ts';
import type { RingConsumer } from '../io/programme/attempt-ring.ts';
import type { NewRecord } from '../ports.ts';
import type { Anonymised, Anonymiser } from '../ueip/anonymise.ts';
import type { Attempt, Moment } from '../ueip/attempt.ts';
import type { Builds } from '../ueip/builds.ts';
import { dayMs } from '../ueip/month.ts';
import { recordFrom, storable, type UeipRecord } from '../ueip/record.ts';

/** From the ring to the store. What fails in here is counted, and nobody waits for it. */
export type Recorder = {
  /**
   * For a timer, every second or so: listens exactly while it is covered, takes what the recognition thread has
   * left in the ring, and stores what is due, all of it in one commit.
   */
  work(): void;
  /** An attempt that came another way than through the ring. */
  add(attempt: Attempt): void;
  /** What may still be stored when the agent stops. */
  flush(): void;
  /** At once: nothing is listened to, and nothing is kept of what was not stored. False: see RingConsumer.wipe. */
  stop(): boolean;
  /** Attempts and records that were lost on the way. */
  readonly dropped: number;
};

export type RecorderParts = {
  /** Undefined: there is no door in this process. */
  readonly ring: RingConsumer | undefined;
  readonly coverage: () => Coverage;
  readonly createAnonymiser: () => Anonymiser;
  readonly builds: () => Builds;
  readonly embeddingSha256: () => string;
  readonly moment: () => Moment;
  /** Throws while the store cannot be opened, which keeps the count. */
  readonly runDay: () => number;
  readonly append: (records: readonly NewRecord[]) => void;
};

/** Records that the store did not take wait for its next try; the oldest give way. */
const mostPending = 1024;
const mostAttempts = 1024;

type Pending = {
  readonly record: UeipRecord;
  /** By the monotonic clock. */
  readonly releasedMs: number;
};

/** What a recorder before this one, whose thread fell over, has left in the ring goes: nobody knows under which grant it came. */
export function createRecorder(parts: RecorderParts): Recorder {
  const { ring, coverage, moment } = parts;
  let active: { readonly anonymiser: Anonymiser; readonly epoch: number } | undefined;
  let pending: Pending[] = [];
  let lost = 0;
  let anonymiserLost = 0;
  if (ring?.isListening()) ring.wipe();

  function begin(epoch: number) {
    active = { anonymiser: parts.createAnonymiser(), epoch };
    ring?.listen(true);
    return active;
  }
  function stop(): boolean {
    const isStill = ring?.wipe() ?? true;
    anonymiserLost += active?.anonymiser.dropped ?? 0;
    active?.anonymiser.end();
    active = undefined;
    pending = [];
    return isStill;
  }
  function guarded(work: () => unknown): void {
    try {
      work();
    } catch {
      lost += 1;
    }
  }
  function store(released: readonly Anonymised[]): void {
    const now = coverage();
    if (now.kind !== 'covered') return;
    const { monotonicMs } = moment();
    for (const each of released) {
      guarded(() => {
        const record = recordFrom(each, parts.builds(), now);
        pending.push({ record, releasedMs: monotonicMs });
      });
    }
    if (pending.length > mostPending)
      lost += pending.splice(0, pending.length - mostPending).length;
    if (pending.length === 0) return;
    const lines: NewRecord[] = [];
    try {
      // Those that had to wait are as old as they are.
      const runDay = parts.runDay();
      for (const { record, releasedMs } of pending) {
        const then = runDay - (monotonicMs - releasedMs) / dayMs;
        guarded(() => lines.push(storable(record, then)));
      }
      parts.append(lines);
      pending = [];
    } catch {
      // Full, locked, read-only: they wait.
    } finally {
      for (const { line } of lines) line.fill(0);
    }
  }
  /** The anonymiser of what is covered now; a grant that took the place of another has nothing of the first. */
  function present() {
    const now = coverage();
    if (active && (now.kind !== 'covered' || now.epoch !== active.epoch)) stop();
    if (now.kind !== 'covered') return undefined;
    return active ?? begin(now.epoch);
  }

  /** With everything in it that recognition has told so far; undefined: nothing is covered. */
  function current(): Anonymiser | undefined {
    const anonymiser = present()?.anonymiser;
    if (!anonymiser) return undefined;
    const modelSha256 = parts.embeddingSha256();
    ring?.take(mostAttempts, ({ wallMs, monotonicMs, values, ...outcome }) => {
      const { clockTrusted } = moment();
      const embedding = values && { values, modelSha256 };
      guarded(() =>
        anonymiser.record({ ...outcome, embedding, at: { wallMs, monotonicMs, clockTrusted } }),
      );
    });
    return anonymiser;
  }

  return {
    work() {
      guarded(() => store(current()?.release(moment()) ?? []));
    },
    add(attempt) {
      guarded(() => present()?.anonymiser.record(attempt));
    },
    flush() {
      guarded(() => store(current()?.flush() ?? []));
      stop();
    },
    stop,
    get dropped() {
      return lost + anonymiserLost + (active?.anonymiser.dropped ?? 0) + (ring?.dropped() ?? 0);
    },
  };
}
