import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeFifo } from '../../test/fakes/fifo.ts';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { searchMarkers, takeMarkers } from './marker-search.ts';

const marker = (name: string, bytes: Uint8Array) => ({ name, bytes });

test('finds every place of every marker, also across the pieces in which a file is read', () => {
  const folder = temporaryFolder();
  const [a, b] = [Buffer.from('0123456789abcdef'), Buffer.from('aa')];
  const content = Buffer.alloc(3 * 2 ** 20 + 5);
  const places = [0, 2 ** 20 - 16, 2 ** 20 - 1 + 2 ** 20, 3 * 2 ** 20 - 40, content.length - 16];
  for (const at of places) a.copy(content, at);
  Buffer.from('aaaa').copy(content, 2 ** 20 - 2 + 100);
  mkdirSync(join(folder, 'deep', 'er'), { recursive: true });
  const file = join(folder, 'deep', 'er', 'file');
  writeFileSync(file, content);
  writeFileSync(join(folder, 'other'), 'nothing');
  expect(searchMarkers(folder, { all: [marker('a', a), marker('b', b)] })).toEqual({
    files: 2,
    sizeBytes: content.length + 7,
    found: [
      { file, marker: 'a', count: places.length },
      { file, marker: 'b', count: 3 },
    ],
  });
});

test('counts as a search in one piece does, wherever the markers lie', () => {
  const folder = temporaryFolder();
  const file = join(folder, 'file');
  // Around the end of the first piece, where they are cut in two.
  const start = 2 ** 20 - 40;
  const word = fc.stringMatching(/^[ab]{1,6}$/);
  fc.assert(
    fc.property(
      fc.stringMatching(/^[ab]{80}$/),
      fc.array(word, { maxLength: 3 }),
      (text, words) => {
        writeFileSync(file, Buffer.concat([Buffer.alloc(start), Buffer.from(text)]));
        const all = words.map((each, index) => marker(`${index}`, Buffer.from(each)));
        const { found } = searchMarkers(folder, { all });
        const expected = words.flatMap((each, index) => {
          const count = [...text].filter((_, at) => text.startsWith(each, at)).length;
          return count > 0 ? [{ file, marker: `${index}`, count }] : [];
        });
        expect(found).toEqual(expected);
      },
    ),
    { numRuns: 60 },
  );
});

test('what is taken before an erasure is found as long as it is there, and no longer', () => {
  const folder = temporaryFolder();
  const ueip = join(folder, 'ueip');
  mkdirSync(ueip);
  const [key, records] = [join(ueip, 'epoch.key'), join(ueip, 'records.db')];
  writeFileSync(key, randomBytes(32));
  const pages = Array.from({ length: 40 }, () => [
    Buffer.from('CREATE TABLE record (id INTEGER)'.padEnd(1000)),
    randomBytes(3096),
  ]);
  writeFileSync(records, Buffer.concat(pages.flat()));
  writeFileSync(join(ueip, 'empty'), '');
  writeFileSync(join(ueip, 'zeros'), Buffer.alloc(10_000));
  const consentId = '0b9c3d4e-5f60-4718-92a3-b4c5d6e7f809';
  writeFileSync(join(folder, 'log'), `sent as ${consentId}\n`);
  const texts = { 'consent id': consentId };
  const room = join(ueip, 'records.db.room');
  writeFileSync(room, randomBytes(5000));
  const markers = takeMarkers({ folder: ueip, secrets: [key], noise: [room], texts });
  expect(markers.all).toHaveLength(1 + 16 + 1);
  expect(markers.all.filter(({ name }) => name === key)).toHaveLength(1);
  const { found } = searchMarkers(folder, markers);
  expect(found).toHaveLength(18);
  expect(found.filter(({ count }) => count !== 1)).toEqual([]);
  for (const file of [key, records]) writeFileSync(file, '');
  expect(searchMarkers(folder, markers).found).toEqual([
    { file: join(folder, 'log'), marker: 'consent id', count: 1 },
  ]);
  markers.wipe();
  expect(markers.all.every(({ bytes }) => bytes.every((byte) => byte === 0))).toBe(true);
});

test('nothing to look for, nothing to look in, and what holds nothing of its own', () => {
  const folder = temporaryFolder();
  expect(searchMarkers(join(folder, 'none'), { all: [] })).toEqual({
    files: 0,
    sizeBytes: 0,
    found: [],
  });
  const none = takeMarkers({
    folder: join(folder, 'none'),
    secrets: [join(folder, 'key')],
    texts: {},
  });
  expect(none.all).toEqual([]);
  const outside = join(temporaryFolder(), 'outside');
  writeFileSync(outside, 'marker');
  symlinkSync(outside, join(folder, 'link'));
  makeFifo(join(folder, 'pipe'));
  const all = [marker('m', Buffer.from('marker'))];
  expect(searchMarkers(folder, { all })).toEqual({ files: 0, sizeBytes: 0, found: [] });
  linkSync(outside, join(folder, 'same'));
  expect(searchMarkers(folder, { all }).found).toHaveLength(1);
});
