import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { childOf, placesIn } from './syntax.ts';

/**
 * How many imports lie between each test file and each source that it loads, types aside: 1 for the test of
 * the source itself. Paths from the root of the project.
 */
export function importDistances(
  root: string,
  tests: readonly string[],
): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const known = new Map<string, readonly string[]>();
  const importsOf = (file: string): readonly string[] => {
    const before = known.get(file);
    if (before) return before;
    const imports = localImports(root, file);
    known.set(file, imports);
    return imports;
  };
  return new Map(tests.map((test) => [test, distancesFrom(test, importsOf)]));
}

function distancesFrom(
  test: string,
  importsOf: (file: string) => readonly string[],
): ReadonlyMap<string, number> {
  const distances = new Map([[test, 0]]);
  // A map goes on over what is added to it on the way.
  for (const [file, distance] of distances) {
    for (const target of importsOf(file)) {
      if (!distances.has(target)) distances.set(target, distance + 1);
    }
  }
  return distances;
}

/** What a module loads of the project's own sources. */
function localImports(root: string, file: string): string[] {
  if (!file.endsWith('.ts')) return [];
  return placesIn(readFileSync(join(root, file), 'utf8')).flatMap(({ node }) => {
    const target = childOf(node, 'source')?.['value'];
    const isLoaded = node['importKind'] !== 'type' && node['exportKind'] !== 'type';
    return isLoaded && typeof target === 'string' && target.startsWith('.')
      ? [relative(root, join(root, file, '..', target))]
      : [];
  });
}
