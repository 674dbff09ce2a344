import type { Clock } from '../ports.ts';

/** In the order in which they follow. */
export const stages = [
  'detect',
  'quality',
  'pad',
  'align',
  'embed',
  'template',
  'search',
  'decide',
] as const;
export type Stage = (typeof stages)[number];

/** Milliseconds; a stage that was not reached has none. `total` includes what lies between the stages. */
export type StageTimes = { readonly [S in Stage]?: number } & { readonly total: number };

/** Says that `stage` has ended; it began where the one before it ended. */
export type Lap = (stage: Stage) => void;

export type Stopwatch = {
  readonly lap: Lap;
  times(): StageTimes;
  /** For one face of several: goes on from here and keeps what was measured so far. */
  fork(): Stopwatch;
};

export function startStopwatch(clock: Pick<Clock, 'monotonicMs'>): Stopwatch {
  return goOn(clock, clock.monotonicMs(), {});
}

function goOn(
  clock: Pick<Clock, 'monotonicMs'>,
  startedAtMs: number,
  before: { readonly [S in Stage]?: number },
): Stopwatch {
  const measured: { [S in Stage]?: number } = { ...before };
  let lapAtMs = clock.monotonicMs();
  return {
    lap: (stage) => {
      const nowMs = clock.monotonicMs();
      measured[stage] = nowMs - lapAtMs;
      lapAtMs = nowMs;
    },
    times: () => ({ ...measured, total: clock.monotonicMs() - startedAtMs }),
    fork: () => goOn(clock, startedAtMs, measured),
  };
}
