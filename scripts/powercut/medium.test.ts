import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { seededChance } from '../../agent/io/process/seeded-chance.ts';
import { chooseCuts, cutModes, type Dice, diceOf } from './cuts.ts';
import { createMedium } from './medium.ts';
import { foundIn } from './raw-search.ts';
import { type LogEntry, readWriteLog } from './write-log.ts';

const folder = mkdtempSync(join(tmpdir(), 'doorkeep-'));
afterAll(() => rmSync(folder, { recursive: true }));

const write = (offset: number, byte: number, sectors = 1): LogEntry => ({
  ...{ kind: 'write', offset },
  data: Buffer.alloc(512 * sectors, byte),
});
const flush: LogEntry = { kind: 'flush' };
const always: Dice = () => 0;
const never: Dice = () => 1;

function mediumAfter(...entries: readonly LogEntry[]) {
  const medium = createMedium(Buffer.alloc(4096));
  for (const each of entries) medium.take(each);
  return medium;
}

test('what was flushed survives every cut; what was not, as the cut wants it', () => {
  const medium = mediumAfter(write(0, 1), flush, write(512, 2), write(0, 3));
  const first = (mode: 'all' | 'drop' | 'torn', dice: Dice) => {
    const left = medium.cut(mode, dice);
    return [left[0], left[512]];
  };
  expect(first('all', never)).toEqual([3, 2]);
  expect(first('drop', never)).toEqual([1, 0]);
  expect(first('drop', always)).toEqual([3, 2]);
  expect(first('torn', never)).toEqual([1, 0]);
});

test('a torn write leaves some of its sectors', () => {
  const medium = mediumAfter(write(1024, 9, 4));
  let thrown = 0;
  const left = medium.cut('torn', () => thrown++ % 2);
  expect([0, 1, 2, 3].map((sector) => left[1024 + 512 * sector])).toEqual([9, 0, 9, 0]);
});

test('a cut is a copy: the disk goes on, and its flush takes what the cut had lost', () => {
  const medium = mediumAfter(write(0, 1));
  expect(medium.cut('drop', never)[0]).toBe(0);
  medium.take(flush);
  expect(medium.cut('drop', never)[0]).toBe(1);
});

test('what is on the medium is not written again by a later cut', () => {
  const medium = mediumAfter(write(0, 1), flush, write(0, 2), flush);
  let thrown = 0;
  expect(medium.cut('drop', () => thrown++)[0]).toBe(2);
});

test('half of the cuts come right after an acknowledgement, and every kind of cut comes there', () => {
  const cuts = chooseCuts(1000, [100, 500], 300, diceOf(seededChance('cuts')));
  expect(cuts).toHaveLength(300);
  expect(cuts.map(({ at }) => at)).toEqual(cuts.map(({ at }) => at).toSorted((a, b) => a - b));
  const told = cuts.filter(({ at }) => at === 101 || at === 501);
  expect(told.length).toBeGreaterThanOrEqual(150);
  for (const mode of cutModes) {
    expect(told.filter((cut) => cut.mode === mode).length).toBeGreaterThanOrEqual(50);
    expect(cuts.filter((cut) => cut.mode === mode)).toHaveLength(100);
  }
  expect(cuts.every(({ at }) => at >= 0 && at <= 1000)).toBe(true);
});

test('where nothing was acknowledged cuts come anywhere', () => {
  const cuts = chooseCuts(10, [], 50, diceOf(seededChance('cuts')));
  expect(new Set(cuts.map(({ at }) => at)).size).toBeGreaterThan(5);
});

test('what is sought is found on the raw medium, across the border of blocks too, and only where it is', () => {
  const medium = Buffer.alloc(64 * 4096);
  const [here, across, nowhere] = ['a secret!', 'another secret', 'no secret at all'].map((text) =>
    Buffer.from(text),
  );
  if (!here || !across || !nowhere) throw new Error('three are needed');
  medium.set(here, 5 * 4096 + 77);
  medium.set(across, 9 * 4096 - 3);
  expect(foundIn(medium, [here, across, nowhere])).toEqual([5 * 4096 + 77, 9 * 4096 - 3]);
  expect(foundIn(Buffer.alloc(8192), [here])).toEqual([]);
});

/** As QEMU writes it: sectors of 512 bytes, numbers little-endian. */
function logFile(entries: readonly { sector: number; flags: number; data: Buffer }[]): string {
  const head = Buffer.alloc(512);
  head.writeBigUInt64LE(0x6a736677736872n, 0);
  head.writeBigUInt64LE(1n, 8);
  head.writeBigUInt64LE(BigInt(entries.length), 16);
  head.writeUInt32LE(512, 24);
  const parts = entries.flatMap(({ sector, flags, data }) => {
    const about = Buffer.alloc(512);
    about.writeBigUInt64LE(BigInt(sector), 0);
    about.writeBigUInt64LE(BigInt(data.length / 512), 8);
    about.writeBigUInt64LE(BigInt(flags), 16);
    return [about, data];
  });
  const file = join(folder, `${Math.max(0, entries.length)}.log`);
  writeFileSync(file, Buffer.concat([head, ...parts]));
  return file;
}

test('the log of a disk is read in its order: writes, flushes, and writes that wait for the medium', () => {
  const [one, two] = [Buffer.alloc(1024, 1), Buffer.alloc(512, 2)];
  const log = logFile([
    { sector: 8, flags: 0, data: one },
    { sector: 0, flags: 1, data: Buffer.alloc(0) },
    { sector: 2, flags: 2, data: two },
  ]);
  expect(readWriteLog(log)).toEqual([
    { kind: 'write', offset: 4096, data: one },
    { kind: 'flush' },
    { kind: 'write', offset: 1024, data: two },
    { kind: 'flush' },
  ]);
});

test('another file is no log, and one that ends too early is said to', () => {
  const other = join(folder, 'other');
  writeFileSync(other, Buffer.alloc(512));
  expect(() => readWriteLog(other)).toThrow('no log of writes');
  const log = logFile([{ sector: 0, flags: 0, data: Buffer.alloc(512) }]);
  writeFileSync(log, Buffer.from(new Uint8Array(1024)).fill(0));
  expect(() => readWriteLog(log)).toThrow('no log of writes');
});
