import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readCsv } from '../files/csv-file.ts';
import { writeScoreFile } from './score-file.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scores-'));
});
afterEach(() => rm(folder, { recursive: true }));

const path = () => join(folder, 'scores.csv');

test('scores keep all their digits, names any character, and what was not compared stays empty', async () => {
  const rows = [
    ['a, b.jpg', '"x"\n.jpg', true, 0.1 + 0.2],
    ['c.jpg', 'd.jpg', false, Number.NaN],
    ['e.jpg', null, undefined, -1e-7],
  ];
  await writeScoreFile(path(), ['probe', 'reference', 'same', 'cosine'], rows);
  const read: (readonly string[])[] = [];
  for await (const { fields } of readCsv(path())) read.push(fields);
  expect(read).toEqual([
    ['probe', 'reference', 'same', 'cosine'],
    ['a, b.jpg', '"x"\n.jpg', '1', '0.30000000000000004'],
    ['c.jpg', 'd.jpg', '0', ''],
    ['e.jpg', '', '', '-1e-7'],
  ]);
});

test('scores tell who resembles whom: only the owner may read them', async () => {
  await writeScoreFile(path(), ['a'], []);
  expect((await stat(path())).mode & 0o777).toBe(0o600);
});

test('a long list is written whole', async () => {
  const rows = Array.from({ length: 50_000 }, (_, i) => [`picture ${i}.jpg`, i]);
  await writeScoreFile(path(), ['picture', 'score'], rows);
  const lines = (await readFile(path(), 'utf8')).split('\n');
  expect(lines).toHaveLength(50_002);
  expect(lines[50_000]).toBe('picture 49999.jpg,49999');
});

test('when the rows break off, the older file stays as it was, and nothing else is left', async () => {
  await writeFile(path(), 'old');
  function* rows() {
    yield ['x'.repeat(300_000)];
    throw new Error('the power went');
  }
  await expect(writeScoreFile(path(), ['a'], rows())).rejects.toMatchObject({
    code: 'STORE_FAILED',
  });
  expect(await readFile(path(), 'utf8')).toBe('old');
  expect(await readdir(folder)).toEqual(['scores.csv']);
});

test('a folder that is not there is named', async () => {
  const target = join(folder, 'none', 'scores.csv');
  await expect(writeScoreFile(target, ['a'], [])).rejects.toMatchObject({
    code: 'STORE_FAILED',
    message: `${target}: cannot be written (ENOENT)`,
  });
});
