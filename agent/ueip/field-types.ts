/**
 * The types that a field of a record can have. There is none for free text: whatever is not one of a few
 * words, a bounded number, a date or bits of a fixed length cannot be told.
 */
export type FieldType =
  | { readonly kind: 'words'; readonly words: readonly [string, ...string[]] }
  /** A whole number from min to max that is a multiple of step. */
  | { readonly kind: 'whole'; readonly min: number; readonly max: number; readonly step: number }
  /** Lower-case digits, as many as one of `digits` says. */
  | { readonly kind: 'hex'; readonly digits: readonly [number, ...number[]] }
  /** '2027-03-28' */
  | { readonly kind: 'date' }
  /** When an hour began, with the offset of the house: '2027-03-28T17:00+02:00'. */
  | { readonly kind: 'hour' }
  /** One to four groups of digits: '0.12.3', '2026-11'. No letters, so no words. */
  | { readonly kind: 'version' }
  | { readonly kind: 'flag' }
  | { readonly kind: 'or-null'; readonly of: Exclude<FieldType, { kind: 'or-null' }> };

declare const pattern: unique symbol;
/** A string that was found to follow its pattern: no other string passes for it. */
export type Patterned<K> = string & { readonly [pattern]: K };

export type ValueOf<T extends FieldType> = T extends {
  readonly kind: 'or-null';
  readonly of: infer Of extends FieldType;
}
  ? ValueOf<Of> | null
  : T extends { readonly kind: 'words'; readonly words: readonly (infer Word)[] }
    ? Word
    : T extends { readonly kind: 'whole' }
      ? number
      : T extends { readonly kind: 'flag' }
        ? boolean
        : T extends { readonly kind: infer Kind }
          ? Patterned<Kind>
          : never;

export type Typed = Readonly<Record<string, { readonly type: FieldType }>>;
/** The values of a kind of record: all of its fields and no others. */
export type ValuesOf<F extends Typed> = { readonly [K in keyof F]: ValueOf<F[K]['type']> };

/** The first thing that is wrong, undefined where nothing is. Names the field, never its value. */
export function faultIn(fields: Typed, value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return 'a record is an object';
  const given = new Map<string, unknown>(Object.entries(value));
  for (const name of given.keys()) {
    // Not even its name: who made it up could have put words there.
    if (!Object.hasOwn(fields, name)) return 'it has a field that is not in the table';
  }
  for (const [name, { type }] of Object.entries(fields)) {
    if (!given.has(name)) return `${name} is missing`;
    if (!fits(type, given.get(name))) return `${name} is not ${described(type)}`;
  }
  return undefined;
}

export function conforms<F extends Typed>(fields: F, value: unknown): value is ValuesOf<F> {
  return faultIn(fields, value) === undefined;
}

/** @throws TypeError */
export function conforming<F extends Typed>(fields: F, value: unknown): ValuesOf<F> {
  if (conforms(fields, value)) return value;
  throw new TypeError(`this cannot be recorded: ${faultIn(fields, value)}`);
}

/** In words for people: what the field can hold. */
export function described(type: FieldType): string {
  switch (type.kind) {
    case 'words':
      return type.words.length === 1
        ? `\`${type.words[0]}\``
        : `one of ${type.words.map((word) => `\`${word}\``).join(', ')}`;
    case 'whole':
      return `a whole number from ${type.min} to ${type.max}${type.step === 1 ? '' : ` in steps of ${type.step}`}`;
    case 'hex':
      return `${type.digits.join(' or ')} hexadecimal digits`;
    case 'date':
      return 'a date';
    case 'hour':
      return 'the beginning of an hour';
    case 'version':
      return 'a version of digits';
    case 'flag':
      return 'true or false';
    case 'or-null':
      return `${described(type.of)}, or empty`;
  }
}

function fits(type: FieldType, value: unknown): boolean {
  switch (type.kind) {
    case 'or-null':
      return value === null || fits(type.of, value);
    case 'flag':
      return typeof value === 'boolean';
    case 'whole':
      return isWhole(value) && value >= type.min && value <= type.max && value % type.step === 0;
    case 'words':
      return type.words.some((word) => word === value);
    case 'hex':
      return isText(value) && type.digits.includes(value.length) && /^[0-9a-f]+$/.test(value);
    case 'date':
      return isText(value) && isDate(value);
    case 'hour':
      return isText(value) && isHour(value);
    case 'version':
      return isText(value) && isVersion(value);
  }
}

/** What an agent and a notice may be called, so that a record can name them. */
export function isVersion(value: string): value is Patterned<'version'> {
  return /^\d{1,4}(?:[.-]\d{1,4}){0,3}$/.test(value);
}

/** Negative: `a` is the older one. A group that is missing is 0. */
export function compareVersions(a: Patterned<'version'>, b: Patterned<'version'>): number {
  const [left, right] = [a, b].map((version) => version.split(/[.-]/).map(Number));
  for (let i = 0; i < 4; i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** One that the calendar has: 30 February is none. */
export function isDate(value: string): value is Patterned<'date'> {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(value)) return false;
  const ms = Date.parse(`${value}T00:00Z`);
  return Number.isFinite(ms) && new Date(ms).toISOString().startsWith(value);
}

function isHour(value: string): boolean {
  const [, date = '', hour, offsetHours, offsetMinutes] =
    /^(\d{4}-\d{2}-\d{2})T(\d{2}):00[+-](\d{2}):(\d{2})$/.exec(value) ?? [];
  return (
    isDate(date) &&
    Number(hour) < 24 &&
    Number(offsetHours) <= 14 &&
    ['00', '15', '30', '45'].some((quarter) => quarter === offsetMinutes)
  );
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isWhole = (value: unknown): value is number => Number.isInteger(value);
