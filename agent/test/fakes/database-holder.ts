/** Another process at a database: begins to read or to write it, and lets go. See stepping-child.ts. */
import Database from 'better-sqlite3';
import { systemCode } from '../../io/files/file-fault.ts';

const db = new Database(process.argv[2], { timeout: 0 });
const steps: Record<string, () => void> = {
  read() {
    db.exec('BEGIN');
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
  },
  write: () => db.exec('BEGIN IMMEDIATE'),
  close: () => db.close(),
};

process.on('message', (name) => {
  try {
    steps[String(name)]?.();
    process.send?.('done');
  } catch (error) {
    process.send?.(systemCode(error));
  }
});
process.send?.('ready');
