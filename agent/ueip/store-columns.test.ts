import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { createTableSql, storeColumns } from './store-columns.ts';

const db = new Database(':memory:');
db.exec(createTableSql);
const add = db.prepare(
  'INSERT INTO record (epoch, policy_version, collected_wall_ms, clock_trusted, run_day, sealed) VALUES (?, ?, ?, ?, ?, ?)',
);
const good = [1, '2026-11', 1_800_000_000_000, 1, 20_880.5, Buffer.of(1)] as const;

test('S0-3 the table on the device has these columns and no others', () => {
  const columns = db.prepare("SELECT name FROM pragma_table_info('record')").pluck().all();
  expect(columns).toEqual([
    'id',
    'epoch',
    'policy_version',
    'collected_wall_ms',
    'clock_trusted',
    'run_day',
    'sealed',
  ]);
  expect(storeColumns.map(({ name }) => name)).toEqual(columns);
  for (const { reason } of storeColumns) expect(reason.length).toBeGreaterThan(20);
});

test('an id is never given twice, even once the newest record is gone', () => {
  const first = Number(add.run(...good).lastInsertRowid);
  db.exec('DELETE FROM record');
  expect(Number(add.run(...good).lastInsertRowid)).toBeGreaterThan(first);
});

test.each([
  ['an epoch before the first', [0, ...good.slice(1)]],
  ['a text for an epoch', ['one', ...good.slice(1)]],
  ['a flag that is neither', [...good.slice(0, 3), 2, ...good.slice(4)]],
  ['a text for sealed bytes', [...good.slice(0, 5), 'Ann']],
  ['no date', [1, '2026-11', null, ...good.slice(3)]],
])('%s does not fit', (_, values) => {
  expect(() => add.run(...values)).toThrow(/constraint|cannot store/);
});
