import { childrenOf, runningPlacesIn } from './syntax.ts';

/** A piece of a source that runs as a whole once it is begun, but for what lies deeper; the first is all of it. */
export type Region = { readonly start: number; readonly end: number };

/** Blocks, bodies of arrow functions and cases of a switch. */
export function regionsOf(source: string): Region[] {
  return [{ start: 0, end: source.length }, ...bodiesIn(source).map(({ region }) => region)];
}

/** The innermost region around a place in the text, by its number. */
export function regionAt(regions: readonly Region[], offset: number): number {
  return regions.findLastIndex(({ start, end }) => start <= offset && offset < end);
}

/** The source, that adds `${file}:${region}` to the set `reachedRegions` of its process wherever it comes along. */
export function watched(file: string, source: string): string {
  const mark = (region: number) => `globalThis.reachedRegions?.add('${file}:${region}')`;
  const inserts = bodiesIn(source).flatMap(({ region, kind }, index) =>
    kind === 'expression'
      ? [
          { at: region.start, text: `(${mark(index + 1)}, (` },
          { at: region.end, text: '))' },
        ]
      : [{ at: region.start + (kind === 'block' ? 1 : 0), text: `;${mark(index + 1)};` }],
  );
  let code = '';
  let done = 0;
  for (const { at, text } of inserts.sort((a, b) => a.at - b.at)) {
    code += source.slice(done, at) + text;
    done = at;
  }
  return `${code}${source.slice(done)}\n${mark(0)};\n`;
}

type Body = { readonly region: Region; readonly kind: 'block' | 'expression' | 'case' };

/** Outer ones first. */
function bodiesIn(source: string): Body[] {
  return runningPlacesIn(source).flatMap(({ node, parent, key }): Body[] => {
    const region = { start: node.start, end: node.end };
    if (node.type === 'BlockStatement') return [{ region, kind: 'block' }];
    if (key === 'body' && parent?.type === 'ArrowFunctionExpression') {
      return [{ region, kind: 'expression' }];
    }
    const [first] = node.type === 'SwitchCase' ? childrenOf(node, 'consequent') : [];
    return first ? [{ region: { ...region, start: first.start }, kind: 'case' }] : [];
  });
}
