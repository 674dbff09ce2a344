import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { findDemoMaterial, materialOf, pickDemoFolder } from './demo-material.ts';

describe('the pictures of the demo are', () => {
  test.each([
    ['built-in', 'fixtures', 'shared', 'fixtures'],
    ['built-in', undefined, 'shared', 'shared'],
    ['another', 'fixtures', 'shared', 'shared'],
    ['another', 'fixtures', undefined, 'fixtures'],
    ['another', undefined, undefined, undefined],
  ] as const)(
    'recogniser %s, %s here and %s beside it: %s',
    (recogniser, embedded, development, expected) => {
      expect(pickDemoFolder(recogniser, { embedded, development })).toBe(expected);
    },
  );
});

function people(pictures: Readonly<Record<string, number>>): string {
  const folder = temporaryFolder();
  for (const [name, count] of Object.entries(pictures)) {
    mkdirSync(join(folder, name));
    for (let index = 1; index <= count; index++)
      writeFileSync(join(folder, name, `${index}.jpg`), '');
  }
  writeFileSync(join(folder, 'list.txt'), '');
  return folder;
}

describe('of a folder of people', () => {
  test('whoever has five pictures lives here, and comes as in the last two, which nobody enrols', () => {
    const { residents, visits } = materialOf(people({ ann: 6, ben: 5, cem: 4 }));
    expect(residents.map(({ id, photos }) => [id, photos.length])).toEqual([
      ['R-1', 4],
      ['R-2', 3],
    ]);
    const photos = residents.flatMap((resident) => resident.photos);
    expect(visits.map(({ expected }) => expected)).toEqual(['R-1', 'R-2', 'R-1', 'R-2']);
    for (const { picture } of visits) expect(photos).not.toContain(picture);
  });

  test('strangers are those with one picture, and those who are called so, however many they have', () => {
    const { residents, visits } = materialOf(people({ ann: 6, dan: 1, 'stranger-1': 6 }));
    expect(residents).toHaveLength(1);
    const strangers = visits.filter(({ expected }) => expected === null);
    expect(strangers.map(({ visitor }) => visitor)).toEqual(['stranger 1', 'stranger 2']);
  });
});

test('the made-up people that come with doorkeep are eight residents and four strangers', () => {
  const { residents, visits } = findDemoMaterial('built-in');
  expect(residents).toHaveLength(8);
  for (const { photos } of residents) expect(photos.length).toBeGreaterThanOrEqual(3);
  expect(visits.filter(({ expected }) => expected === null)).toHaveLength(4);
  expect(visits.every(({ picture }) => picture.includes(join('fixtures', 'faces')))).toBe(true);
});
