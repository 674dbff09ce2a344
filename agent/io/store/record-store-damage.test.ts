import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { beforeEach, describe, expect, test } from 'vitest';
import type { AgentError } from '../../errors.ts';
import { memoryFolder } from '../../test/fakes/memory-folder.ts';
import { someRecord, someRecords } from '../../test/fakes/some-record.ts';
import { seededChance } from '../process/seeded-chance.ts';
import { openRecordStore } from './record-store.ts';

const limits = { maxRecords: 50_000, maxBytes: 32 << 20 };
const given = new Set(someRecords(300).map(({ line }) => text(line)));

let folder: string;
let file: string;
let keyFile: string;
beforeEach(() => {
  folder = memoryFolder();
  file = join(folder, 'records.db');
  keyFile = join(folder, 'epoch.key');
});

const open = () => openRecordStore({ file, keyFile, limits });

describe('what cannot be used is erased, and recording goes on', () => {
  test.each<[string, () => void]>([
    ['a missing key', () => rmSync(keyFile)],
    ['a key of the wrong size', () => writeFileSync(keyFile, 'short')],
    ['an empty key', () => writeFileSync(keyFile, '')],
    ['a key that was half destroyed', () => writeFileSync(keyFile, new Uint8Array(32))],
    ['a file that is no database', () => writeFileSync(file, 'not a database '.repeat(500))],
    ['a database of a newer doorkeep', () => change('PRAGMA user_version = 99')],
    ['a database of another program', () => change('PRAGMA application_id = 1')],
    ['a table that is missing', () => change('DROP TABLE record')],
    ['a log without its database', () => writeFileSync(`${file}-wal`, rmSync(file) ?? 'left over')],
  ])('%s', (_, harm) => {
    stocked();
    const before = readFileSync(keyFile);
    harm();
    const { store, found, why } = open();
    expect(found).toBe('reset');
    expect(why).toMatch(/^\S.*\S$/);
    expect(store.oldest(10)).toEqual([]);
    worksOn(store);
    expect(readFileSync(keyFile)).not.toEqual(before);
    // Nothing is put aside, where an opt-out would not find it.
    expect(readdirSync(folder).toSorted()).toEqual(['epoch.key', 'records.db', 'records.db.room']);
  });

  test('nothing but a key, or an empty file, is a new store', () => {
    stocked();
    rmSync(file);
    const first = open();
    expect(first.found).toBe('new');
    first.store.close();
    writeFileSync(file, '');
    const second = open();
    expect(second.found).toBe('new');
    worksOn(second.store);
  });

  test('a log of another database, put beside this one, shows no record that was not given', () => {
    const other = join(folder, 'other');
    mkdirSync(other);
    const elsewhere = openRecordStore({
      file: join(other, 'records.db'),
      keyFile: join(other, 'epoch.key'),
      limits,
    }).store;
    elsewhere.append(someRecords(200, 5000));
    copyFileSync(join(other, 'records.db-wal'), join(folder, 'stale'));
    elsewhere.close();
    stocked();
    copyFileSync(join(folder, 'stale'), `${file}-wal`);
    const { store } = open();
    for (const { line } of store.oldest(1000)) expect(given).toContain(text(line));
    worksOn(store);
  });

  test('damage found while working: it is erased, told, and the call succeeds all the same', () => {
    const told: AgentError[] = [];
    const { store } = openRecordStore({ file, keyFile, limits, onReset: (e) => told.push(e) });
    store.append(someRecords(300));
    store.runDays.write(20_001);
    // Overwriting leaves no page in memory: what is read next comes from the disk, and is noise.
    store.forget(store.oldest(1).map(({ id }) => id));
    const bytes = readFileSync(file);
    bytes.set(seededChance('noise')(bytes.length - 4096), 4096);
    writeFileSync(file, bytes);
    expect(store.oldest(1000)).toEqual([]);
    expect(told).toMatchObject([{ code: 'STORE_CORRUPT' }]);
    expect(store.runDays.read()).toBe(20_001);
    worksOn(store);
    expect(open().store.runDays.read()).toBe(20_001);
  });

  test('a row that does not open is removed and counted; the others are given', () => {
    stocked();
    change('UPDATE record SET sealed = zeroblob(100) WHERE id % 10 = 0');
    change('UPDATE record SET collected_wall_ms = collected_wall_ms + 1 WHERE id % 10 = 1');
    const { store, found } = open();
    expect(found).toBe('as left');
    expect(store.counts()).toMatchObject({ records: 300, unreadable: 0 });
    expect(store.oldest(1000)).toHaveLength(240);
    expect(store.counts()).toMatchObject({ records: 240, unreadable: 60 });
    worksOn(store);
  });
});

