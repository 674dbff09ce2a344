import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { scrub } from './sqlite-scrub.ts';

test('what another process commits right before the overwriting is not overwritten', () => {
  const folder = mkdtempSync(join(tmpdir(), 'doorkeep-scrub-'));
  const file = join(folder, 'a.db');
  const db = new Database(file);
  db.pragma('journal_mode = WAL');
  db.exec('CREATE TABLE t (x)');
  const other = new Database(file);
  const exec = db.exec.bind(db);
  db.exec = (sql: string) => {
    if (sql === 'BEGIN IMMEDIATE') other.exec('INSERT INTO t VALUES (1)');
    return exec(sql);
  };
  expect(scrub(db)).toBe(false);
  db.exec = exec;
  const crashed = join(folder, 'crashed.db');
  for (const suffix of ['', '-wal']) copyFileSync(file + suffix, crashed + suffix);
  const found = new Database(crashed);
  expect(found.prepare('SELECT count(*) FROM t').pluck().get()).toBe(1);
  expect(scrub(db)).toBe(true);
  for (const open of [found, other, db]) open.close();
  rmSync(folder, { recursive: true });
});
