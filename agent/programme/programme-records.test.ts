import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { layoutOf } from '../io/process/environment.ts';
import type { RecordStore } from '../ports.ts';
import { programmeConfig } from '../test/fakes/programme-device.ts';
import { someRecords } from '../test/fakes/some-record.ts';
import { temporaryFolder } from '../test/fakes/temporary-folder.ts';
import { createProgrammeRecords } from './programme-records.ts';

function records(dataDir = join(temporaryFolder(), 'data')) {
  const world = { mayKeep: true };
  const opened: RecordStore[] = [];
  const made = createProgrammeRecords(
    { dataDir, config: programmeConfig },
    { mayKeep: () => world.mayKeep, onOpened: (store) => opened.push(store) },
  );
  return { records: made, world, opened, layout: layoutOf(dataDir), dataDir };
}

test('S0-1 S0-29 where nothing may lie nothing is made, by whatever is asked', () => {
  const { records: none, world, dataDir } = records();
  world.mayKeep = false;
  expect(none.counts()).toBeNull();
  expect(none.opened()).toBeUndefined();
  expect(() => none.store()).toThrow(/no record may be kept/);
  none.close();
  expect(existsSync(dataDir)).toBe(false);
});

test('who looks makes nothing, who records does; it is opened once, and again when it was closed', () => {
  const { records: some, opened, layout } = records();
  expect(some.counts()).toBeNull();
  expect(existsSync(layout.ueip)).toBe(false);
  some.store().append(someRecords(3));
  expect(some.counts()?.records).toBe(3);
  expect(opened).toEqual([some.store()]);
  some.close();
  expect(some.opened()).toBeUndefined();
  expect(some.counts()?.records).toBe(3);
  expect(opened).toHaveLength(2);
  some.close();
});

test('S0-29 what waits for its erasure is not opened any more, nor begun anew', () => {
  const { records: before, dataDir, layout } = records();
  before.store().append(someRecords(3));
  before.close();
  const { records: after, world } = records(dataDir);
  world.mayKeep = false;
  writeFileSync(layout.epochKey, new Uint8Array(32));
  expect(after.counts()).toBeNull();
  expect(after.opened()).toBeUndefined();
});

test('the one that is open when the consent ends can still be emptied', () => {
  const { records: some, world } = records();
  some.store().append(someRecords(3));
  world.mayKeep = false;
  expect(some.opened()?.purge(() => true)).toBe(3);
  some.close();
  expect(some.counts()).toBeNull();
});

test('what could not be used and was begun anew is counted', () => {
  const { records: before, dataDir, layout } = records();
  before.store().append(someRecords(3));
  before.close();
  writeFileSync(layout.records, 'no database');
  const { records: after } = records(dataDir);
  expect(after.counts()?.records).toBe(0);
  expect(after.resets).toBe(1);
  after.close();
});
