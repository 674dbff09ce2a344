import { conforms, faultIn } from './field-types.ts';
import { type AttemptFields, attemptFields, dayFields, type RecordFields } from './fields.ts';

export type ParsedLine =
  | { readonly kind: 'record'; readonly fields: RecordFields }
  /** `why` names fields, never values. */
  | { readonly kind: 'unreadable'; readonly why: string };

/** Every field in the order of the table, whatever the order in `fields`. */
export function lineOf(fields: RecordFields): string {
  const table = fields.kind === 'attempt' ? attemptFields : dayFields;
  const values = new Map<string, unknown>(Object.entries(fields));
  return JSON.stringify(
    Object.fromEntries(Object.keys(table).map((name) => [name, values.get(name)])),
  );
}

/** A line as `lineOf` writes it, to the byte: anything else is not one of ours, or of another version. */
export function parseLine(line: Uint8Array): ParsedLine {
  if (line.length > longestLineBytes) return unreadable('it is too long');
  const value = parsed(line);
  const kind = typeof value === 'object' && value !== null && 'kind' in value ? value.kind : null;
  if (kind === 'attempt' && conforms(attemptFields, value)) {
    return contradictionIn(value) ?? asWritten(value, line);
  }
  if (kind === 'day' && conforms(dayFields, value)) return asWritten(value, line);
  if (kind !== 'attempt' && kind !== 'day') return unreadable('it is no record');
  return unreadable(
    faultIn(kind === 'day' ? dayFields : attemptFields, value) ?? 'it is no record',
  );
}

/** The longest that the table allows is well below: line.test.ts holds it. */
export const longestLineBytes = 1024;

function unreadable(why: string): ParsedLine {
  return { kind: 'unreadable', why };
}

function parsed(line: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(line));
  } catch {
    // The error would quote what it found.
    return undefined;
  }
}

/** No blanks, no key twice, nothing in another order. */
function asWritten(fields: RecordFields, line: Uint8Array): ParsedLine {
  const written = new TextEncoder().encode(lineOf(fields));
  const same = written.length === line.length && written.every((byte, i) => byte === line[i]);
  return same ? { kind: 'record', fields } : unreadable('it is not written as records are');
}

/** What each field allows by itself, and all together do not. */
function contradictionIn(fields: AttemptFields): ParsedLine | undefined {
  const { result, reason, code, code_version, visitor } = fields;
  if ((result === 'success') !== (reason === null)) {
    return unreadable('reason does not go with result');
  }
  const bits = code === null ? null : code.length * 4;
  if (code_version !== (bits === null ? null : `ufc-t/${bits}`)) {
    return unreadable('code does not go with code_version');
  }
  return code !== null && visitor !== null ? unreadable('it has a code and a visitor') : undefined;
}
