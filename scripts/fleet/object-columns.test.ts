import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { attemptFields, dayFields } from '../../agent/ueip/fields.ts';
import { columnDefinitions, columnsOf, duckdbColumns, objectColumns } from './object-columns.ts';

const page = readFileSync(new URL('../../docs/fleets.md', import.meta.url), 'utf8');

test('every field that may leave a device is a column once, and nothing else is', () => {
  const names = objectColumns().map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(new Set(names)).toEqual(
    new Set([...Object.keys(attemptFields), ...Object.keys(dayFields)]),
  );
});

test('a column has the type of its field, whether or not it may be empty', () => {
  const kinds = new Map(objectColumns().map(({ name, kind }) => [name, kind]));
  expect(kinds.get('code')).toBe('text');
  expect(kinds.get('hour')).toBe('text');
  expect(kinds.get('embed_ms')).toBe('whole');
  expect(kinds.get('clock_trusted')).toBe('flag');
  expect(kinds.get('date')).toBe('date');
});

test('two fields of one name and of different types are no table', () => {
  const changed = { ...dayFields, hour: dayFields.failed_visitors };
  expect(() => columnsOf([attemptFields, changed])).toThrow('hour would be two columns');
});

test('the definitions that the document shows are those of the code', () => {
  for (const dialect of ['spark', 'trino', 'maxcompute'] as const) {
    expect(words(page), dialect).toContain(words(columnDefinitions(dialect)));
  }
  expect(words(page), 'duckdb').toContain(words(duckdbColumns()));
});

/** However the lines are broken. */
function words(text: string): string {
  return text.replace(/\s+/g, ' ');
}
