import type { ToLocalTime } from '../ueip/attempt.ts';
import type { Timers } from './timers.ts';
import type { WatchedClock } from './watched-clock.ts';
import type { NightWindow } from './window.ts';

export type NightWatch = {
  /** Aborted when the window is over, or with `outer`. */
  readonly signal: AbortSignal;
  /** Asked before every step. */
  isOpen(): boolean;
  /** No more timers. */
  end(): void;
};

/**
 * Ends what goes on in the window with it. Over is over by whichever clock says so first: the time of day, the
 * monotonic clock (the time of day may have been set back), or the clock on the wall (the house may be in
 * another zone by now). It is looked at every few seconds, because timers stand still while the device sleeps.
 */
export function watchNight(options: {
  readonly window: NightWindow;
  readonly clock: WatchedClock;
  readonly toLocalTime: ToLocalTime;
  readonly timers: Timers;
  readonly outer: AbortSignal;
}): NightWatch {
  const { window, clock, toLocalTime, timers, outer } = options;
  const controller = new AbortController();
  const begunMs = clock.monotonicMs();
  const longestMs = window.endMs - clock.judge().wallMs;
  let cancel = () => {};

  function isOpen(): boolean {
    const { wallMs } = clock.judge();
    const { date, hour } = toLocalTime(wallMs);
    return (
      wallMs >= window.startMs &&
      wallMs < window.endMs &&
      clock.monotonicMs() - begunMs < longestMs &&
      date === window.localDate &&
      hour === 1
    );
  }
  function end(): void {
    cancel();
    outer.removeEventListener('abort', abort);
  }
  function abort(): void {
    end();
    controller.abort();
  }
  function look(): void {
    if (!isOpen()) {
      abort();
      return;
    }
    const leftMs = Math.min(
      window.endMs - clock.judge().wallMs,
      longestMs - (clock.monotonicMs() - begunMs),
    );
    cancel = timers.after(Math.min(leftMs, lookEveryMs), look);
  }

  if (outer.aborted) abort();
  else {
    outer.addEventListener('abort', abort);
    look();
  }
  return { signal: controller.signal, isOpen, end };
}

const lookEveryMs = 5_000;
