import { describe, expect, test } from 'vitest';
import { mutantsOf, mutated } from './mutants.ts';

/** What the source may become, without what no change touches. */
function mutantsIn(source: string): string[] {
  return mutantsOf('a.ts', source).map((mutant) => mutated(source, mutant));
}

describe('what may go wrong', () => {
  test.each<[string, string, string[]]>([
    ['a boundary moves', 'f = a < b;', ['f = a <= b;', 'f = a >= b;', ';']],
    ['equal becomes unequal', 'f = a === b;', ['f = a !== b;', ';']],
    [
      'and becomes or, and each side its opposite',
      'f = a && b();',
      ['f = !(a) && b();', 'f = a || b();', 'f = a && !(b());', ';'],
    ],
    ['a fallback is lost', 'f = a ?? b;', ['f = a ;', ';']],
    ['a negation is lost', 'f = !a;', ['f = a;', ';']],
    ['a condition is turned', 'f = a ? b : c;', ['f = !(a) ? b : c;', ';']],
    ['yes becomes no', 'f = true;', ['f = false;', ';']],
    [
      'sums and counts',
      'f += a + 2;',
      ['f -= a + 2;', 'f += a - 2;', 'f += a + 3;', 'f += a + 1;', ';'],
    ],
    ['below zero', 'f = [0];', ['f = [1];', 'f = [(-1)];', ';']],
    ['big integers', 'f = 1n;', ['f = 2n;', 'f = 0n;', ';']],
    ['counting down', 'i++;', ['i--;', ';']],
    ['a call is left out', 'await close();', [';']],
    ['a failure is left out', 'throw e;', [';']],
    ['an access that may be missing', 'f = a?.b?.[c];', ['f = a.b?.[c];', 'f = a?.b[c];', ';']],
    ['a call that may be missing', 'a?.();', ['a();', ';']],
    ['one for all', 'f = a.some(b);', ['f = a.every(b);', ';']],
    ['a choice is lost', 'f = a.filter(b).length;', ['f = a.length;', ';']],
    ['the least is the most', 'f = Math.min(a, b);', ['f = Math.max(a, b);', ';']],
    ['entries are lost', 'f = [...a, b];', ['f = [...[], b];', ';']],
    ['properties are lost', 'f = { ...a };', ['f = { ...{} };', ';']],
    [
      'nothing is done',
      'const f = () => { g(); return h; };',
      ['const f = () => {};', 'const f = () => { ; return h; };'],
    ],
  ])('%s', (_, source, expected) => {
    expect(mutantsIn(source).toSorted()).toEqual(expected.toSorted());
  });

  test('an operator is found where it stands, not in a comment before it', () => {
    expect(mutantsIn('const f = (a /* < */) // <\n < b;')).toEqual([
      'const f = (a /* < */) // <\n <= b;',
      'const f = (a /* < */) // <\n >= b;',
    ]);
  });
});

describe('a word becomes another', () => {
  test('of its union', () => {
    const type = "type State = 'on' | 'off';\n";
    expect(mutantsIn(`${type}const f: State = 'on';`)).toEqual([`${type}const f: State = 'off';`]);
  });

  test('of the same key, or of the same argument', () => {
    const source = "const f = [{ kind: 'a' }, { why: 'b' }, { kind: 'c' }, g('d', 'e'), g('f')];";
    const becomes = mutantsOf('a.ts', source).map(({ start, replacement }) => [
      source.slice(start, start + 3),
      replacement,
    ]);
    expect(becomes).toContainEqual(["'a'", "'c'"]);
    expect(becomes).toContainEqual(["'c'", "'a'"]);
    expect(becomes).toContainEqual(["'f'", "'d'"]);
  });

  test('of the source, where it is compared with something', () => {
    const source = "const f = a === 'on';\nconst g = 'other';";
    expect(mutantsIn(source)).toContain("const f = a === 'other';\nconst g = 'other';");
  });

  test('but a text for people stays as it is', () => {
    expect(mutantsIn("const f = 'the disk is full';\nconst g = 'no room';")).toEqual([]);
  });
});

test('types and imports have nothing to go wrong', () => {
  const source = [
    "import { a } from './a.ts';",
    "import type { B } from './b.ts';",
    "type C = { readonly d: 'e' | 'f'; readonly g: 1 };",
    'interface H { i?: true }',
    'declare const j: 0 | 1;',
    'export const k = a as B;',
    "export { l } from './l.ts';",
  ].join('\n');
  expect(mutantsIn(source)).toEqual([]);
  expect(mutantsIn('const f = (a as 1 | 2) < b;')).toHaveLength(2);
});

test('a mutant says where it is, and what its line was and becomes', () => {
  const source =
    'const a = 1 as const;\n\nexport function f(b: number) {\n  return b >\n    a;\n}\n';
  expect(mutantsOf('f.ts', source)).toContainEqual(
    expect.objectContaining({
      file: 'f.ts',
      line: 4,
      column: 12,
      was: 'return b >',
      becomes: 'return b >=',
    }),
  );
});