describe('a store of 120 records, damaged', () => {
  const flips = 1000;
  let whole: Buffer;
  let key: Buffer;
  beforeEach(() => {
    stocked(120);
    whole = readFileSync(file);
    key = readFileSync(keyFile);
  });

  test('cut off at any 4 KiB, it is erased, and recording goes on', () => {
    for (let size = 0; size < whole.length; size += 4096) {
      expect(outcome(whole.subarray(0, size)), `${size} bytes`).toMatchObject({
        found: size === 0 ? 'new' : 'reset',
        records: 0,
      });
    }
    expect(outcome(whole)).toMatchObject({ found: 'as left', records: 120 });
  });

  test('with any bit flipped it opens, shows no wrong record, and recording goes on', () => {
    const draw = seededChance('flips');
    const kinds = new Map<string, number>();
    for (let n = 0; n < flips; n++) {
      const bit = Buffer.from(draw(4)).readUInt32BE() % (whole.length * 8);
      const flipped = Buffer.from(whole);
      flipped.writeUInt8((flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7)), bit >> 3);
      const { found, records, resets } = outcome(flipped);
      const kind =
        resets > 0 ? 'reset while working' : `${found} ${records === 120 ? 'whole' : 'less'}`;
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    // All happen: free space hit, a row hit, a page hit.
    expect(kinds.get('as left whole')).toBeGreaterThan(flips / 50);
    expect(kinds.get('as left less')).toBeGreaterThan(flips / 4);
    expect(kinds.get('reset less')).toBeGreaterThan(flips / 100);
  });

  /** What opening these bytes comes to; fails unless the store works afterwards. */
  function outcome(bytes: Uint8Array) {
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
    writeFileSync(file, bytes, { mode: 0o600 });
    writeFileSync(keyFile, key, { mode: 0o600 });
    let resets = 0;
    const { store, found } = openRecordStore({ file, keyFile, limits, onReset: () => resets++ });
    const records = store.oldest(1000);
    for (const { line } of records) if (!given.has(text(line))) expect.fail('a wrong record');
    store.purge(() => false);
    worksOn(store);
    return { found, records: records.length, resets };
  }
});

test('S0-7 killed at any moment, what it has said is there, in whole groups, and it goes on', async () => {
  const loop = fileURLToPath(new URL('../../test/fakes/record-loop.ts', import.meta.url));
  const draw = seededChance('kills');
  let first = 0;
  let kills = 0;
  while (kills < 15) {
    const child = spawn(process.execPath, [loop, file, keyFile, `${first}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const wanted = 2 + ((draw(1)[0] ?? 0) % 12);
    const delayMs = (draw(1)[0] ?? 0) % 25;
    let output = '';
    child.stdout.on('data', (said) => {
      output += said;
      if (output.split('\n').length > wanted) setTimeout(() => child.kill('SIGKILL'), delayMs);
    });
    await once(child, 'close');
    kills++;
    const [opened, ...groups] = output.split('\n').filter(Boolean);
    expect(opened).toBe(first === 0 ? 'new' : 'as left');
    const last = Number(groups.at(-1));
    const { store, found } = openRecordStore({ file, keyFile, limits });
    expect(found).toBe('as left');
    const lines = store.oldest(1000).map(({ line }) => text(line));
    const newest = lines.at(-1) === text(someRecord(last * 10 + 19).line) ? last + 1 : last;
    const expected = someRecords(lines.length, (newest + 1) * 10 - lines.length);
    expect(lines).toEqual(expected.map(({ line }) => text(line)));
    expect(store.counts().unreadable).toBe(0);
    store.close();
    first = newest + 1;
  }
  expect(first).toBeGreaterThan(kills);
});

test('a process that died between deleting and overwriting: the next start overwrites', () => {
  const { store } = open();
  store.append(someRecords(20));
  const nonces = noncesIn();
  // What a kill right after the deletion leaves.
  const crashed = memoryFolder();
  const db = new Database(copied(crashed));
  db.pragma('secure_delete = ON');
  db.exec('DELETE FROM record');
  for (const suffix of ['', '-wal'])
    copyFileSync(join(crashed, `records.db${suffix}`), join(crashed, `left${suffix}`));
  db.close();
  const left = join(crashed, 'left');
  const leftIn = (path: string) =>
    nonces.filter((nonce) => readFileSync(path).includes(nonce)).length;
  expect(leftIn(`${left}-wal`)).toBe(20);
  copyFileSync(keyFile, join(crashed, 'epoch.key'));
  const after = openRecordStore({ file: left, keyFile: join(crashed, 'epoch.key'), limits });
  expect(after.found).toBe('as left');
  expect([leftIn(left), leftIn(`${left}-wal`)]).toEqual([0, 0]);
  after.store.close();
  store.close();
});

/** The first bytes of each sealed row, by which it is known in raw files. */
function noncesIn(): Buffer[] {
  const db = new Database(copied(memoryFolder()), { readonly: false });
  const sealed = db.prepare<[], unknown>('SELECT sealed FROM record').pluck().all();
  db.close();
  return sealed.flatMap((bytes) => (Buffer.isBuffer(bytes) ? [bytes.subarray(0, 12)] : []));
}

/** A database that is open can be looked at in a copy only. */
function copied(to: string): string {
  for (const suffix of ['', '-wal']) {
    if (existsSync(file + suffix)) copyFileSync(file + suffix, join(to, `records.db${suffix}`));
  }
  return join(to, 'records.db');
}

function stocked(records = 300): void {
  const { store } = open();
  store.append(someRecords(records));
  store.close();
}

function change(sql: string): void {
  const db = new Database(file);
  db.exec(sql);
  db.close();
}

function worksOn(store: ReturnType<typeof open>['store']): void {
  store.append([someRecord(299)]);
  expect(text(store.oldest(10_000).at(-1)?.line)).toBe(text(someRecord(299).line));
  store.forget(store.oldest(10_000).map(({ id }) => id));
  expect(store.counts().records).toBe(0);
  store.close();
}

function text(line: Uint8Array | undefined): string {
  return Buffer.from(line ?? []).toString();
}
