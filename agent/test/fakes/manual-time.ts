import type { Cancel, Timers } from '../../io/process/clock.ts';
import type { Clock } from '../../ports.ts';

type Alarm = { readonly atMs: number; readonly run: () => void };

/** A clock and its timers that move only when told to. */
export type ManualTime = {
  readonly clock: Clock;
  readonly timers: Timers;
  /** What is waiting, in milliseconds from now, soonest first. */
  readonly pendingMs: readonly number[];
  /** Runs what falls due on the way, in order. */
  advance(byMs: number): void;
};

export function createManualTime(startMs = 1_000): ManualTime {
  let nowMs = startMs;
  let alarms: readonly Alarm[] = [];

  function after(delayMs: number, run: () => void): Cancel {
    const alarm: Alarm = { atMs: nowMs + delayMs, run };
    alarms = [...alarms, alarm].toSorted((a, b) => a.atMs - b.atMs);
    return () => {
      alarms = alarms.filter((other) => other !== alarm);
    };
  }

  function advance(byMs: number): void {
    const untilMs = nowMs + byMs;
    for (let first = alarms[0]; first && first.atMs <= untilMs; first = alarms[0]) {
      alarms = alarms.slice(1);
      nowMs = Math.max(nowMs, first.atMs);
      first.run();
    }
    nowMs = untilMs;
  }

  return {
    clock: { monotonicMs: () => nowMs, wallMs: () => nowMs },
    timers: { after },
    get pendingMs() {
      return alarms.map(({ atMs }) => atMs - nowMs);
    },
    advance,
  };
}
