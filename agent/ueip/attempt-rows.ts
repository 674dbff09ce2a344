import type { Collector, LocalTime, ToLocalTime } from './attempt.ts';
import { createHeldRows } from './held-rows.ts';
import type { RandomBytes } from './random.ts';

/** What tells the attempts of one epoch apart. */
export type Mark =
  /** 2 or 3 bytes; null: no face. */
  | { readonly kind: 'code'; readonly epoch: string; readonly code: Uint8Array | null }
  /** 8 bytes; null: no face. */
  | { readonly kind: 'visitor'; readonly epoch: string; readonly visitor: Uint8Array | null };

/** Gives a mark in memory of its own. `values` is an embedding, undefined where there was no face. */
export type Marker = {
  mark(localDate: string, values: Float32Array | undefined): Mark;
  /** Ends an epoch of any other date. */
  keepOnly(localDate: string): void;
  end(): void;
};

export type Gap = '<5 s' | '5-15 s' | '15-60 s' | '>60 s';

/** All that is left of an attempt. */
export type AttemptRow = Mark & {
  /** When the hour began, by the wall clock of the house: '2027-03-28T17:00+02:00'. */
  readonly hour: string;
  readonly clockTrusted: boolean;
  /** Since the attempt before it in the same epoch; '>60 s' where there is none. */
  readonly gapSincePrevious: Gap;
  readonly result: 'success' | 'failure';
  /** In steps of 10 ms: to the millisecond it would say which line of a door log this is. */
  readonly overheadMs: number;
};

/**
 * Attempts as rows of which an hour's come out together, in random order, when the hour is over (a
 * timetable tells people apart better than any code does). An hour is over when the local clock shows
 * another one, be it an earlier one.
 */
export function createAttemptRows(options: {
  readonly marker: Marker;
  readonly toLocalTime: ToLocalTime;
  readonly random: RandomBytes;
}): Collector<AttemptRow> {
  const { marker, toLocalTime, random } = options;
  const held = createHeldRows(random);
  let previous: { readonly epoch: string; readonly atMs: number } | undefined;

  function end(): void {
    marker.end();
    held.wipe();
    previous = undefined;
  }
  return {
    record({ at, embedding, result, overheadMs }) {
      const overhead = inSteps(overheadMs);
      const local = toLocalTime(at.wallMs);
      const mark = marker.mark(local.date, embedding?.values);
      // Across epochs a short gap would say that two marks are of one visit.
      const sinceMs = previous?.epoch === mark.epoch ? at.monotonicMs - previous.atMs : Infinity;
      previous = { epoch: mark.epoch, atMs: at.monotonicMs };
      held.hold({
        ...mark,
        hour: hourOf(local),
        clockTrusted: at.clockTrusted,
        gapSincePrevious: gapOf(sinceMs),
        result,
        overheadMs: overhead,
      });
    },
    release(now) {
      const local = toLocalTime(now.wallMs);
      marker.keepOnly(local.date);
      return held.take(hourOf(local));
    },
    flush() {
      const rows = held.take();
      end();
      return rows;
    },
    end,
    get dropped() {
      return held.dropped;
    },
  };
}

function gapOf(sinceMs: number): Gap {
  if (sinceMs < 5_000) return '<5 s';
  if (sinceMs < 15_000) return '5-15 s';
  return sinceMs <= 60_000 ? '15-60 s' : '>60 s';
}

/** With the offset: the hour that a clock shows twice in autumn is two hours. */
function hourOf({ date, hour, utcOffsetMinutes }: LocalTime): string {
  const sign = utcOffsetMinutes < 0 ? '-' : '+';
  const offset = Math.abs(utcOffsetMinutes);
  return `${date}T${two(hour)}:00${sign}${two(Math.floor(offset / 60))}:${two(offset % 60)}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

function inSteps(overheadMs: number): number {
  if (!Number.isFinite(overheadMs) || overheadMs < 0) {
    throw new TypeError(`an overhead is a number of milliseconds from 0, not ${overheadMs}`);
  }
  return Math.round(overheadMs / overheadStepMs) * overheadStepMs;
}

const overheadStepMs = 10;
