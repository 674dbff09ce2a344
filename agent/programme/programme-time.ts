import type { Collected } from '../ports.ts';
import type { Moment } from '../ueip/attempt.ts';
import { dayMs } from '../ueip/month.ts';
import { advancedRunDays, type RunDays, resumedRunDays } from '../ueip/run-days.ts';
import {
  type ClockMemory,
  type ClockStanding,
  maySendBy,
  startClockTrust,
} from '../upload/clock-trust.ts';
import { createWatchedClock, type WatchedClock } from '../upload/watched-clock.ts';
import type { Outside } from './outside.ts';

/** What time it is, how sure that is, and how many days the device has counted itself. */
export type ProgrammeTime = {
  readonly watched: WatchedClock;
  standing(): ClockStanding;
  moment(): Moment;
  /** The same for ages. */
  now(): Collected;
  runDay(): number;
  /** The wall clock, or the latest moment that a witness has confirmed if that is later. */
  latestMs(): number;
  /** Goes on with the count that a store has kept; in a new one it begins with what the clock shows, if nothing speaks against it. */
  resume(storedDays: number): void;
};

export function createProgrammeTime(
  { clock, isSynchronised }: Pick<Outside, 'clock' | 'isSynchronised'>,
  known: { readonly builtMs: number; readonly memory: ClockMemory | null },
): ProgrammeTime {
  const reading = { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() };
  const watched = inWholeMs(
    createWatchedClock({ clock, started: startClockTrust(known, reading), isSynchronised }),
  );
  let counted: RunDays = resumedRunDays(0, clock.monotonicMs());

  function moment(): Moment {
    const { wallMs, standing } = watched.judge();
    return { wallMs, monotonicMs: clock.monotonicMs(), clockTrusted: maySendBy(standing) };
  }
  function now(): Collected {
    const at = moment();
    counted = advancedRunDays(counted, at);
    return { wallMs: at.wallMs, clockTrusted: at.clockTrusted, runDay: counted.days };
  }
  return {
    watched,
    standing: () => watched.judge().standing,
    moment,
    now,
    runDay: () => now().runDay,
    latestMs: () => Math.max(watched.judge().wallMs, watched.memory().confirmedMs),
    resume(storedDays) {
      const { wallMs, standing } = watched.judge();
      // From 0, the first server that says the date would make every record look decades old.
      const isNew = storedDays === 0 && standing !== 'unset' && standing !== 'doubtful';
      const days = isNew ? wallMs / dayMs : storedDays;
      counted = resumedRunDays(days, clock.monotonicMs());
    },
  };
}

/** As the device's own clock tells it: the time that a server has corrected is one plus a stretch of the monotonic clock. */
function inWholeMs(watched: WatchedClock): WatchedClock {
  return {
    ...watched,
    judge() {
      const { standing, wallMs } = watched.judge();
      return { standing, wallMs: Math.round(wallMs) };
    },
    memory: () => ({ confirmedMs: Math.round(watched.memory().confirmedMs) }),
  };
}
