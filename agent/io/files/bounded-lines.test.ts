import fc from 'fast-check';
import { expect, test } from 'vitest';
import { boundedLines } from './bounded-lines.ts';

async function* pieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (let i = 0; from < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    yield bytes.subarray(from, from + size);
    from += size;
  }
}

async function linesOf(chunks: AsyncIterable<Uint8Array>, longestBytes: number): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of boundedLines(chunks, longestBytes)) {
    lines.push(Buffer.from(line).toString('latin1'));
  }
  return lines;
}

test('lines are the same however the bytes come in pieces', async () => {
  const line = fc.string({ unit: fc.constantFrom('a', 'b', '\r', 'ÿ'), maxLength: 3000 });
  const sizes = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 6 }), sizes, async (lines, some) => {
      const bytes = Buffer.from(lines.map((each) => `${each}\n`).join(''), 'latin1');
      expect(await linesOf(pieces(bytes, some), 3000)).toEqual(lines);
    }),
    { numRuns: 200 },
  );
});

test('a line of the full length passes; one byte more ends it, and nothing after it is read', async () => {
  const full = Buffer.from(`${'x'.repeat(100)}\n`);
  expect(await linesOf(pieces(full, [7]), 100)).toEqual(['x'.repeat(100)]);
  let taken = 0;
  async function* endless() {
    for (;;) {
      taken += 1;
      yield Buffer.alloc(60, 120);
    }
  }
  await expect(linesOf(endless(), 100)).rejects.toMatchObject({
    code: 'CONTROL_INVALID',
    message: 'a line is longer than 100 bytes',
  });
  expect(taken).toBe(2);
});

test('an end in the middle of a line makes no line', async () => {
  await expect(linesOf(pieces(Buffer.from('one\ntw'), [4]), 100)).rejects.toMatchObject({
    code: 'CONTROL_INVALID',
  });
  expect(await linesOf(pieces(Buffer.from('one\n'), [4]), 100)).toEqual(['one']);
});
