import type { Clock } from '../../ports.ts';

/**
 * `monotonicMs` is CLOCK_MONOTONIC, which camera drivers stamp frames with and all processes share.
 * (`performance.now()` counts from the start of this process: no capture time could be compared with it.)
 */
export const systemClock: Clock = {
  monotonicMs: () => {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1e3 + nanoseconds / 1e6;
  },
  wallMs: () => Date.now(),
};

/** Something to be done later, unless it is cancelled. Cancelling twice, or too late, does nothing. */
export type Timers = { after(delayMs: number, run: () => void): Cancel };
export type Cancel = () => void;

export const systemTimers: Timers = {
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
