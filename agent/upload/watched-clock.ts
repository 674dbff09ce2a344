import type { Clock } from '../ports.ts';
import {
  type ClockJudgement,
  type ClockMemory,
  type ClockTrust,
  clockMemoryOf,
  judgeClock,
  observeClock,
} from './clock-trust.ts';

/** The device's clock together with what is known of it. */
export type WatchedClock = {
  monotonicMs(): number;
  /** Looks at the clock, and says what to make of it and what time it is. */
  judge(): ClockJudgement;
  /** The date of a server whose certificate was verified. */
  serverSaid(serverMs: number): void;
  /** To be kept for the next start. */
  memory(): ClockMemory;
};

/** `isSynchronised`: whether the host's time server has set the kernel's clock; false where nobody knows. */
export function createWatchedClock(options: {
  readonly clock: Clock;
  readonly started: ClockTrust;
  readonly isSynchronised: () => boolean;
}): WatchedClock {
  const { clock, isSynchronised } = options;
  let trust = options.started;
  const now = () => ({ wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() });
  return {
    monotonicMs: clock.monotonicMs,
    judge() {
      const reading = now();
      trust = observeClock(trust, { kind: 'looked', ntpSynchronised: isSynchronised() }, reading);
      return judgeClock(trust, reading);
    },
    serverSaid(serverMs) {
      trust = observeClock(trust, { kind: 'server-date', serverMs }, now());
    },
    memory: () => clockMemoryOf(trust),
  };
}
