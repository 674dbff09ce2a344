import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../agent/test/fakes/temporary-folder.ts';
import { isListed, readEquivalents } from './equivalent.ts';
import { mutantsOf } from './mutants.ts';

const listed = readEquivalents(new URL('equivalent.json', import.meta.url));
const root = new URL('../../', import.meta.url);

test.each(listed)('$file: "$was" can still become "$becomes"', ({ file, was, becomes, reason }) => {
  const mutants = mutantsOf(file, readFileSync(new URL(file, root), 'utf8'));
  expect(mutants.some((mutant) => mutant.was === was && mutant.becomes === becomes)).toBe(true);
  expect(reason).not.toBe('');
});

test('a listed mutant is known wherever its line has moved, and no other', () => {
  const [before] = mutantsOf('a.ts', 'f(a < b);');
  const [after, other] = mutantsOf('a.ts', '\n\n  f(a < b);').filter(({ was }) => was !== '');
  if (!before || !after || !other) throw new Error('no mutant');
  const equivalents = [{ ...before, reason: 'why not' }];
  expect(isListed(after, equivalents)).toBe(after.becomes === before.becomes);
  expect([after, other].filter((each) => isListed(each, equivalents))).toHaveLength(1);
  expect(isListed({ ...after, file: 'b.ts' }, equivalents)).toBe(false);
});

test.each(['{}', '[{ "file": "a.ts", "was": "a", "becomes": "b" }]'])(
  'a list that is none is refused: %s',
  (text) => {
    const path = join(temporaryFolder(), 'equivalent.json');
    writeFileSync(path, text);
    expect(() => readEquivalents(pathToFileURL(path))).toThrow(TypeError);
  },
);
