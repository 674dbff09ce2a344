import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { readPairs } from '../../agent/io/measuring/pairs-file.ts';
import { parseLfwPairs } from './lfw-pairs.ts';

const twoFolds = [
  '2\t1',
  'Ann_Lee\t1\t12',
  'Ann_Lee\t3\tBob\t4',
  'Cid\t1\t2',
  'Cid\t1\tDan\t1234',
].join('\n');

test('names and numbers become files, and each block of same and different pairs a fold', () => {
  expect(parseLfwPairs(twoFolds)).toEqual([
    { a: 'Ann_Lee/Ann_Lee_0001.jpg', b: 'Ann_Lee/Ann_Lee_0012.jpg', same: true, fold: 1 },
    { a: 'Ann_Lee/Ann_Lee_0003.jpg', b: 'Bob/Bob_0004.jpg', same: false, fold: 1 },
    { a: 'Cid/Cid_0001.jpg', b: 'Cid/Cid_0002.jpg', same: true, fold: 2 },
    { a: 'Cid/Cid_0001.jpg', b: 'Dan/Dan_1234.jpg', same: false, fold: 2 },
  ]);
});

test.each([
  ['a wrong head', 'two 1\n', 'line 1: not "<folds> <pairs>"'],
  ['a missing pair', twoFolds.split('\n').slice(0, 4).join('\n'), '3 pairs instead of 2 x 1 x 2'],
  ['a pair of two persons among those of one', twoFolds.replace('1\t12', '1\tBob\t2'), 'line 2'],
  ['an image without a number', twoFolds.replace('Dan\t1234', 'Dan\tx'), 'line 5: x is no image'],
])('%s is refused', (_, text, message) => {
  expect(() => parseLfwPairs(text)).toThrow(message);
});

test('the list it writes is one that the evaluation reads', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lfw-'));
  try {
    const images = join(folder, 'images');
    for (const { a, b } of parseLfwPairs(twoFolds)) {
      for (const name of [a, b]) {
        await mkdir(join(images, name, '..'), { recursive: true });
        await writeFile(join(images, name), '');
      }
    }
    await writeFile(join(folder, 'pairs.txt'), twoFolds);
    await mkdir(join(folder, 'out'));
    const script = fileURLToPath(new URL('lfw-pairs.ts', import.meta.url));
    const out = join(folder, 'out', 'pairs.csv');
    const { stdout } = await promisify(execFile)(process.execPath, [
      script,
      join(folder, 'pairs.txt'),
      images,
      out,
    ]);
    expect(stdout).toBe(`4 pairs in ${out}\n`);
    const pairs = await readPairs(out);
    expect(pairs).toHaveLength(4);
    expect(pairs[1]).toEqual({
      probe: join(images, 'Ann_Lee/Ann_Lee_0003.jpg'),
      reference: join(images, 'Bob/Bob_0004.jpg'),
      same: false,
      fold: 1,
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});
