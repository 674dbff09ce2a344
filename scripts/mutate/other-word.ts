import { childOf, childrenOf, type Place, placesIn, type SyntaxNode } from './syntax.ts';

/**
 * What a word of the program ('granted', 'wipe-due') can be taken for: the next one of its union, where the
 * source has it, else the next in the same role (compared, value of the same key, same argument of the same
 * function), else, where words decide something, any other word of the source. As it stands in the source;
 * undefined: there is none, or the text is for people (it has a space) and decides nothing.
 */
export function otherWord(
  place: Place,
  word: string,
  source: string,
  places: readonly Place[],
): string | undefined {
  if (!isWord(word)) return undefined;
  const role = roleOf(place, source);
  const sameRole = places.filter((each) => roleOf(each, source) === role).map(wordOf);
  const union = unionsIn(source).find((words) => words.includes(word)) ?? [];
  const all = role === 'other' ? [] : places.map(wordOf);
  for (const words of [union, sameRole, all]) {
    const other = nextOf([...new Set(words)], word);
    if (other !== undefined) return `'${other}'`;
  }
  return undefined;
}

function nextOf(words: readonly (string | undefined)[], word: string): string | undefined {
  const others = words.filter((each) => each !== undefined && isWord(each));
  const next = others[(others.indexOf(word) + 1) % others.length];
  return next === word ? undefined : next;
}

function isWord(text: string): boolean {
  return /^[\w./:+-]+$/.test(text);
}

function roleOf({ parent, key }: Place, source: string): string {
  switch (parent?.type) {
    case 'SwitchCase':
    case 'BinaryExpression':
      return 'compared';
    case 'Property':
      return `value of ${textOf(childOf(parent, 'key'), source)}`;
    case 'CallExpression':
    case 'NewExpression':
      return `${key} of ${textOf(childOf(parent, 'callee'), source)}`;
    default:
      return 'other';
  }
}

function wordOf({ node, parent, key }: Place): string | undefined {
  const isKey = key === 'key' && parent?.['computed'] !== true;
  return node.type === 'Literal' && typeof node['value'] === 'string' && !isKey
    ? node['value']
    : undefined;
}

function unionsIn(source: string): string[][] {
  return placesIn(source)
    .filter(({ node }) => node.type === 'TSUnionType')
    .map(({ node }) =>
      childrenOf(node, 'types').flatMap((type) => {
        const value = childOf(type, 'literal')?.['value'];
        return typeof value === 'string' ? [value] : [];
      }),
    );
}

function textOf(node: SyntaxNode | undefined, source: string): string {
  return node ? source.slice(node.start, node.end) : '';
}
