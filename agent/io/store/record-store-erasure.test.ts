import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { beforeEach, expect, test } from 'vitest';
import type { RecordStore } from '../../ports.ts';
import { memoryFolder } from '../../test/fakes/memory-folder.ts';
import { someRecord, someRecords } from '../../test/fakes/some-record.ts';
import { seededChance } from '../process/seeded-chance.ts';
import { openRecordStore } from './record-store.ts';

let folder: string;
let store: RecordStore;
/** By id, the nonce of each sealed row: without it nothing else that is left of the row can be opened. */
let nonces: Map<number, Buffer>;
beforeEach(() => {
  folder = memoryFolder();
  nonces = new Map();
  store = opened();
});

function opened(limits = { maxRecords: 3000, maxBytes: 4 << 20 }): RecordStore {
  const [file, keyFile] = [join(folder, 'records.db'), join(folder, 'epoch.key')];
  return openRecordStore({ file, keyFile, limits }).store;
}

test('S0-13 a record that is too old is in no file any more, be it sealed, when the purge returns', () => {
  record(someRecords(800));
  expect(present()).toBe(800);
  expect(store.purge(({ runDay }) => runDay < 20_000.6)).toBe(600);
  expect(leftOvers()).toBe(0);
  expect(present()).toBe(200);
  store.close();
});

test('S0-13 a device that was off for forty days: the first purge leaves nothing in any file', () => {
  record(someRecords(800));
  store.close();
  store = opened();
  expect(store.purge(({ runDay }) => runDay + 31 < 20_040)).toBe(800);
  expect(leftOvers()).toBe(0);
  store.close();
});

test('a record that was sent is in no file any more when forgetting it returns', () => {
  record(someRecords(300));
  store.forget([...nonces.keys()].slice(0, 120));
  expect(leftOvers()).toBe(0);
  expect(present()).toBe(180);
  store.close();
});

test('a record that gave way to others is in no file any more after the next purge', () => {
  store.close();
  store = opened({ maxRecords: 500, maxBytes: 4 << 20 });
  for (let n = 0; n < 10; n++) record(someRecords(100, n * 100));
  store.purge(() => false);
  expect(leftOvers()).toBe(0);
  expect(present()).toBe(500);
  store.close();
});

test('after a limit was lowered nothing of the larger store is left', () => {
  for (let n = 0; n < 3; n++) record(someRecords(1000, n * 1000));
  store.close();
  store = opened({ maxRecords: 100, maxBytes: 256 * 1024 });
  for (let n = 0; n < 4; n++) store.purge(() => false);
  expect(leftOvers()).toBe(0);
  expect(present()).toBe(100);
  expect(readdirSync(folder).toSorted()).toEqual([
    'epoch.key',
    'records.db',
    'records.db-wal',
    'records.db.room',
  ]);
  store.close();
});

test('whatever is forgotten in whatever order, SQLite leaves no copy of it behind', () => {
  const chance = seededChance('orders');
  const draw = (below: number) => Buffer.from(chance(4)).readUInt32BE() % below;
  let next = 0;
  let forgotten = 0;
  for (let round = 0; round < 160; round++) {
    const added = draw(120);
    record(Array.from({ length: added }, () => someRecord(next++)));
    const live = store.oldest(5000).map(({ id }) => id);
    const oneIn = [1, 2, 3, 20][draw(4)] ?? 1;
    const gone =
      oneIn === 1 ? live.slice(0, draw(live.length + 1)) : live.filter(() => draw(oneIn) === 0);
    store.forget(gone);
    forgotten += gone.length;
    expect(leftOvers(), `round ${round}`).toBe(0);
  }
  expect(forgotten).toBeGreaterThan(5000);
  store.close();
});

/** Appends, and learns the nonces from a copy: the store lets nobody else in. */
function record(records: ReturnType<typeof someRecords>): void {
  store.append(records);
  const copy = join(memoryFolder(), 'copy.db');
  for (const suffix of ['', '-wal'])
    copyFileSync(join(folder, `records.db${suffix}`), copy + suffix);
  const db = new Database(copy);
  for (const row of db.prepare<[], unknown>('SELECT id, sealed FROM record').raw().iterate()) {
    if (!Array.isArray(row) || !Buffer.isBuffer(row[1])) throw new Error('no sealed row');
    nonces.set(Number(row[0]), row[1].subarray(0, 12));
  }
  db.close();
}

/** How many records that are not in the store any more are in the files. One that is not cannot come back. */
function leftOvers(): number {
  const live = new Set(store.oldest(100_000).map(({ id }) => id));
  const left = found((id) => !live.has(id));
  if (left > 0) return left;
  for (const id of nonces.keys()) if (!live.has(id)) nonces.delete(id);
  return 0;
}

/** How many that are in the store are in the files: the search finds what is there. */
function present(): number {
  const live = new Set(store.oldest(100_000).map(({ id }) => id));
  return found((id) => live.has(id));
}

function found(isWanted: (id: number) => boolean): number {
  const raw = readdirSync(folder).map((name) => readFileSync(join(folder, name)));
  return [...nonces].filter(
    ([id, nonce]) => isWanted(id) && raw.some((bytes) => bytes.includes(nonce)),
  ).length;
}
