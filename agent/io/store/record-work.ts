import { AgentError } from '../../errors.ts';
import type { Collected, NewRecord, StoredRecord } from '../../ports.ts';
import type { SpareRoom } from '../files/spare-room.ts';
import type { ByteBudget, RecordLimits } from './record-database.ts';
import { incomingOf, rowsToEvict, sealed } from './record-eviction.ts';
import type { OpenRecords } from './record-opening.ts';
import { openLine } from './record-seal.ts';

/** What the operations of a record store work on. */
export type RecordWork = OpenRecords & {
  readonly limits: RecordLimits;
  readonly budget: ByteBudget;
  readonly room: SpareRoom;
  readonly state: {
    /** Counted so far; the disk may be behind. */
    runDays: number;
    /** False: the -wal may still hold rows that were deleted. */
    isScrubbed: boolean;
  };
};

/** Rows whose stamps are looked at in one go. */
const pageRows = 2048;

/** What deleting them writes fits into the spare room. */
const fewRows = 64;

/** Beyond a limit that was lowered, so many more rows than come in give way to an append. */
const rowsPerAppend = 256;

/** Of rows beyond a limit that was lowered: a purge takes no longer than its caller can wait. */
const slicesPerPurge = 8;

const beforeAll = Number.MIN_SAFE_INTEGER;

/**
 * In one transaction; returns how many gave way, those of `records` that never went in included. On a full disk
 * more of the oldest go.
 */
export function appendRecords(work: RecordWork, records: readonly NewRecord[]): number {
  try {
    return insert(work, records);
  } catch (full) {
    if (!isFull(full)) throw full;
    const evicted = giveWay(work, 2 * records.length);
    if (evicted === 0) throw full;
    return evicted + insert(work, records);
  }
}

function insert(work: RecordWork, records: readonly NewRecord[]): number {
  const incoming = incomingOf(records, work.limits, work.budget);
  const { query, sqlite } = work.database;
  return sqlite.transaction(() => {
    const most = incoming.records.length + rowsPerAppend;
    const excess = rowsToEvict(query, incoming, work.limits, work.budget, most);
    if (excess > 0) {
      query.removeOldest(excess);
      work.state.isScrubbed = false;
    }
    for (const row of sealed(incoming.records, query.lastId() + 1, work.key)) query.insert(row);
    const evicted = excess + incoming.leftOut;
    putMeta(work, { evicted });
    return evicted;
  });
}

/**
 * The oldest go so that new ones take their pages; until the next purge the database grows no more, because
 * pages that are only in the -wal are in the way of overwriting it. Returns how many went.
 */
function giveWay(work: RecordWork, rows: number): number {
  const { query, sqlite } = work.database;
  let evicted = 0;
  const deletion = () => {
    evicted = query.removeOldest(rows);
    putMeta(work, { evicted });
  };
  onFullDisk(work, () => {
    work.state.isScrubbed = sqlite.erase([deletion]);
  });
  sqlite.run(() => query.limitSize());
  return evicted;
}

/** Does it again with the spare room where there is none other; `rows`: how many to delete at once. */
function onFullDisk(work: RecordWork, erase: (rows: number) => void): void {
  try {
    erase(work.budget.sliceRows);
  } catch (full) {
    if (!isFull(full) || !work.room.release()) throw full;
    erase(fewRows);
  }
}

function isFull(error: unknown): boolean {
  return error instanceof AgentError && error.code === 'STORE_FULL';
}

export function oldestRecords(work: RecordWork, most: number): readonly StoredRecord[] {
  const { query, sqlite } = work.database;
  const found: StoredRecord[] = [];
  const unreadable: number[] = [];
  for (let after = beforeAll; found.length < most; ) {
    const rows = sqlite.run(() => query.rowsAfter(after, most - found.length));
    for (const { sealed: bytes, ...row } of rows) {
      const line = openLine(work.key, bytes, row);
      if (line) found.push({ ...row, line });
      else unreadable.push(row.id);
    }
    const last = rows.at(-1);
    if (!last) break;
    after = last.id;
  }
  eraseRecords(work, unreadable, 'unreadable');
  return found;
}

/** Those that are there, overwritten in every file. */
export function eraseRecords(
  work: RecordWork,
  ids: readonly number[],
  why: 'unreadable' | 'no longer needed',
): void {
  const { query, sqlite } = work.database;
  onFullDisk(work, (rows) => {
    const there = sqlite.run(() => ids.filter(query.has));
    if (there.length === 0) return;
    const deletions = slices(there, rows).map((slice) => () => {
      slice.forEach(query.remove);
      putMeta(work, { unreadable: why === 'unreadable' ? slice.length : 0 });
    });
    work.state.isScrubbed = sqlite.erase(deletions);
  });
}

function slices<T>(all: readonly T[], length: number): readonly (readonly T[])[] {
  const count = Math.ceil(all.length / length);
  return Array.from({ length: count }, (_, n) => all.slice(n * length, (n + 1) * length));
}

/** Reads the stamps only: no row is opened. Returns how many were too old. */
export function purgeRecords(
  work: RecordWork,
  isExpired: (collected: Collected) => boolean,
): number {
  const { query, sqlite } = work.database;
  const expired: number[] = [];
  for (let after = beforeAll; ; ) {
    const rows = sqlite.run(() => query.stampsAfter(after, pageRows));
    for (const { id, collected } of rows) if (isExpired(collected)) expired.push(id);
    const last = rows.at(-1);
    if (!last) break;
    after = last.id;
  }
  eraseRecords(work, expired, 'no longer needed');
  trim(work);
  if (!work.state.isScrubbed) work.state.isScrubbed = sqlite.scrub('at once');
  sqlite.run(() => query.limitSize(work.budget.databaseBytes));
  work.room.reserve();
  return expired.length;
}

/** Writes the count of days, and nothing if the disk has it. */
export function putMeta(
  { database: { query }, state: { runDays } }: RecordWork,
  added: { readonly evicted?: number; readonly unreadable?: number } = {},
): void {
  const known = query.meta();
  const { evicted = 0, unreadable = 0 } = added;
  if (evicted === 0 && unreadable === 0 && known.runDays === runDays) return;
  query.putMeta({
    evicted: known.evicted + evicted,
    unreadable: known.unreadable + unreadable,
    runDays,
  });
}

function trim(work: RecordWork): void {
  const { query, sqlite } = work.database;
  const nothing = incomingOf([], work.limits, work.budget);
  const { sliceRows } = work.budget;
  const excess = () => rowsToEvict(query, nothing, work.limits, work.budget, sliceRows);
  if (sqlite.run(excess) === 0) return;
  const deletion = () => putMeta(work, { evicted: query.removeOldest(excess()) });
  work.state.isScrubbed = sqlite.erase(Array.from({ length: slicesPerPurge }, () => deletion));
}

/** The day of the oldest row; null: there is none. */
export function oldestWallMs({ database: { query, sqlite } }: RecordWork): number | null {
  return sqlite.run(() => query.stampsAfter(beforeAll, 1))[0]?.collected.wallMs ?? null;
}
