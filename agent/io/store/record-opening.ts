import { randomInt } from 'node:crypto';
import { existsSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { AgentError } from '../../errors.ts';
import { eraseDatabase } from '../files/erase-files.ts';
import { fileFault } from '../files/file-fault.ts';
import { destroyKeyFile } from '../files/key-destruction.ts';
import { syncFolderNow } from '../files/overwrite-file.ts';
import { wipe } from '../process/secure-memory.ts';
import { createEpochKey, readEpochKey } from '../programme/epoch-key.ts';
import { openRecordDatabase, type RecordDatabase, type RecordLimits } from './record-database.ts';

export type RecordPlace = {
  readonly file: string;
  readonly keyFile: string;
  readonly limits: RecordLimits;
};

export type OpenRecords = {
  readonly database: RecordDatabase;
  /** In secure memory; wiped by whoever closes the database. */
  readonly key: Uint8Array;
};

export type FoundRecords =
  | (OpenRecords & { readonly found: 'as left' | 'new' })
  /** What was there could not be used and is erased, key and all. */
  | (OpenRecords & { readonly found: 'reset'; readonly why: string });

/**
 * Opens key and database, or begins anew. Records of the improvement programme are expendable, and nothing of
 * them may lie about where an opt-out does not reach: what cannot be used is erased and never put aside, also
 * when a newer doorkeep wrote it (after a step back to an older version: the newer one would lose its records
 * otherwise too, by the retention of a month; the older one cannot keep promises about rows it cannot read).
 * @throws KEY_INVALID STORE_READ_ONLY STORE_FULL STORE_FAILED: the volume does not let it be done, or another
 * process has the database open. Nothing was erased then that could have been used.
 */
export function openRecords(place: RecordPlace): FoundRecords {
  finishCompaction(place.file);
  const hasDatabase = sizeOf(place.file) > 0;
  const hasLog = existsSync(`${place.file}-wal`);
  const key = readEpochKey(place.keyFile);
  if (key.kind === 'unusable') return beginAnew(place, `the key file: ${key.why}`);
  if (key.kind === 'absent') {
    if (hasDatabase || hasLog) return beginAnew(place, 'the key file is missing');
    return { ...begin(place), found: 'new' };
  }
  if (hasLog && !hasDatabase) {
    wipe(key.bytes);
    return beginAnew(place, 'a write-ahead log without its database');
  }
  try {
    const database = openDatabase(place);
    return { database, key: key.bytes, found: hasDatabase ? 'as left' : 'new' };
  } catch (error) {
    wipe(key.bytes);
    if (!isUseless(error)) throw error;
    return beginAnew(place, error.message);
  }
}

/**
 * Erases key, then database, and opens new ones. The key first: with it gone nothing can be read any more of
 * what the rest may leave on the medium. Nobody may have the database open.
 */
export function beginAnew(place: RecordPlace, why: string): FoundRecords {
  destroyKeyFile(place.keyFile);
  eraseDatabase(place.file);
  return { ...begin(place), found: 'reset', why };
}

/** Where a compaction puts the new database until it takes the place of the old one. */
export function compactedFile(file: string): string {
  return `${file}.new`;
}

/** The old database is erased once the new one is whole: so whichever is alone is the right one. */
export function finishCompaction(file: string): void {
  const compacted = compactedFile(file);
  if (!existsSync(compacted)) return;
  if (existsSync(file)) {
    eraseDatabase(compacted);
    return;
  }
  try {
    renameSync(compacted, file);
    syncFolderNow(dirname(file));
  } catch (cause) {
    throw fileFault(cause, file);
  }
}

function begin(place: RecordPlace): OpenRecords {
  const key = createEpochKey(place.keyFile);
  try {
    return { database: openDatabase(place), key };
  } catch (error) {
    wipe(key);
    throw error;
  }
}

/**
 * The ids of a new database begin anywhere: a receipt that comes late for rows of the one before it must not
 * forget others. Looking at every page is left out where there are too many of them for a start within a second.
 */
function openDatabase({ file, limits }: RecordPlace): RecordDatabase {
  const database = openRecordDatabase(file, limits, sizeOf(file) <= 2 * limits.maxBytes);
  const { sqlite, query } = database;
  try {
    sqlite.transaction(() => {
      if (query.lastId() === 0) query.beginIds(randomInt(2 ** 34));
    });
    return database;
  } catch (error) {
    sqlite.close();
    throw error;
  }
}

function isUseless(error: unknown): error is AgentError {
  return (
    error instanceof AgentError && (error.code === 'STORE_CORRUPT' || error.code === 'STORE_NEWER')
  );
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
