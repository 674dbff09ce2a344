import type { Kernels } from '../ports.ts';
import type { Allocate } from '../template/secret-memory.ts';
import type { Attempt, Collector, Moment, ToLocalTime } from './attempt.ts';
import { type AttemptRow, createAttemptRows, type Marker } from './attempt-rows.ts';
import { createDayCounters, type DayCounters } from './day-counters.ts';
import type { RandomBytes } from './random.ts';
import { createTelemetryCodes } from './telemetry-code.ts';
import { createVisitorTokens } from './visitor-tokens.ts';

/** Everything that may be known of the people at the door outside this process's memory. */
export type AnonymisedFields = AttemptRow | DayCounters;

/**
 * The only way into the store and to the cloud. The class is not exported and has a private field: nothing
 * but the anonymiser below can make one, and no look-alike or copy passes for one, for the compiler as
 * for `isAnonymised`.
 */
class AnonymisedRecord {
  readonly #genuine = true;
  readonly fields: AnonymisedFields;

  constructor(fields: AnonymisedFields) {
    this.fields = Object.freeze(fields);
  }

  static isGenuine(value: unknown): value is AnonymisedRecord {
    return typeof value === 'object' && value !== null && #genuine in value && value.#genuine;
  }
}

export type Anonymised = AnonymisedRecord;

export function isAnonymised(value: unknown): value is Anonymised {
  return AnonymisedRecord.isGenuine(value);
}

/**
 * code24, code16 (strict): a row per attempt with a telemetry code, which tells the vendor who resembles
 * whom within an epoch. visitor-token: a row per attempt, the device itself decides who is who. counters:
 * no rows. Only one of them for one door: counters with noise beside exact rows hide nothing.
 */
export type AnonymiserMode = 'code24' | 'code16' | 'visitor-token' | 'counters';

export type AnonymiserOptions = {
  readonly mode: AnonymiserMode;
  /** Of the embeddings that will come. */
  readonly dimensions: number;
  readonly kernels: Pick<Kernels, 'project' | 'hammingTopK'>;
  /** Should give the memory of `allocate`: the key of an epoch is drawn from it. */
  readonly random: RandomBytes;
  readonly toLocalTime: ToLocalTime;
  /** Memory for what is made of the epoch's key; preset: ordinary memory. */
  readonly allocate?: Allocate;
};

export type Anonymiser = {
  /** Keeps nothing of the embedding. After `flush` or `end` a TypeError. */
  record(attempt: Attempt): void;
  /**
   * What is due. For a timer, at least once a minute, whether or not anybody came: it also ends the epoch at
   * midnight, and rows that were stored at the moment of the next attempt would bear its time in the file's.
   */
  release(now: Moment): readonly Anonymised[];
  /** When the process stops: the rows of the unfinished hour, shuffled, or what the mode allows. Ends the epoch. */
  flush(): readonly Anonymised[];
  /** Opt-out, at any time: zeroes and forgets the epoch and every row that was not handed out. */
  end(): void;
  /** Attempts lost for want of room. For the screen of the device: it is an exact count, never to be sent. */
  readonly dropped: number;
};

/**
 * The anonymiser of one grant in one process. Nothing of it is ever written: not the key, not the rows of
 * the hour that has not ended. A crash costs those, and no more.
 */
export function createAnonymiser(options: AnonymiserOptions): Anonymiser {
  const collector = collectorOf(options);
  let ended = false;
  return {
    record(attempt) {
      if (ended) throw new TypeError('this anonymiser has ended');
      collector.record(attempt);
    },
    release: (now) => (ended ? [] : seal(collector.release(now))),
    flush() {
      const last = ended ? [] : seal(collector.flush());
      ended = true;
      return last;
    },
    end() {
      ended = true;
      collector.end();
    },
    get dropped() {
      return collector.dropped;
    },
  };
}

function seal(released: readonly AnonymisedFields[]): readonly Anonymised[] {
  return released.map((fields) => new AnonymisedRecord(fields));
}

function collectorOf(options: AnonymiserOptions): Collector<AnonymisedFields> {
  switch (options.mode) {
    case 'code24':
      return rowsWith(createTelemetryCodes({ ...options, bits: 24 }), options);
    case 'code16':
      return rowsWith(createTelemetryCodes({ ...options, bits: 16 }), options);
    case 'visitor-token':
      return rowsWith(createVisitorTokens(options), options);
    case 'counters':
      return createDayCounters(options);
  }
}

function rowsWith(marker: Marker, options: AnonymiserOptions): Collector<AttemptRow> {
  return createAttemptRows({ ...options, marker });
}
