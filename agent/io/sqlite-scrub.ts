import { closeSync, fdatasyncSync, fstatSync, fsyncSync, openSync, writeSync } from 'node:fs';
import type Database from 'better-sqlite3';
import { systemCode } from './file-fault.ts';

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
export function scrub(db: Database.Database): boolean {
  try {
    const before = dataVersion(db);
    const checkpoint = db.prepare<[], { busy: number }>('PRAGMA wal_checkpoint(RESTART)').get();
    if (checkpoint?.busy !== 0) return false;
    db.exec('BEGIN IMMEDIATE');
    try {
      if (dataVersion(db) !== before) return false;
      zeroFill(`${db.name}-wal`);
      return true;
    } finally {
      db.exec('ROLLBACK');
    }
  } catch (error) {
    if (systemCode(error) === 'SQLITE_BUSY' || systemCode(error) === 'SQLITE_FULL') return false;
    throw error;
  }
}

/** Changes when another connection has committed. */
function dataVersion(db: Database.Database): number {
  return Number(db.pragma('data_version', { simple: true }));
}

const chunk = new Uint8Array(64 * 1024);

/** The header first, and onto the disk: with it gone a half-overwritten -wal is an empty one, not an old one. */
function zeroFill(file: string): void {
  const fd = openSync(file, 'r+');
  try {
    const { size } = fstatSync(fd);
    if (size === 0) return;
    let at = writeSync(fd, chunk, 0, Math.min(4096, size), 0);
    fdatasyncSync(fd);
    while (at < size) at += writeSync(fd, chunk, 0, Math.min(chunk.length, size - at), at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
