import { closeSync, existsSync, fsyncSync, openSync } from 'node:fs';
import type { RecordLimits } from '../../io/store/record-database.ts';
import { openRecordStore } from '../../io/store/record-store.ts';
import type { NewRecord, RecordStore } from '../../ports.ts';
import { someRecord } from './some-record.ts';

export type Habit = 'sent every night' | 'never sent';

const groupRecords = 42;
const groupsPerDay = 24;

/**
 * Days of a door with 1,000 records each, in groups of an hour, on a real store; what the meters count while
 * `measuredDays` of them pass, the appending and the overwriting. After each group all files are synced, as
 * the kernel does of itself in an hour.
 */
export function recordDays(options: {
  readonly file: string;
  readonly keyFile: string;
  readonly limits: RecordLimits;
  readonly habit: Habit;
  readonly warmUpDays: number;
  readonly measuredDays: number;
  /** Each: bytes so far. */
  readonly meters: readonly (() => number)[];
}): {
  readonly records: number;
  readonly recordBytes: number;
  /** By each meter. */
  readonly written: readonly number[];
} {
  const { file, habit, warmUpDays, measuredDays, meters } = options;
  const { store } = openRecordStore(options);
  const read = () => meters.map((meter) => meter());
  let before: readonly number[] = [];
  let [records, recordBytes] = [0, 0];
  for (let day = 0; day < warmUpDays + measuredDays; day++) {
    if (day === warmUpDays) before = read();
    for (let hour = 0; hour < groupsPerDay; hour++) {
      const group = groupOf(day, hour);
      store.append(group);
      store.runDays.write(day + hour / groupsPerDay);
      settle(file);
      if (day < warmUpDays) continue;
      records += group.length;
      recordBytes += group.reduce((sum, { line }) => sum + line.length, 0);
    }
    night(store, habit, day);
    settle(file);
  }
  const written = read().map((bytes, n) => bytes - (before[n] ?? 0));
  store.close();
  return { records, recordBytes, written };
}

function groupOf(day: number, hour: number): readonly NewRecord[] {
  return Array.from({ length: groupRecords }, (_, n) =>
    someRecord((day * groupsPerDay + hour) * groupRecords + n, day + hour / groupsPerDay),
  );
}

/** What was sent is forgotten, in the two age classes that a night has; what is a month old goes. */
function night(store: RecordStore, habit: Habit, day: number): void {
  if (habit === 'sent every night') {
    const ids = store.oldest(5000).map(({ id }) => id);
    store.forget(ids.slice(0, 200));
    store.forget(ids.slice(200));
  }
  store.purge(({ runDay }) => runDay < day - 29);
}

function settle(file: string): void {
  for (const path of [file, `${file}-wal`, `${file}-shm`].filter(existsSync)) {
    const fd = openSync(path, 'r+');
    fsyncSync(fd);
    closeSync(fd);
  }
}
