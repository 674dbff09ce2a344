import type { Kernels } from '../ports.ts';
import { type Allocate, ordinaryMemory } from '../template/secret-memory.ts';
import type { Attempt, Collector, Moment, ToLocalTime } from './attempt.ts';
import { createEpochs } from './epoch.ts';
import type { RandomBytes } from './random.ts';
import { noisy, scoreBucket, tally, type VisitorDay, type VisitorTally } from './visitor-tally.ts';
import { createVisitors } from './visitors.ts';

/** A day of a door in nine numbers with noise. */
export type DayCounters = VisitorTally & {
  readonly kind: 'counters';
  /** 'YYYY-MM-DD', of the house. */
  readonly date: string;
  /** Of the moment the day was over. */
  readonly clockTrusted: boolean;
};

/**
 * No rows, only counters, differentially private with epsilon 1/3 a day for a visitor (event and day
 * level; a daily visitor spends 10 in a month). Every day that passes gives one, with visitors or without: whether
 * there is one says nothing. A day that the process does not see the end of gives none.
 *
 * What it rests on: a visitor is who the register takes for one (visitors.ts says how often it errs), and
 * at most 128 visitors come in a day. Beyond that, one who comes can keep another from being counted, and
 * the epsilon of the histogram is 1/3. Attempts without a face belong to nobody and are not counted.
 */
export function createDayCounters(options: {
  readonly dimensions: number;
  readonly kernels: Pick<Kernels, 'project' | 'hammingTopK'>;
  readonly random: RandomBytes;
  readonly toLocalTime: ToLocalTime;
  readonly allocate?: Allocate;
}): Collector<DayCounters> {
  const { dimensions, kernels, random, toLocalTime, allocate = ordinaryMemory } = options;
  const register = createEpochs({
    random,
    begin: (key) => createVisitors({ key, dimensions, kernels, allocate }),
  });
  let day: { readonly date: string; readonly visitors: VisitorDay[] } | undefined;
  let finished: DayCounters[] = [];
  let finishedAtMs = Number.NEGATIVE_INFINITY;
  let dropped = 0;

  /** The day that this moment belongs to; the one before it is summed up. */
  function dayOf({ wallMs, monotonicMs, clockTrusted }: Moment) {
    const { date } = toLocalTime(wallMs);
    if (day?.date === date) return day;
    if (day && monotonicMs - finishedAtMs >= leastDayMs) {
      const counters = noisy(tally(day.visitors), random);
      finished.push({ kind: 'counters', date: day.date, clockTrusted, ...counters });
      finishedAtMs = monotonicMs;
    }
    register.keepOnly(date);
    day = { date, visitors: [] };
    return day;
  }
  function end(): void {
    register.end();
    day = undefined;
    finished = [];
  }
  function handOut(): DayCounters[] {
    const counters = finished;
    finished = [];
    return counters;
  }
  return {
    record(attempt) {
      const { date, visitors } = dayOf(attempt.at);
      if (attempt.embedding === undefined) return;
      const row = register.at(date).content.rowOf(attempt.embedding.values);
      if (row === undefined) dropped += 1;
      else visitors[row] = withAttempt(visitors[row], attempt);
    },
    release(now) {
      dayOf(now);
      return handOut();
    },
    flush() {
      const counters = handOut();
      end();
      return counters;
    },
    end,
    get dropped() {
      return dropped;
    },
  };
}

/**
 * A clock that jumps to and fro makes many dates of one day, and each sum spends epsilon again: between
 * two sums lies the shortest day there is (23 h, in spring) less an hour. What was counted sooner is forgotten.
 */
const leastDayMs = 22 * 3_600_000;

const unseen: VisitorDay = { failures: 0, succeeded: false, firstFailureScore: undefined };

function withAttempt(before: VisitorDay = unseen, { result, bestScore }: Attempt): VisitorDay {
  if (result === 'success') return { ...before, succeeded: true };
  return {
    ...before,
    failures: before.failures + 1,
    firstFailureScore: before.firstFailureScore ?? scoreBucket(bestScore),
  };
}
