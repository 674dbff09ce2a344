import type { ToLocalTime } from '../ueip/attempt.ts';
import { type RandomBytes, uniformBelow } from '../ueip/random.ts';
import { pause, type Timers } from './timers.ts';
import type { WatchedClock } from './watched-clock.ts';
import { firstTryMs, type NightWindow, nextWindow } from './window.ts';

export type Nightly = {
  /** For the status: when the next pass begins, as of now; milliseconds since 1970. */
  nextTryMs(): number;
  /** Nothing begins any more, and what is under way is cut off. Resolves when it has ended. */
  stop(): Promise<void>;
};

export type NightlyOptions = {
  readonly clock: WatchedClock;
  readonly toLocalTime: ToLocalTime;
  readonly timers: Timers;
  readonly random: RandomBytes;
  /** A keyed hash of the local date (window.ts). */
  readonly draw: (localDate: string) => Uint8Array;
  readonly pass: (window: NightWindow, signal: AbortSignal) => Promise<unknown>;
  /** What must not happen, out of a pass; it begins again later in the same window. */
  readonly onFault: (fault: unknown) => void;
};

/**
 * Begins a pass in every night's window, at the moment that chance has given this device for the night. Who
 * comes later (the device was off, or asleep, or its clock was set) begins at a moment of what is left of
 * the window, so that a whole street does not begin at once when its power comes back.
 *
 * The time is looked at once a minute, because it may jump, and the house move to another zone.
 */
export function startNightly(options: NightlyOptions): Nightly {
  const { clock, timers, pass, onFault } = options;
  const controller = new AbortController();
  const { signal } = controller;
  let night: PlannedNight | undefined;

  async function run(): Promise<void> {
    while (!signal.aborted) {
      const wallMs = clock.judge().wallMs;
      night = planNight(options, wallMs, night);
      if (wallMs >= night.tryMs && night.tryMs < night.window.endMs) {
        night = await passed(night);
      } else {
        await pause(timers, Math.min(night.tryMs - wallMs, lookEveryMs), signal);
      }
    }
  }
  /** A night that is over is not begun again; one that failed is, after a while. */
  async function passed(begun: PlannedNight): Promise<PlannedNight> {
    try {
      await pass(begun.window, signal);
      return { ...begun, tryMs: Number.POSITIVE_INFINITY };
    } catch (fault) {
      onFault(fault);
      return { ...begun, tryMs: clock.judge().wallMs + againAfterMs };
    }
  }

  const running = run();
  return {
    nextTryMs: () => {
      night = planNight(options, clock.judge().wallMs, night);
      return nextTry(options, night);
    },
    async stop() {
      controller.abort();
      await running;
    },
  };
}

export type PlannedNight = { readonly window: NightWindow; readonly tryMs: number };

/** When to begin in the window that is open or comes next: the plan as it is, while that is its window. */
export function planNight(
  { toLocalTime, random, draw }: Pick<NightlyOptions, 'toLocalTime' | 'random' | 'draw'>,
  wallMs: number,
  night: PlannedNight | undefined,
): PlannedNight {
  const window = nextWindow(wallMs, toLocalTime);
  if (night?.window.startMs === window.startMs && night.window.localDate === window.localDate) {
    return night;
  }
  const drawnMs = firstTryMs(window, draw);
  if (wallMs <= drawnMs) return { window, tryMs: drawnMs };
  const spanMs = Math.max(1, Math.floor((window.endMs - wallMs) * 0.75));
  return { window, tryMs: wallMs + uniformBelow(spanMs, random) };
}

/** After a pass the next is that of a later night. */
function nextTry(options: NightlyOptions, { window, tryMs }: PlannedNight): number {
  if (tryMs < window.endMs) return tryMs;
  return firstTryMs(nextWindow(window.endMs, options.toLocalTime), options.draw);
}

const lookEveryMs = 60_000;
const againAfterMs = 300_000;
