import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import type Database from 'better-sqlite3';
import { systemCode } from '../files/file-fault.ts';
import { clearFrameGaps, type PageGaps } from './sqlite-gaps.ts';

/**
 * Overwrites what deleted rows left in the files of an open WAL database. secure_delete has zeroed them
 * in the pages; here the pages go into the database file and the -wal, which still holds the old ones, is
 * filled with zeros in place (truncating it would leave them on the medium). False: another process is
 * reading or has just written, or the disk is too full to take the pages; nothing is lost, ask again.
 *
 * Safe for the others: after a RESTART checkpoint every reader reads the database file, and while the write
 * lock is held nobody appends to the -wal. The next writer begins it anew. A crash in between finds an
 * invalid header, that is an empty -wal, and a complete database file.
 */
export function scrub(db: Database.Database, gaps?: PageGaps): boolean {
  return unlessBusy(() => {
    const before = dataVersion(db);
    return checkpointed(db) !== undefined && overwritten(db, before, 0, gaps);
  });
}

/**
 * Transactions of deletions, and the same overwriting with fewer bytes: each is written over the beginning of
 * the -wal, and only what lies behind the last is filled with zeros. What is left in the -wal are the pages as
 * they are now. Whoever calls it has set cache_spill = OFF: a page that is written twice in one transaction
 * would leave what it held in between. False: deleted, but not overwritten; ask scrub() again later.
 */
export function erase(
  db: Database.Database,
  deletions: readonly (() => void)[],
  gaps: PageGaps,
): boolean {
  const before = dataVersion(db);
  let keptBytes = 0;
  let isScrubbed = true;
  for (const deletion of deletions) {
    const isRestarted = unlessBusy(() => checkpointed(db) !== undefined);
    const header = logHeader(db);
    db.transaction(deletion).immediate();
    isScrubbed = unlessBusy(() => {
      const frames = checkpointed(db);
      if (frames === undefined) return false;
      // The same header: nothing was written, and the frames that are counted are older ones.
      const isNew = isRestarted && !logHeader(db).equals(header);
      keptBytes = isNew ? logHeaderBytes + frames * (frameHeaderBytes + pageBytesOf(db)) : 0;
      return true;
    });
  }
  return isScrubbed && unlessBusy(() => overwritten(db, before, keptBytes, gaps));
}

/** https://www.sqlite.org/fileformat2.html#walformat */
const logHeaderBytes = 32;
const frameHeaderBytes = 24;

/** How many frames the -wal has, all of them in the database file now; undefined: others are reading it. */
function checkpointed(db: Database.Database): number | undefined {
  const found = db
    .prepare<[], { busy: number; log: number }>('PRAGMA wal_checkpoint(RESTART)')
    .get();
  return found?.busy === 0 ? found.log : undefined;
}

/** `before`: what dataVersion() said before the checkpoint. False: somebody has written since. */
function overwritten(
  db: Database.Database,
  before: number,
  keptBytes: number,
  gaps: PageGaps | undefined,
): boolean {
  db.exec('BEGIN IMMEDIATE');
  try {
    if (dataVersion(db) !== before) return false;
    gaps?.clear();
    zeroFill(`${db.name}-wal`, keptBytes, pageBytesOf(db));
    return true;
  } finally {
    db.exec('ROLLBACK');
    if (gaps) db.pragma('shrink_memory'); // the pages as they were
  }
}

function pageBytesOf(db: Database.Database): number {
  return Number(db.pragma('page_size', { simple: true }));
}

function unlessBusy(work: () => boolean): boolean {
  try {
    return work();
  } catch (error) {
    if (systemCode(error) === 'SQLITE_BUSY' || systemCode(error) === 'SQLITE_FULL') return false;
    throw error;
  }
}

/** Changes whenever the -wal is begun anew. */
function logHeader(db: Database.Database): Buffer {
  const header = Buffer.alloc(logHeaderBytes);
  const fd = openSync(`${db.name}-wal`, 'r');
  try {
    readSync(fd, header);
    return header;
  } finally {
    closeSync(fd);
  }
}

/** Changes when another connection has committed. */
function dataVersion(db: Database.Database): number {
  return Number(db.pragma('data_version', { simple: true }));
}

const chunkBytes = 64 * 1024;
const chunk = new Uint8Array(chunkBytes);
const zeros = new Uint8Array(chunkBytes);
/** What file systems read and write at once. */
const blockBytes = 4096;

/**
 * From `keptBytes` on; blocks that are zero already are not written, for the sake of the flash. Where nothing
 * is kept the header goes first, and onto the disk: with it gone a half-overwritten -wal is an empty one, not
 * an old one.
 */
function zeroFill(file: string, keptBytes: number, pageBytes: number): void {
  const fd = openSync(file, 'r+');
  try {
    const { size } = fstatSync(fd);
    if (keptBytes === 0 && zeroBlocks(fd, 0, Math.min(blockBytes, size))) fdatasyncSync(fd);
    if (zeroBlocks(fd, keptBytes, size)) fsyncSync(fd);
    clearFrameGaps(fd, pageBytes, keptBytes);
  } finally {
    chunk.fill(0);
    closeSync(fd);
  }
}

/** Returns whether anything had to be written. */
function zeroBlocks(fd: number, from: number, to: number): boolean {
  let hasWritten = false;
  for (let at = from; at < to; ) {
    const length = readSync(fd, chunk, 0, Math.min(chunkBytes - (at % blockBytes), to - at), at);
    if (length === 0) break;
    for (let start = 0; start < length; ) {
      const end = Math.min(length, start + blockBytes - ((at + start) % blockBytes));
      const isZero = Buffer.compare(chunk.subarray(start, end), zeros.subarray(start, end)) === 0;
      if (!isZero) {
        for (let done = start; done < end; ) {
          done += writeSync(fd, zeros, done, end - done, at + done);
        }
        hasWritten = true;
      }
      start = end;
    }
    at += length;
  }
  return hasWritten;
}
