import { readFileSync } from 'node:fs';
import { isRecord } from '../../agent/shape.ts';
import type { Mutant } from './mutants.ts';

/** A mutant that no test can notice, because it means the same. Lines may move: they are known by their text. */
export type Equivalent = Pick<Mutant, 'file' | 'was' | 'becomes'> & { readonly reason: string };

export function readEquivalents(path: URL): Equivalent[] {
  const list: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (!Array.isArray(list)) throw new TypeError(`${path.pathname} holds no list`);
  return list.map((entry: unknown) => {
    if (!isEquivalent(entry)) throw new TypeError(`${path.pathname}: ${JSON.stringify(entry)}`);
    return entry;
  });
}

export function isListed(mutant: Mutant, equivalents: readonly Equivalent[]): boolean {
  return equivalents.some(
    ({ file, was, becomes }) =>
      file === mutant.file && was === mutant.was && becomes === mutant.becomes,
  );
}

function isEquivalent(entry: unknown): entry is Equivalent {
  return (
    isRecord(entry) &&
    ['file', 'was', 'becomes', 'reason'].every((key) => typeof entry[key] === 'string')
  );
}
