import { parseAst } from 'vitest/node';
import { isRecord } from '../../agent/shape.ts';

/** A node of the tree of a source (ESTree, with types), at its place in the text. */
export type SyntaxNode = {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
};

/** Where a node stands: `key` is its place in its parent. */
export type Place = {
  readonly node: SyntaxNode;
  readonly parent: SyntaxNode | undefined;
  readonly key: string;
};

/** Everything of a source in the order of its text, types too. A source that is none is a SyntaxError. */
export function placesIn(source: string): Place[] {
  const program: unknown = parseAst(source, { lang: 'ts', astType: 'ts', preserveParens: false });
  const places: Place[] = [];
  const visit = (node: SyntaxNode, parent: SyntaxNode | undefined, key: string): void => {
    places.push({ node, parent, key });
    for (const [name, value] of Object.entries(node)) {
      for (const child of Array.isArray(value) ? value : [value]) {
        if (isNode(child)) visit(child, node, name);
      }
    }
  };
  if (isNode(program)) visit(program, undefined, '');
  return places;
}

/** The places of what runs: no types, no imports. */
export function runningPlacesIn(source: string): Place[] {
  const idle = new Set<unknown>();
  return placesIn(source).filter(({ node, parent }) => {
    const isIdle = idle.has(parent) || isType(node) || node.type.startsWith('Import');
    if (isIdle) idle.add(node);
    return !isIdle;
  });
}

export function childOf(node: SyntaxNode, key: string): SyntaxNode | undefined {
  const child = node[key];
  return isNode(child) ? child : undefined;
}

export function childrenOf(node: SyntaxNode, key: string): SyntaxNode[] {
  const children = node[key];
  return Array.isArray(children) ? children.filter(isNode) : [];
}

function isType({ type }: SyntaxNode): boolean {
  const wrapsAnExpression = ['TSAsExpression', 'TSSatisfiesExpression', 'TSNonNullExpression'];
  return type.startsWith('TS') && !wrapsAnExpression.includes(type);
}

function isNode(value: unknown): value is SyntaxNode {
  return isRecord(value) && typeof value['type'] === 'string' && typeof value['start'] === 'number';
}
