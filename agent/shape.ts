/**
 * Reading what came from outside (settings, manifests, messages): a shape checks a value, gives it its
 * type, and notes every fault with its place instead of stopping at the first.
 */
export type Shape<T> = (value: unknown, place: string, faults: string[]) => T;
export type Shaped<S> = S extends Shape<infer T> ? T : never;

/** The value in its shape, or every fault. */
export function readShape<T>(
  shape: Shape<T>,
  value: unknown,
): { readonly value: T } | { readonly faults: readonly string[] } {
  const faults: string[] = [];
  const read = shape(value, '', faults);
  return faults.length === 0 ? { value: read } : { faults };
}

export function text(
  limits: { max?: number; pattern?: RegExp; what?: string } = {},
): Shape<string> {
  const { max = 1000, pattern, what = 'a text' } = limits;
  return (value, place, faults) => {
    if (
      typeof value === 'string' &&
      value.length <= max &&
      (pattern?.test(value) ?? value !== '')
    ) {
      return value;
    }
    faults.push(`${place}: expected ${what}, got ${shown(value)}`);
    return '';
  };
}

export function number(min: number, max: number): Shape<number> {
  return (value, place, faults) => {
    if (typeof value === 'number' && value >= min && value <= max) return value;
    faults.push(`${place}: expected a number from ${min} to ${max}, got ${shown(value)}`);
    return min;
  };
}

export function whole(min: number, max: number): Shape<number> {
  return (value, place, faults) => {
    if (Number.isInteger(value) && Number(value) >= min && Number(value) <= max)
      return Number(value);
    faults.push(`${place}: expected a whole number from ${min} to ${max}, got ${shown(value)}`);
    return min;
  };
}

export function flag(): Shape<boolean> {
  return (value, place, faults) => {
    if (typeof value !== 'boolean') {
      faults.push(`${place}: expected true or false, got ${shown(value)}`);
    }
    return value === true;
  };
}

export function oneOf<const V extends string>(values: readonly [V, ...V[]]): Shape<V> {
  return (value, place, faults) => {
    const found = values.find((known) => known === value);
    if (found !== undefined) return found;
    faults.push(`${place}: expected one of ${values.join(', ')}, got ${shown(value)}`);
    return values[0];
  };
}

export function listOf<T>(item: Shape<T>, limits: { min?: number; max?: number } = {}): Shape<T[]> {
  const { min = 0, max = 1000 } = limits;
  return (value, place, faults) => {
    if (Array.isArray(value) && value.length >= min && value.length <= max) {
      return value.map((entry, index) => item(entry, `${place}[${index}]`, faults));
    }
    const size = min === max ? `${min}` : `${min} to ${max}`;
    faults.push(`${place}: expected a list of ${size}, got ${shown(value)}`);
    return [];
  };
}

export function nullOr<T>(shape: Shape<T>): Shape<T | null> {
  return (value, place, faults) => (value === null ? null : shape(value, place, faults));
}

/** The first of the shapes that fits; its faults are those of the last. */
export function either<A, B>(first: Shape<A>, second: Shape<B>): Shape<A | B> {
  return (value, place, faults) => {
    const attempt = readShape(first, value);
    return 'value' in attempt ? attempt.value : second(value, place, faults);
  };
}

type Fields = Readonly<Record<string, Shape<unknown>>>;
type Read<F extends Fields> = { [K in keyof F]: Shaped<F[K]> };

/** An object with all of `required`, perhaps some of `optional`, and nothing else. */
export function object<R extends Fields, O extends Fields = Record<never, never>>(
  required: R,
  optional?: O,
): Shape<Read<R> & Partial<Read<O>>> {
  const known: Fields = { ...optional, ...required };
  return (value, place, faults) => {
    const read: Record<string, unknown> = {};
    const given = isRecord(value) ? value : {};
    if (!isRecord(value)) faults.push(`${place || 'it'}: expected an object, got ${shown(value)}`);
    for (const key of Object.keys(given)) {
      if (!Object.hasOwn(known, key)) faults.push(unknownKey(join(place, key), Object.keys(known)));
    }
    for (const [key, shape] of Object.entries(known)) {
      if (Object.hasOwn(given, key)) read[key] = shape(given[key], join(place, key), faults);
      else if (Object.hasOwn(required, key) && isRecord(value)) {
        faults.push(`${join(place, key)}: missing`);
      }
    }
    return read as Read<R> & Partial<Read<O>>;
  };
}

/** "models.detecton: unknown, did you mean models.detection?" */
export function unknownKey(key: string, known: readonly string[]): string {
  const last = key.slice(key.lastIndexOf('.') + 1);
  const near = known.find((name) => distance(name, key) <= 2 || distance(name, last) <= 2);
  return `${key}: unknown${near === undefined ? '' : `, did you mean ${near}?`}`;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function join(place: string, key: string): string {
  return place === '' ? key : `${place}.${key}`;
}

/** A value as a person may read it in one line: short, and without control characters. */
function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length <= 60 ? json : `${json.slice(0, 57)}…`;
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, left] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, right] of [...b].entries()) {
      const replace = (row[j] ?? 0) + (left === right ? 0 : 1);
      next.push(Math.min(replace, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
