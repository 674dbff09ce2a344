import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readCsv } from './csv-file.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'csv-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(content: string | Uint8Array): Promise<[number, readonly string[]][]> {
  const path = join(folder, 'list.csv');
  await writeFile(path, content);
  const records: [number, readonly string[]][] = [];
  for await (const { line, fields } of readCsv(path)) records.push([line, fields]);
  return records;
}

test('commas part fields; a last line needs no line end; empty lines are passed over but counted', async () => {
  expect(await read('a,b,1\n\n,x,\n\nlast')).toEqual([
    [1, ['a', 'b', '1']],
    [3, ['', 'x', '']],
    [5, ['last']],
  ]);
  expect(await read('')).toEqual([]);
});

test('quoted fields hold commas, quotes and line ends', async () => {
  expect(await read('"a,b","say ""hi""","two\r\nlines",""\nx\n""')).toEqual([
    [1, ['a,b', 'say "hi"', 'two\r\nlines', '']],
    [3, ['x']],
    [4, ['']],
  ]);
});

test('a list from Windows or an old Mac, with a byte order mark and names in any script, is read alike', async () => {
  expect(await read('\ufeffMüller/ä.jpg,王/1.jpg,1\r\nb,c,0\r\n')).toEqual([
    [1, ['Müller/ä.jpg', '王/1.jpg', '1']],
    [2, ['b', 'c', '0']],
  ]);
  expect(await read('a\rb')).toEqual([
    [1, ['a']],
    [2, ['b']],
  ]);
});

test('whatever fields are written, the same are read', async () => {
  // Long enough that characters of several bytes fall on the edge of two chunks.
  const field = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', 'é', '😀', ' ') });
  const records = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(records, async (list) => {
      const quoted = list.map((fields) =>
        fields.map((text) => `"${text.replaceAll('"', '""')}"`).join(','),
      );
      expect((await read(quoted.join('\n'))).map(([, fields]) => fields)).toEqual(list);
    }),
    { numRuns: 40 },
  );
});

test('a character that falls on the edge of two chunks stays whole', async () => {
  const text = `${'x'.repeat(25_535)},\n${'y'.repeat(39_998)}é,z`;
  expect(Buffer.from(text).indexOf('é')).toBe(65_535);
  expect((await read(text))[1]?.[1][0]?.endsWith('yé')).toBe(true);
});

test.each([
  ['a picture', Uint8Array.of(0xff, 0xd8, 0xff, 0xe0), 'this is not a text file in UTF-8'],
  ['binary', 'a,b\nc\0d,e\n', 'line 2: this is not a text file'],
  ['an open quote', 'a,b\n"c,d\ne,f\n', 'line 2: a quote is not closed'],
  ['text after a quote', 'a\n"b"c\n', 'line 2: a closing quote is followed by more than a comma'],
  ['a quote in a field', 'a"b\n', 'line 1: a quote stands within a field'],
  ['an endless line', 'x'.repeat(70_000), 'line 1: the line is too long for a list'],
])('%s is refused in one clear line', async (_, content, message) => {
  await expect(read(content)).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: `${join(folder, 'list.csv')}: ${message}`,
  });
});

test('a list that is not there, or is a folder, is named', async () => {
  const missing = join(folder, 'none.csv');
  await expect(readCsv(missing).next()).rejects.toMatchObject({
    code: 'INPUT_MISSING',
    message: `${missing}: there is no such file`,
  });
  await expect(readCsv(folder).next()).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: `${folder}: it cannot be read (EISDIR)`,
  });
});
