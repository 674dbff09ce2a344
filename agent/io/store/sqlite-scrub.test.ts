import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { openPageGaps } from './sqlite-gaps.ts';
import { erase, scrub } from './sqlite-scrub.ts';

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

test.each([
  ['nothing', ''],
  ['one row', "DELETE FROM t WHERE x = 'old-1'"],
])('a deletion of %s overwrites what an earlier one left in the log', (_, sql) => {
  const folder = mkdtempSync(join(tmpdir(), 'doorkeep-scrub-'));
  const file = join(folder, 'a.db');
  const db = new Database(file);
  for (const pragma of ['locking_mode = EXCLUSIVE', 'cache_spill = OFF', 'secure_delete = ON']) {
    db.pragma(pragma);
  }
  db.pragma('journal_mode = WAL');
  db.exec('CREATE TABLE t (x)');
  const gaps = openPageGaps(file);
  scrub(db, gaps); // making a table leaves something in a gap, and then nothing of the log is kept
  db.exec("INSERT INTO t VALUES ('old-1'), ('old-2'), ('stays')");
  db.exec("DELETE FROM t WHERE x = 'old-2'");
  const leftIn = (path: string) =>
    ['old-1', 'old-2', 'stays'].filter((text) => readFileSync(path, 'latin1').includes(text));
  expect(leftIn(`${file}-wal`)).toEqual(['old-1', 'old-2', 'stays']);
  expect(erase(db, [() => db.exec(sql)], gaps)).toBe(true);
  expect(leftIn(file)).not.toContain('old-2');
  expect(leftIn(`${file}-wal`)).not.toContain('old-2');
  if (sql !== '') expect([...leftIn(file), ...leftIn(`${file}-wal`)]).not.toContain('old-1');
  expect(db.prepare('SELECT x FROM t').pluck().all().at(-1)).toBe('stays');
  db.close();
  gaps.close();
  rmSync(folder, { recursive: true });
});
