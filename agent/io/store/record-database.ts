import type Database from 'better-sqlite3';
import type { Collected } from '../../ports.ts';
import { createTableSql } from '../../ueip/store-columns.ts';
import { bytes, text, whole } from './gallery-rows.ts';
import { damage, fitting, openSqlite, type SqliteSchema } from './sqlite.ts';

export type RecordLimits = {
  readonly maxRecords: number;
  /** Database and -wal together. */
  readonly maxBytes: number;
  /** For scripts/bench/flash.ts, which found the presets. */
  readonly pageSizeBytes?: number;
  readonly logBytes?: number;
};

/** A row as it is kept: everything but the line is open. */
export type RecordRow = {
  readonly id: number;
  readonly epoch: number;
  readonly policyVersion: string;
  readonly collected: Collected;
  readonly sealed: Uint8Array;
};

/** What is kept about the store itself. */
export type RecordMeta = {
  readonly evicted: number;
  readonly unreadable: number;
  readonly runDays: number;
};

/** How the limit on bytes is divided. */
export type ByteBudget = {
  readonly databaseBytes: number;
  /** The -wal goes into the database when it has grown to this. */
  readonly logBytes: number;
  /** Kept on the disk for deletions when it is full. */
  readonly spareBytes: number;
  /** Rows deleted in one transaction: what it writes fits into what is reserved for the log. */
  readonly sliceRows: number;
};

export type RecordDatabase = ReturnType<typeof openRecordDatabase>;

/** No index but the rowid: entries of an index stay behind where secure_delete does not reach (gallery-store.ts). */
const schema: SqliteSchema = {
  applicationId: 0x75_65_69_70,
  migrations: [
    `${createTableSql}
     CREATE TABLE store (
       one INTEGER PRIMARY KEY CHECK (one = 1),
       evicted INTEGER NOT NULL,
       unreadable INTEGER NOT NULL,
       run_days REAL NOT NULL
     ) STRICT;
     INSERT INTO store VALUES (1, 0, 0, 0);`,
  ],
};

/**
 * Small pages, because a group of an hour is 5 KiB and the first page, the root and the last leaf are written
 * anew with each; a log of several hours, because each of its checkpoints writes them once more.
 */
const presets = { pageSizeBytes: 1024, logBytes: 128 * 1024 };

/** About what a row takes of a page. */
const rowBytes = 220;

/**
 * An eighth of the limit is for the log: it grows to that when many rows are deleted at once, and is never cut
 * off (what is cut off cannot be overwritten).
 */
export function byteBudget({ maxBytes, logBytes = presets.logBytes }: RecordLimits): ByteBudget {
  const reservedBytes = Math.floor(maxBytes / 8);
  return {
    logBytes: Math.min(logBytes, reservedBytes),
    databaseBytes: maxBytes - reservedBytes,
    spareBytes: Math.min(2 * logBytes, reservedBytes),
    sliceRows: Math.floor(reservedBytes / rowBytes),
  };
}

/**
 * The tables in one SQLite file that nobody else can open meanwhile; a damaged file is left where it is.
 * @throws as openSqlite
 */
export function openRecordDatabase(file: string, limits: RecordLimits, checked: boolean) {
  const { databaseBytes, logBytes } = byteBudget(limits);
  const sqlite = openSqlite(
    {
      file,
      pageSizeBytes: limits.pageSizeBytes ?? presets.pageSizeBytes,
      checkpointBytes: logBytes,
      maxSizeBytes: databaseBytes,
      exclusive: true,
      checked,
      expendable: true,
    },
    schema,
  );
  try {
    const query = sqlite.run((db) => fitting(() => statements(db)));
    return { sqlite, query, isScrubbed: checked };
  } catch (error) {
    sqlite.close();
    throw error;
  }
}

