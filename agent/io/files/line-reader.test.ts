import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Line, readLines } from './line-reader.ts';

test('lines come out as they went in, however the stream was cut', async () => {
  const cut = fc.array(fc.uint8Array({ maxLength: 20 }));
  const property = fc.asyncProperty(cut, async (chunks) => {
    const all = Buffer.concat(chunks).toString('latin1').split('\n');
    if (all.at(-1) === '') all.pop();
    const read = await lines(chunks, 1000);
    expect(read.map(({ line }) => line)).toEqual(all.map((_, i) => i + 1));
    expect(read.map(({ text }) => text)).toEqual(
      all.map((text) => Buffer.from(text, 'latin1').toString('utf8')),
    );
  });
  await fc.assert(property);
});

test('a line that is too long is skipped to its end, and the next one is read', async () => {
  const chunks = ['short\nlo', 'ng'.repeat(10), 'ng\nnext\n12345\n123456'].map((c) =>
    Buffer.from(c),
  );
  expect(await lines(chunks, 5)).toEqual([
    { line: 1, text: 'short' },
    { line: 2, text: undefined },
    { line: 3, text: 'next' },
    { line: 4, text: '12345' },
    { line: 5, text: undefined },
  ]);
});

async function lines(chunks: readonly Uint8Array[], longestBytes: number) {
  async function* stream() {
    yield* chunks;
  }
  const read: Line[] = [];
  for await (const line of readLines(stream(), longestBytes)) read.push(line);
  return read;
}
