import { failureReasons } from './attempt.ts';
import { gaps, longestOverheadMs, longestStageMs, stepMs } from './attempt-rows.ts';
import type { FieldType, ValuesOf } from './field-types.ts';

/**
 * THE table of what may leave the device. What is not in it cannot be stored or sent: types, serialiser,
 * parser and docs/privacy.md are made of it. A new field is a new row, which says what for, who answers
 * for it, until when, and under which notice.
 */
export type Field<T extends FieldType = FieldType> = {
  readonly type: T;
  readonly unit: Unit;
  /** What it is, and which fault of the product it helps to find. */
  readonly purpose: string;
  readonly sensitivity: Sensitivity;
  /** Row of the table in rights/retention.ts. */
  readonly retention: 'records';
  /** Part of the project that answers for it. */
  readonly owner: 'recognition' | 'models' | 'privacy';
  /** From the day after, the tests fail until its use is proved anew or it is gone. */
  readonly expires: string;
  /** The notice that first covers it: under an older grant it stays empty. */
  readonly since: string;
};

export type Unit = 'none' | 'ms' | 'visitors';

export type Sensitivity =
  /** The same in every record of this agent. */
  | 'constant'
  /** Says something about the device. */
  | 'device'
  /** Says when somebody was at the door, or how it went. */
  | 'presence'
  /** Says, within a day of one door, who resembles whom. */
  | 'face';

/** Of all fields so far. One that comes later says for itself since when, and until when. */
const first = { retention: 'records', since: '2026-11', expires: '2027-12-31' } as const;

const modelPrefix = { kind: 'hex', digits: [12] } as const;

/** One attempt at the door. */
export const attemptFields = {
  ...head('attempt'),
  hour: privacy(
    { kind: 'hour' },
    'presence',
    'the hour of the attempt, by the clock of the house: faults of light and of the time of day',
  ),
  clock_trusted: recognition(
    { kind: 'flag' },
    'device',
    'whether that clock was confirmed: keeps wrong hours out of the figures',
  ),
  gap: privacy(
    { kind: 'words', words: gaps },
    'presence',
    'time since the attempt before: somebody who has to try again',
  ),
  code_epoch: privacy(
    { kind: 'hex', digits: [16] },
    'face',
    'drawn by chance for each day or less: codes are compared within one of these only',
  ),
  code_version: privacy(
    orNull({ kind: 'words', words: ['ufc-t/24', 'ufc-t/16'] }),
    'constant',
    'how the feature code was made; empty: there is none',
  ),
  code: privacy(
    orNull({ kind: 'hex', digits: [6, 4] }),
    'face',
    'the feature code: one visitor who is refused again and again, or several',
  ),
  visitor: privacy(
    orNull({ kind: 'hex', digits: [16] }),
    'face',
    'token by chance in place of the feature code, where the setting says so',
  ),
  result: recognition(
    { kind: 'words', words: ['success', 'failure'] },
    'presence',
    'whether the door knew the face: the failure rate',
  ),
  reason: recognition(
    orNull({ kind: 'words', words: failureReasons }),
    'presence',
    'why not, from a closed list: which part failed',
  ),
  overhead_ms: recognition(
    whole(0, longestOverheadMs, stepMs),
    'device',
    'from picture to decision; the last value means "or more": slow doors',
    'ms',
  ),
  detect_ms: stage('finding the face'),
  quality_ms: stage('judging the picture'),
  pad_ms: stage('telling a face from a photograph of one'),
  embed_ms: stage('the recogniser'),
  search_ms: stage('comparing with the residents'),
} as const satisfies Fields;

/** A day of one door in counters with noise, instead of attempts. */
export const dayFields = {
  ...head('day'),
  date: privacy({ kind: 'date' }, 'presence', 'the day that was counted, of the house'),
  clock_trusted: attemptFields.clock_trusted,
  failed_visitors: recognition(
    noisyCount(),
    'presence',
    'who failed twice or more and never succeeded, with noise: residents whom the door does not know',
    'visitors',
  ),
  first_failures_0: firstFailures('below 0.1'),
  first_failures_1: firstFailures('from 0.1'),
  first_failures_2: firstFailures('from 0.2'),
  first_failures_3: firstFailures('from 0.3'),
  first_failures_4: firstFailures('from 0.4'),
  first_failures_5: firstFailures('from 0.5'),
  first_failures_6: firstFailures('from 0.6'),
  first_failures_7: firstFailures('from 0.7'),
} as const satisfies Fields;

/** `today` as 'YYYY-MM-DD': in words, which of them may not be told any more. */
export function expiredFields(fields: Fields, today: string): string[] {
  return Object.entries(fields)
    .filter(([, { expires }]) => today > expires)
    .map(
      ([name, { expires, owner }]) =>
        `${name} expired on ${expires}: ${owner} proves anew what it is needed for, or it goes`,
    );
}

export type Fields = Readonly<Record<string, Field>>;
export type AttemptFields = ValuesOf<typeof attemptFields>;
export type DayFields = ValuesOf<typeof dayFields>;
export type RecordFields = AttemptFields | DayFields;

/** What each record says of itself: a line is understood without any other. */
function head<const K extends 'attempt' | 'day'>(kind: K) {
  const constant = <const W extends string>(word: W, purpose: string) =>
    privacy({ kind: 'words', words: [word] }, 'constant', purpose);
  const model = (what: string) => `which ${what}: first digits of its SHA-256`;
  return {
    schema: constant('ueip/1', 'how to read the record'),
    kind: constant(kind, 'an attempt, or the counters of a day'),
    purpose: constant('face-bugfix', 'what it may be used for: finding faults of face recognition'),
    policy_version: privacy({ kind: 'version' }, 'device', 'the notice that was accepted'),
    agent_version: models({ kind: 'version' }, 'device', 'which release has the fault'),
    detection_model: models(modelPrefix, 'device', model('detector of faces')),
    embedding_model: models(modelPrefix, 'device', model('recogniser')),
    pad_model: models(
      orNull(modelPrefix),
      'device',
      `${model('detector of attacks')}, of several of all their digests; empty: there is none`,
    ),
  };
}

function stage(what: string) {
  const purpose = `time for ${what}; the last value means "or more"; empty: it did not come to that`;
  return recognition(orNull(whole(0, longestStageMs, stepMs)), 'device', purpose, 'ms');
}

/** A door sees at most 128 visitors a day; noise beyond 800 has a chance of e^-133. */
function noisyCount() {
  return whole(-1000, 1000, 1);
}

function firstFailures(scores: string) {
  const purpose = `whose first failure had a best score ${scores}, with noise: a threshold set wrong`;
  return recognition(noisyCount(), 'presence', purpose, 'visitors');
}

function whole(min: number, max: number, step: number) {
  return { kind: 'whole', min, max, step } as const;
}

function orNull<const T extends Exclude<FieldType, { kind: 'or-null' }>>(of: T) {
  return { kind: 'or-null', of } as const;
}

function recognition<const T extends FieldType>(
  type: T,
  sensitivity: Sensitivity,
  purpose: string,
  unit: Unit = 'none',
): Field<T> {
  return { type, unit, purpose, sensitivity, owner: 'recognition', ...first };
}

function models<const T extends FieldType>(
  type: T,
  sensitivity: Sensitivity,
  purpose: string,
): Field<T> {
  return { type, unit: 'none', purpose, sensitivity, owner: 'models', ...first };
}

function privacy<const T extends FieldType>(
  type: T,
  sensitivity: Sensitivity,
  purpose: string,
): Field<T> {
  return { type, unit: 'none', purpose, sensitivity, owner: 'privacy', ...first };
}
