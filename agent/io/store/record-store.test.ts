import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { memoryFolder } from '../../test/fakes/memory-folder.ts';
import { someRecord, someRecords } from '../../test/fakes/some-record.ts';
import { steppingChild } from '../../test/fakes/stepping-child.ts';
import { seededChance } from '../process/seeded-chance.ts';
import { createEpochKey } from '../programme/epoch-key.ts';
import { openRecordStore } from './record-store.ts';

let folder: string;
let file: string;
let keyFile: string;
beforeEach(() => {
  folder = memoryFolder();
  file = join(folder, 'records.db');
  keyFile = join(folder, 'epoch.key');
});

const wide = { maxRecords: 50_000, maxBytes: 32 << 20 };
const open = (limits = wide) => openRecordStore({ file, keyFile, limits });

describe('from one start to the next', () => {
  test('what was recorded is there again, under the same ids', () => {
    const before = open();
    expect(before.found).toBe('new');
    before.store.append(someRecords(50));
    const records = before.store.oldest(100);
    before.store.close();
    const after = open();
    expect(after.found).toBe('as left');
    expect(after.store.oldest(100)).toEqual(records);
    after.store.append(someRecords(1, 50));
    expect(after.store.oldest(100).at(-1)?.id).toBe(Number(records.at(-1)?.id) + 1);
    after.store.close();
  });

  test('a key that was made with the grant is the one that is used', () => {
    const key = createEpochKey(keyFile);
    const { store, found } = open();
    expect(found).toBe('new');
    store.append(someRecords(1));
    store.close();
    expect(key.some((byte) => byte !== 0)).toBe(true);
    expect(open().store.oldest(1)).toHaveLength(1);
  });

  test('the counts are there again, and the days to the last', () => {
    const { store } = open({ ...wide, maxRecords: 10 });
    store.append(someRecords(13));
    store.runDays.write(20_000.5);
    store.runDays.write(20_000.500_001);
    store.close();
    const after = open().store;
    expect(after.counts()).toMatchObject({ records: 10, evicted: 3 });
    expect(after.runDays.read()).toBe(20_000.500_001);
    after.close();
  });

  test('only this user may read the files, and nothing but the database and its key is there', () => {
    const { store } = open();
    store.append(someRecords(3));
    for (const name of readdirSync(folder)) {
      expect(statSync(join(folder, name)).mode & 0o077, name).toBe(0);
    }
    expect(readdirSync(folder).toSorted()).toEqual([
      'epoch.key',
      'records.db',
      'records.db-wal',
      'records.db.room',
    ]);
    store.close();
    expect(readdirSync(folder).toSorted()).toEqual(['epoch.key', 'records.db', 'records.db.room']);
  });

  test('nothing of a record can be read in the files', () => {
    const { store } = open();
    store.append(someRecords(20));
    const raw = rawFiles();
    expect(raw).toContain('2026-11');
    expect(raw).not.toMatch(/ueip\/1|attempt|face-bugfix|8f2383e4dd3c|no-match/);
    store.close();
  });
});

