import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readIdentificationFolders, readIdentificationList } from './identification-files.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'identification-'));
});
afterEach(() => rm(folder, { recursive: true }));

const at = (path: string) => join(folder, path);

async function put(...paths: string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(dirname(at(path)), { recursive: true });
    await writeFile(at(path), '');
  }
}

test('a folder is a person; who has none in the gallery, or comes as unknown, is a stranger', async () => {
  await put('gallery/bob/1.PNG', 'gallery/ann/b.jpg', 'gallery/ann/a.webp');
  await put('probes/ann/c.jpeg', 'probes/dan/d.jpg', 'probes/unknown/e.jpg');
  expect(await readIdentificationFolders(at('gallery'), at('probes'))).toEqual({
    gallery: [
      { identity: 'ann', picture: at('gallery/ann/a.webp') },
      { identity: 'ann', picture: at('gallery/ann/b.jpg') },
      { identity: 'bob', picture: at('gallery/bob/1.PNG') },
    ],
    visits: [
      { mated: 'ann', pictures: [at('probes/ann/c.jpeg')] },
      { mated: null, pictures: [at('probes/dan/d.jpg')] },
      { mated: null, pictures: [at('probes/unknown/e.jpg')] },
    ],
    ignored: [],
  });
});

test('what is no picture of a person is not read, and told; hidden files are not even told', async () => {
  await put('gallery/ann/a.jpg', 'gallery/ann/notes.txt', 'gallery/ann/.DS_Store', 'gallery/x.jpg');
  await put('probes/ann/a.jpg', 'probes/ann/more/b.jpg', 'probes/.git/config');
  const { ignored, visits } = await readIdentificationFolders(at('gallery'), at('probes'));
  expect(ignored).toEqual([
    at('gallery/ann/notes.txt'),
    at('gallery/x.jpg'),
    at('probes/ann/more'),
  ]);
  expect(visits).toHaveLength(1);
});

test('a link to a folder of pictures is a person too', async () => {
  await put('album/1.jpg', 'probes/ann/1.jpg');
  await mkdir(at('gallery'));
  await symlink(at('album'), at('gallery/ann'));
  await symlink(at('nowhere'), at('gallery/lost'));
  const { gallery, ignored } = await readIdentificationFolders(at('gallery'), at('probes'));
  expect(gallery).toEqual([{ identity: 'ann', picture: at('gallery/ann/1.jpg') }]);
  expect(ignored).toEqual([at('gallery/lost')]);
});

test('strangers cannot be enrolled, and an empty or missing folder is named', async () => {
  await put('gallery/unknown/a.jpg', 'probes/ann/a.jpg');
  await mkdir(at('empty/ann'), { recursive: true });
  await expect(readIdentificationFolders(at('gallery'), at('probes'))).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: `${at('gallery/unknown')}: strangers cannot be enrolled`,
  });
  await expect(readIdentificationFolders(at('empty'), at('probes'))).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: `${at('empty')}: there is no picture in <identity>/<picture>`,
  });
  await expect(readIdentificationFolders(at('none'), at('probes'))).rejects.toMatchObject({
    code: 'INPUT_MISSING',
    message: `${at('none')}: there is no such folder`,
  });
});

async function readList(rows: string[]) {
  await writeFile(at('ident.csv'), rows.join('\n'));
  return readIdentificationList(at('ident.csv'), at('images'));
}

test('a list names the role of each picture', async () => {
  await put('images/ann/1.jpg', 'images/ann/2.jpg', 'images/bob/1.jpg');
  const set = await readList([
    'role,identity,file',
    'mated,ann,ann/2.jpg',
    'gallery,ann,ann/1.jpg',
    'nonmated,bob,bob/1.jpg',
  ]);
  expect(set).toEqual({
    gallery: [{ identity: 'ann', picture: at('images/ann/1.jpg') }],
    visits: [
      { mated: 'ann', pictures: [at('images/ann/2.jpg')] },
      { mated: null, pictures: [at('images/bob/1.jpg')] },
    ],
    ignored: [],
  });
});

test('every bad line of a list is named: shape, role, a mated stranger, an enrolled non-mated, a missing picture', async () => {
  await put('images/1.jpg');
  const rows = [
    'gallery,ann,1.jpg',
    'gallery,ann',
    'visitor,ann,1.jpg',
    'mated,bob,1.jpg',
    'nonmated,ann,1.jpg',
    'mated,ann,2.jpg',
    'mated,,1.jpg',
  ];
  await expect(readList(rows)).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: [
      `${at('ident.csv')}: line 2: not role,identity,file`,
      'line 3: "visitor" is no role',
      'line 4: bob is mated, but not in the gallery',
      'line 5: ann is nonmated, but in the gallery',
      'line 6: there is no picture 2.jpg',
      'line 7: not role,identity,file',
    ].join('; '),
  });
});

test('a list without a gallery is refused', async () => {
  await put('images/1.jpg');
  await expect(readList(['nonmated,ann,1.jpg'])).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: `${at('ident.csv')}: there is no row with the role gallery`,
  });
});