/** Each throws what SQLite throws, and damage() where a value is not what was written. */
function statements(db: Database.Database) {
  const insert = db.prepare<[number, number, string, number, number, number, Uint8Array]>(
    `INSERT INTO record (id, epoch, policy_version, collected_wall_ms, clock_trusted, run_day, sealed)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const stamps = 'id, epoch, policy_version, collected_wall_ms, clock_trusted, run_day';
  const rowsAfter = db.prepare<[number, number], unknown>(
    `SELECT ${stamps}, sealed FROM record WHERE id > ? ORDER BY id LIMIT ?`,
  );
  const stampsAfter = db.prepare<[number, number], unknown>(
    `SELECT ${stamps} FROM record WHERE id > ? ORDER BY id LIMIT ?`,
  );
  const has = db.prepare<[number], unknown>('SELECT 1 FROM record WHERE id = ?').pluck();
  const remove = db.prepare<[number]>('DELETE FROM record WHERE id = ?');
  const removeOldest = db.prepare<[number]>(
    'DELETE FROM record WHERE id IN (SELECT id FROM record ORDER BY id LIMIT ?)',
  );
  const count = db.prepare<[], unknown>('SELECT count(*) FROM record').pluck();
  const lastId = db
    .prepare<[], unknown>("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'record'")
    .pluck();
  const forgetIds = db.prepare("DELETE FROM sqlite_sequence WHERE name = 'record'");
  const beginIds = db.prepare<[number]>("INSERT INTO sqlite_sequence VALUES ('record', ?)");
  const meta = db.prepare<[], unknown>('SELECT evicted, unreadable, run_days FROM store');
  const putMeta = db.prepare<[number, number, number]>(
    'UPDATE store SET evicted = ?, unreadable = ?, run_days = ?',
  );
  const pragma = (name: string) => toCount(db.pragma(name, { simple: true }));
  return {
    insert({ id, epoch, policyVersion, collected, sealed }: RecordRow): void {
      const { wallMs, clockTrusted, runDay } = collected;
      insert.run(id, epoch, policyVersion, wallMs, clockTrusted ? 1 : 0, runDay, sealed);
    },
    rowsAfter: (id: number, most: number) => rowsAfter.all(id, most).map(toRow),
    stampsAfter: (id: number, most: number) => stampsAfter.all(id, most).map(toStamps),
    has: (id: number) => has.get(id) !== undefined,
    remove: (id: number) => void remove.run(id),
    /** Returns how many. */
    removeOldest: (most: number) => removeOldest.run(most).changes,
    count: () => toCount(count.get()),
    lastId: () => toCount(lastId.get()),
    beginIds(after: number): void {
      forgetIds.run();
      beginIds.run(after);
    },
    meta: () => toMeta(meta.get()),
    putMeta: ({ evicted, unreadable, runDays }: RecordMeta) =>
      void putMeta.run(evicted, unreadable, runDays),
    /** Of the database, without its free pages. */
    usedBytes: () => (pragma('page_count') - pragma('freelist_count')) * pragma('page_size'),
    sizeBytes: () => pragma('page_count') * pragma('page_size'),
    /** From now on it grows no larger: to what it is, or to `bytes`. */
    limitSize: (bytes = 0) =>
      void pragma(`max_page_count = ${Math.max(1, Math.floor(bytes / pragma('page_size')))}`),
  };
}

// The tables are STRICT, so a value of another type was never written: a flipped bit has made it.

function toRow(row: unknown): RecordRow {
  return { ...toStamps(row), sealed: bytes(row, 'sealed') };
}

function toStamps(row: unknown): Omit<RecordRow, 'sealed'> {
  return {
    id: whole(row, 'id'),
    epoch: whole(row, 'epoch'),
    policyVersion: text(row, 'policy_version'),
    collected: {
      wallMs: whole(row, 'collected_wall_ms'),
      clockTrusted: whole(row, 'clock_trusted') === 1,
      runDay: finite(row, 'run_day'),
    },
  };
}

function toMeta(row: unknown): RecordMeta {
  return {
    evicted: whole(row, 'evicted'),
    unreadable: whole(row, 'unreadable'),
    runDays: finite(row, 'run_days'),
  };
}

function toCount(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw damage('a count is not what was written');
}

function finite(row: unknown, column: string): number {
  const found: unknown =
    typeof row === 'object' && row !== null
      ? Object.getOwnPropertyDescriptor(row, column)?.value
      : undefined;
  if (typeof found === 'number' && Number.isFinite(found)) return found;
  throw damage(`a value in column ${column} is not what was written`);
}
