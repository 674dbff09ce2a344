import {
  type Attempt,
  type Collector,
  type FailureReason,
  failureReasons,
  type LocalTime,
  type ToLocalTime,
} from './attempt.ts';
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

export const gaps = ['<5 s', '5-15 s', '15-60 s', '>60 s'] as const;
export type Gap = (typeof gaps)[number];

/** Durations are told in these steps: to the millisecond they would say which line of a door log this is. */
export const stepMs = 10;
/** What takes longer is told as this long: a rare number would be a name. */
export const longestOverheadMs = 30_000;
export const longestStageMs = 10_000;

/** Aligning, coding and deciding are left out: they take less than a step on any device. */
type CoarseStages = {
  /** In steps; null: it did not come to that. */
  readonly [S in 'detect' | 'quality' | 'pad' | 'embed' | 'search' as `${S}Ms`]: number | null;
};

/** All that is left of an attempt: flat, so that freezing it freezes everything but the bytes of the mark. */
export type AttemptRow = Mark &
  Outcome & {
    /** When the hour began, by the wall clock of the house: '2027-03-28T17:00+02:00'. */
    readonly hour: string;
    readonly clockTrusted: boolean;
    /** Since the attempt before it in the same epoch; '>60 s' where there is none. */
    readonly gapSincePrevious: Gap;
  };

type Outcome = CoarseStages & {
  readonly result: 'success' | 'failure';
  /** Null for a success, and for no failure. */
  readonly reason: FailureReason | null;
  /** In steps. */
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
    record(attempt) {
      const { at, embedding } = attempt;
      // Before anything is remembered of an attempt that is refused.
      const outcome = outcomeOf(attempt);
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
        ...outcome,
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

/** @throws TypeError: it is not one that may be told. */
function outcomeOf({ result, reason, overheadMs, stagesMs }: Attempt): Outcome {
  if (reason !== null && !failureReasons.includes(reason)) {
    // Not what it was: it may have been the text of an error.
    throw new TypeError('a reason is one of the closed list');
  }
  if ((result === 'success') !== (reason === null)) {
    throw new TypeError('a failure has a reason, and a success has none');
  }
  const stage = (ms: number | undefined) => (ms === undefined ? null : inSteps(ms, longestStageMs));
  return {
    result,
    reason,
    overheadMs: inSteps(overheadMs, longestOverheadMs),
    detectMs: stage(stagesMs.detect),
    qualityMs: stage(stagesMs.quality),
    padMs: stage(stagesMs.pad),
    embedMs: stage(stagesMs.embed),
    searchMs: stage(stagesMs.search),
  };
}

function inSteps(elapsedMs: number, longestMs: number): number {
  if (!Number.isFinite(elapsedMs) || elapsedMs < 0) {
    throw new TypeError(`a duration is a number of milliseconds from 0, not ${elapsedMs}`);
  }
  return Math.min(longestMs, Math.round(elapsedMs / stepMs) * stepMs);
}
