import { stripTypeScriptTypes } from 'node:module';
import { expect, test } from 'vitest';
import { regionAt, regionsOf, watched } from './regions.ts';

const source = `
export function f(a: number): number[] {
  switch (a) {
    case 0: {
      return [];
    }
    case 1:
      return [1].map((each) => each + 1);
    default:
      return [2].filter(() => false);
  }
}
export const g = () => ({ a: 1 });
`;
const regions = regionsOf(source);

/** The texts around a place, from the outside in, without the whole. */
function regionAround(text: string): string {
  const { start, end } = regions[regionAt(regions, source.indexOf(text))] ?? { start: 0, end: 0 };
  return source.slice(start, end);
}

test('the innermost body around a place is found', () => {
  expect(regionAround('each + 1')).toBe('each + 1');
  expect(regionAround('return [1]')).toBe('return [1].map((each) => each + 1);');
  expect(regionAround('a: 1')).toBe('{ a: 1 }');
  expect(regionAround('switch')).toMatch(/^\{\n {2}switch/);
  expect(regionAround('export function')).toBe(source);
});

test('a watched source does the same and says where it has been', async () => {
  const reached = new Set<string>();
  Object.assign(globalThis, { reachedRegions: reached });
  const code = stripTypeScriptTypes(watched('a.ts', source));
  const module = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  expect(names()).toEqual(['whole']);
  expect(module.f(1)).toEqual([2]);
  expect(module.g()).toEqual({ a: 1 });
  expect(names()).toEqual(['whole', 'switch', 'return [1]', 'each + 1', 'a: 1']);
  expect(module.f(0)).toEqual([]);
  expect(names()).toContain('return []');
  expect(names()).not.toContain('return [2]');

  function names(): string[] {
    const places = ['switch', 'return []', 'return [1]', 'each + 1', 'return [2]', 'a: 1'];
    return [...reached].map((each) => {
      const region = Number(each.split(':')[1]);
      return places.find((text) => regionAt(regions, source.indexOf(text)) === region) ?? 'whole';
    });
  }
});
