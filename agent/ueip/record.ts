import type { Coverage } from '../consent/consent.ts';
import type { NewRecord } from '../ports.ts';
import { type Anonymised, isAnonymised } from './anonymise.ts';
import type { AttemptRow, Mark } from './attempt-rows.ts';
import type { Builds } from './builds.ts';
import type { DayCounters } from './day-counters.ts';
import { compareVersions, conforming, isVersion } from './field-types.ts';
import {
  type AttemptFields,
  attemptFields,
  type DayFields,
  dayFields,
  type Fields,
  type RecordFields,
} from './fields.ts';
import { lineOf } from './line.ts';
import { dayMs } from './month.ts';

/**
 * What is stored and sent of one attempt, or of one day. The class is not exported and has a private
 * field: nothing but `recordFrom` makes one, so what is in it went through the anonymiser and the table.
 */
class CheckedRecord {
  readonly #genuine = true;
  readonly fields: RecordFields;
  /** Number of the grant it was collected under. */
  readonly grantEpoch: number;

  constructor(fields: RecordFields, grantEpoch: number) {
    this.fields = Object.freeze(fields);
    this.grantEpoch = grantEpoch;
  }

  static isGenuine(value: unknown): value is CheckedRecord {
    return typeof value === 'object' && value !== null && #genuine in value && value.#genuine;
  }
}

export type UeipRecord = CheckedRecord;
export type Covered = Extract<Coverage, { readonly kind: 'covered' }>;

/**
 * The only maker. `coverage` is that of this moment; fields that its notice does not know yet stay empty.
 * @throws TypeError: something in it is not of the table, or nothing covers it
 */
export function recordFrom(anonymised: Anonymised, builds: Builds, coverage: Covered): UeipRecord {
  if (!isAnonymised(anonymised)) throw new TypeError('only what was anonymised can be recorded');
  if (coverage.kind !== 'covered') throw new TypeError('a record exists only inside a grant');
  const { policyVersion } = coverage.grant;
  const head = {
    // First: whatever else a caller has put into it does not take another field's place.
    ...builds,
    schema: 'ueip/1',
    purpose: 'face-bugfix',
    policy_version: policyVersion,
  } as const;
  const { fields } = anonymised;
  const checked =
    fields.kind === 'counters'
      ? underNotice(dayFields, dayValues(head, fields), policyVersion)
      : underNotice(attemptFields, attemptValues(head, fields), policyVersion);
  return new CheckedRecord(checked, coverage.epoch);
}

/** One line of JSON without its line feed: the bytes that are stored, shown and sent. */
export function serialise(record: UeipRecord): Uint8Array {
  if (!CheckedRecord.isGenuine(record)) throw new TypeError('only a record can be written');
  return new TextEncoder().encode(lineOf(record.fields));
}

/**
 * For the store, just after it was released; `runDay` is the count of now. Its time is when its hour or day
 * began: the moment itself would say which line of a door log this is, and the month is over none too late.
 */
export function storable(record: UeipRecord, runDay: number): NewRecord {
  const { fields, grantEpoch } = record;
  const began = beginningOf(fields);
  return {
    epoch: grantEpoch,
    policyVersion: fields.policy_version,
    collected: {
      wallMs: began.wallMs,
      clockTrusted: fields.clock_trusted,
      runDay: Math.max(0, runDay - began.heldMs / dayMs),
    },
    line: serialise(record),
  };
}

/** `heldMs`: how long ago that can have been when it is released. */
function beginningOf(fields: RecordFields): { readonly wallMs: number; readonly heldMs: number } {
  return fields.kind === 'attempt'
    ? { wallMs: Date.parse(fields.hour), heldMs: hourMs + releasedWithinMs }
    : {
        // It bears no zone: where the date begins first.
        wallMs: Date.parse(`${fields.date}T00:00+14:00`),
        heldMs: longestDayMs + releasedWithinMs,
      };
}

const hourMs = 3_600_000;
/** That of Troll station in autumn. */
const longestDayMs = 26 * hourMs;
/** The anonymiser is asked for what is due at least once a minute. */
const releasedWithinMs = 60_000;

type Head = Pick<Values<AttemptFields>, 'schema' | 'purpose' | 'policy_version' | keyof Builds>;
/** Every field of the table, and none besides. */
type Values<F> = { readonly [K in keyof F]: unknown };

function attemptValues(head: Head, row: AttemptRow): Values<AttemptFields> {
  return {
    ...head,
    kind: 'attempt',
    hour: row.hour,
    clock_trusted: row.clockTrusted,
    gap: row.gapSincePrevious,
    code_epoch: row.epoch,
    ...markValues(row),
    result: row.result,
    reason: row.reason,
    overhead_ms: row.overheadMs,
    detect_ms: row.detectMs,
    quality_ms: row.qualityMs,
    pad_ms: row.padMs,
    embed_ms: row.embedMs,
    search_ms: row.searchMs,
  };
}

function markValues(mark: Mark) {
  if (mark.kind === 'visitor') {
    return { code_version: null, code: null, visitor: mark.visitor && hexOf(mark.visitor) };
  }
  const { code } = mark;
  if (code === null) return { code_version: null, code, visitor: null };
  return { code_version: `ufc-t/${code.length * 8}`, code: hexOf(code), visitor: null };
}

function dayValues(head: Head, day: DayCounters): Values<DayFields> {
  const [first, second, third, fourth, fifth, sixth, seventh, eighth] = day.firstFailureByScore;
  return {
    ...head,
    kind: 'day',
    date: day.date,
    clock_trusted: day.clockTrusted,
    failed_visitors: day.failedAndNeverSucceeded,
    first_failures_0: first,
    first_failures_1: second,
    first_failures_2: third,
    first_failures_3: fourth,
    first_failures_4: fifth,
    first_failures_5: sixth,
    first_failures_6: seventh,
    first_failures_7: eighth,
  };
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** The values as they may be under this notice: what came later than it is left out. @throws TypeError */
export function underNotice<F extends Fields>(
  fields: F,
  values: Readonly<Record<string, unknown>>,
  policyVersion: string,
) {
  if (!isVersion(policyVersion)) throw new TypeError('the version of a notice is made of digits');
  const isCovered = (name: string) => {
    const since = fields[name]?.since;
    return since === undefined || (isVersion(since) && compareVersions(since, policyVersion) <= 0);
  };
  return conforming(
    fields,
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, isCovered(name) ? value : null]),
    ),
  );
}
