import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readPairs } from './pairs-file.ts';

let folder = '';
let list = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pairs-'));
  list = join(folder, 'pairs.csv');
  await mkdir(join(folder, 'ann'));
  for (const name of ['ann/1.jpg', 'ann/2, old.jpg', 'bob.jpg']) {
    await writeFile(join(folder, name), '');
  }
});
afterAll(() => rm(folder, { recursive: true }));

const read = async (text: string) => {
  await writeFile(list, text);
  return readPairs(list);
};

test('pictures stand relative to the list, and a header may be there or not', async () => {
  const pair = {
    probe: join(folder, 'ann/1.jpg'),
    reference: join(folder, 'ann/2, old.jpg'),
    same: true,
    fold: undefined,
  };
  expect(await read('ann/1.jpg,"ann/2, old.jpg",1\n')).toEqual([pair]);
  expect(await read('A,B,Same\nann/1.jpg,"ann/2, old.jpg",1\n')).toEqual([pair]);
});

test('the fourth column is the fold', async () => {
  const pairs = await read('a,b,same,fold\nann/1.jpg,bob.jpg,0,3\nbob.jpg,ann/1.jpg, 0 , 10\n');
  expect(pairs.map(({ same, fold }) => [same, fold])).toEqual([
    [false, 3],
    [false, 10],
  ]);
});

test('every bad line is named, in order, and a missing picture with its line', async () => {
  const text = [
    'ann/1.jpg,bob.jpg,2',
    'ann/1.jpg,bob.jpg',
    'ann/1.jpg,bob.jpg,1,1',
    'ann/1.jpg,gone.jpg,0,1',
    'ann/1.jpg,bob.jpg,0',
    ',bob.jpg,0,1',
    'ann/1.jpg,bob.jpg,0,one',
    'gone.jpg,bob.jpg,0,1',
    'ann,bob.jpg,0,1',
  ].join('\n');
  await expect(read(text)).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: [
      `${list}: line 1: "same" is 0 or 1, not "2"`,
      'line 2: 2 columns instead of a,b,same or a,b,same,fold',
      'line 4: there is no picture gone.jpg',
      'line 5: the fold is missing',
      'line 6: the name of a picture is empty',
      'line 7: the fold is a whole number, not "one"',
      'line 9: there is no picture ann',
    ].join('; '),
  });
});

test('where only pictures are missing, that is what is said; of many faults the first twenty are named', async () => {
  await expect(read('ann/1.jpg,gone.jpg,0\n')).rejects.toMatchObject({ code: 'INPUT_MISSING' });
  const error = await read('x,y\n'.repeat(50)).catch((cause: Error) => cause);
  if (!(error instanceof Error)) expect.fail('was accepted');
  expect(error.message).toMatch(/; line 20: .*; and 30 more$/);
  expect(error.message).not.toContain('\n');
});

test('a fold after rows without one is a bad line', async () => {
  await expect(read('ann/1.jpg,bob.jpg,0\nann/1.jpg,bob.jpg,0,1\n')).rejects.toThrow(
    'line 2: a fold, but the rows before have none',
  );
});

test('a list without a pair is refused', async () => {
  await expect(read('a,b,same\n')).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: `${list}: there is no pair in it`,
  });
});