describe('within its limits', () => {
  test('S0-7 a hundred days without sending: the files stay within a quarter more than their limit', () => {
    const limits = { maxRecords: 50_000, maxBytes: 256 * 1024 };
    const { store } = open(limits);
    let largest = 0;
    let recorded = 0;
    for (let day = 0; day < 100; day++) {
      for (let group = 0; group < 2; group++) {
        store.append(someRecords(60, recorded));
        recorded += 60;
        largest = Math.max(largest, store.counts().sizeBytes);
      }
      store.purge(({ runDay }) => runDay < 20_000 + recorded / 1000 - 31);
    }
    const { records, evicted } = store.counts();
    expect(largest).toBeLessThanOrEqual(1.25 * limits.maxBytes);
    expect(records + evicted).toBe(recorded);
    expect(records).toBeGreaterThan(600);
    expect(lineOf(store.oldest(recorded).at(-1))).toBe(lineOf(someRecord(recorded - 1)));
    store.close();
  });

  test('a group too large for the whole store: the newest of it stay', () => {
    const { store } = open({ maxRecords: 50_000, maxBytes: 256 * 1024 });
    const { evicted } = store.append(someRecords(3000));
    const { records, sizeBytes } = store.counts();
    expect(evicted).toBe(3000 - records);
    expect(records).toBeGreaterThan(150);
    expect(sizeBytes).toBeLessThanOrEqual(1.25 * 256 * 1024);
    expect(lineOf(store.oldest(3000).at(-1))).toBe(lineOf(someRecord(2999)));
    store.close();
  });

  test('a store ten times over its limits is opened without touching a row; each call then trims a slice of it', () => {
    const before = open();
    for (let n = 0; n < 12; n++) before.store.append(someRecords(1000, n * 1000));
    before.store.close();
    const limits = { maxRecords: 1000, maxBytes: 256 * 1024 };
    const { store, found } = open(limits);
    expect(found).toBe('as left');
    expect(store.counts()).toMatchObject({ records: 12_000, evicted: 0 });
    const { evicted } = store.append(someRecords(10, 12_000));
    expect(evicted).toBeGreaterThan(10);
    expect(evicted).toBeLessThan(400);
    for (let night = 0; night < 12; night++) store.purge(() => false);
    expect(store.counts().records).toBeLessThanOrEqual(1000);
    expect(store.counts().sizeBytes).toBeLessThanOrEqual(1.25 * limits.maxBytes);
    expect(store.counts().records + store.counts().evicted).toBe(12_010);
    expect(lineOf(store.oldest(2000).at(-1))).toBe(lineOf(someRecord(12_009)));
    expect(readdirSync(folder).toSorted()).toEqual([
      'epoch.key',
      'records.db',
      'records.db-wal',
      'records.db.room',
    ]);
    store.close();
  });

  test('where there is no room at all, that is an error; with rows to spare, the oldest give way', () => {
    // Lines that do not pack: the store thinks it has room, and SQLite has none.
    const dense = (n: number) => ({ ...someRecord(n), line: seededChance(`${n}`)(16_000) });
    const { store } = open({ maxRecords: 50_000, maxBytes: 256 * 1024 });
    let evicted = 0;
    for (let n = 0; n < 60; n++) evicted += store.append([dense(n)]).evicted;
    expect(evicted).toBeGreaterThan(40);
    expect(store.counts()).toMatchObject({ records: 60 - evicted, evicted });
    expect(store.oldest(100).at(-1)?.line).toEqual(dense(59).line);
    store.close();
  });
});

describe('beside another process', () => {
  const holder = new URL('../../test/fakes/database-holder.ts', import.meta.url);

  test('while it is open nobody else reads it, writes it, or holds up an erasure', async () => {
    const { store } = open();
    store.append(someRecords(5));
    const other = await steppingChild(holder, [file]);
    expect(await other.step('read')).toBe('SQLITE_BUSY');
    expect(await other.step('write')).toBe('SQLITE_BUSY');
    expect(store.append(someRecords(5, 5))).toEqual({ evicted: 0 });
    expect(store.purge(() => true)).toBe(10);
    store.close();
  });

  test.each(['read', 'write'])(
    'somebody who has begun to %s is waited for, not for ever',
    async (what) => {
      open().store.close();
      const other = await steppingChild(holder, [file]);
      expect(await other.step(what)).toBe('done');
      expect(() => open()).toThrow(
        expect.objectContaining({
          code: 'STORE_FAILED',
          message: expect.stringContaining('held by'),
        }),
      );
      expect(existsSync(keyFile)).toBe(true);
      await other.step('close');
      const { store, found } = open();
      expect(found).toBe('as left');
      store.close();
    },
  );
});

function lineOf(record: { readonly line: Uint8Array } | undefined): string {
  return Buffer.from(record?.line ?? []).toString();
}

function rawFiles(): string {
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'latin1'))
    .join('');
}
