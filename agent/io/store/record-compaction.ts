import { eraseDatabase } from '../files/erase-files.ts';
import { byteBudget, openRecordDatabase } from './record-database.ts';
import {
  compactedFile,
  finishCompaction,
  type OpenRecords,
  type RecordPlace,
} from './record-opening.ts';

const copiedRows = 1024;

/**
 * After a limit was lowered the rows fit, but a database keeps its free pages: the rows move, sealed as they
 * are, into a new one, and the old one is erased. Not VACUUM, which leaves copies of rows in the blocks it
 * gives back. Returns the database to go on with; false where there is nothing to be done. A power cut in
 * between leaves the old one or the new one.
 * @throws as openSqlite; the old database is then still open
 */
export function compactRecords(open: OpenRecords, { file, limits }: RecordPlace): boolean {
  const { sqlite, query } = open.database;
  const { databaseBytes } = byteBudget(limits);
  const [size, used] = sqlite.run(() => [query.sizeBytes(), query.usedBytes()] as const);
  if (size <= databaseBytes || used > databaseBytes) return false;
  const target = compactedFile(file);
  eraseDatabase(target);
  try {
    copy(open, target, limits);
  } catch (error) {
    eraseDatabase(target);
    throw error;
  }
  sqlite.close();
  eraseDatabase(file);
  finishCompaction(file);
  return true;
}

function copy({ database }: OpenRecords, target: string, limits: RecordPlace['limits']): void {
  const { sqlite, query } = database;
  const to = openRecordDatabase(target, limits, true);
  try {
    for (let after = Number.MIN_SAFE_INTEGER; ; ) {
      const rows = sqlite.run(() => query.rowsAfter(after, copiedRows));
      const last = rows.at(-1);
      if (!last) break;
      to.sqlite.transaction(() => rows.forEach(to.query.insert));
      after = last.id;
    }
    to.sqlite.transaction(() => {
      to.query.beginIds(sqlite.run(query.lastId));
      to.query.putMeta(sqlite.run(query.meta));
    });
  } finally {
    to.sqlite.close();
  }
}
