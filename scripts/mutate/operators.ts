import { otherWord } from './other-word.ts';
import { childOf, childrenOf, type Place, type SyntaxNode } from './syntax.ts';

/** A piece of the text and what stands there instead. */
export type Edit = { readonly start: number; readonly end: number; readonly replacement: string };

/** Instead of an operator: its opposite, and its neighbour at the boundary. */
const operators: Readonly<Record<string, readonly string[]>> = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
  '&&': ['||'],
  '||': ['&&'],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '**': ['*'],
  '<<': ['>>'],
  '>>': ['<<'],
  '>>>': ['<<'],
  '&': ['|'],
  '|': ['&'],
  '^': ['&'],
  '+=': ['-='],
  '-=': ['+='],
  '*=': ['/='],
  '/=': ['*='],
  '%=': ['*='],
  '<<=': ['>>='],
  '>>=': ['<<='],
  '>>>=': ['<<='],
  '&=': ['|='],
  '|=': ['&='],
  '^=': ['&='],
};

/** Instead of a method: its sibling. */
const siblings: Readonly<Record<string, string>> = {
  some: 'every',
  every: 'some',
  find: 'findLast',
  findLast: 'find',
  findIndex: 'findLastIndex',
  findLastIndex: 'findIndex',
  indexOf: 'lastIndexOf',
  lastIndexOf: 'indexOf',
  push: 'unshift',
  unshift: 'push',
  pop: 'shift',
  shift: 'pop',
  startsWith: 'endsWith',
  endsWith: 'startsWith',
  min: 'max',
  max: 'min',
  floor: 'ceil',
  ceil: 'floor',
  round: 'floor',
  trunc: 'ceil',
};

/** A chain goes on without them. */
const droppedMethods = ['filter', 'sort', 'toSorted', 'reverse', 'toReversed', 'trim'];

/** What may be negated as a whole where it is asked as a condition; the rest has an operator of its own. */
const negatable = [
  'CallExpression',
  'ChainExpression',
  'Identifier',
  'MemberExpression',
  'AwaitExpression',
];

const removableStatements = [
  'CallExpression',
  'AwaitExpression',
  'AssignmentExpression',
  'UpdateExpression',
  'ChainExpression',
  'YieldExpression',
];

/** What may go wrong at one place of a source. */
export function editsAt(place: Place, source: string, places: readonly Place[]): Edit[] {
  const { node } = place;
  const negated = isCondition(place)
    ? [{ start: node.start, end: node.end, replacement: `!(${textOf(node, source)})` }]
    : [];
  return [...negated, ...editsOf(place, source, places)];
}

function editsOf(place: Place, source: string, places: readonly Place[]): Edit[] {
  const { node } = place;
  switch (node.type) {
    case 'BinaryExpression':
    case 'LogicalExpression':
    case 'AssignmentExpression':
      return operatorEdits(node, source);
    case 'UnaryExpression':
      return node['operator'] === '!' ? [cut(node.start, node.start + 1)] : [];
    case 'UpdateExpression':
      return updateEdits(node, source);
    case 'Literal':
      return literalEdits(place, source, places);
    case 'MemberExpression':
      return optionalEdits(node, childOf(node, 'object'), source);
    case 'CallExpression':
      return [...optionalEdits(node, childOf(node, 'callee'), source), ...methodEdits(node)];
    case 'ExpressionStatement':
      return removableStatements.includes(childOf(node, 'expression')?.type ?? '')
        ? [{ start: node.start, end: node.end, replacement: ';' }]
        : [];
    case 'ThrowStatement':
      return [{ start: node.start, end: node.end, replacement: ';' }];
    case 'SpreadElement':
      return spreadEdits(place);
    case 'BlockStatement':
      return bodyEdits(place);
    default:
      return [];
  }
}

function operatorEdits(node: SyntaxNode, source: string): Edit[] {
  const [left, right] = [childOf(node, 'left'), childOf(node, 'right')];
  const operator = node['operator'];
  if (!left || !right || typeof operator !== 'string') return [];
  if (operator === '+' && [left, right].some(isText)) return [];
  const start = codeIndexOf(source, operator, left.end, right.start);
  if (start < 0) return [];
  if (operator === '??') return [cut(start, node.end)];
  const others = Object.hasOwn(operators, operator) ? (operators[operator] ?? []) : [];
  return others.map((replacement) => ({ start, end: start + operator.length, replacement }));
}

function updateEdits(node: SyntaxNode, source: string): Edit[] {
  const start = node['prefix'] === true ? node.start : node.end - 2;
  const replacement = source.slice(start, start + 2) === '++' ? '--' : '++';
  return [{ start, end: start + 2, replacement }];
}

function literalEdits(place: Place, source: string, places: readonly Place[]): Edit[] {
  const { node, parent, key } = place;
  if (parent && key === 'key' && parent['computed'] !== true) return [];
  const { value } = node;
  const { start, end } = node;
  switch (typeof value) {
    case 'boolean':
      return [{ start, end, replacement: String(!value) }];
    case 'number':
      return [value + 1, value - 1]
        .filter((other) => other !== value)
        .map((other) => ({ start, end, replacement: other < 0 ? `(${other})` : String(other) }));
    case 'bigint':
      return [value + 1n, value - 1n].map((other) => ({
        start,
        end,
        replacement: other < 0n ? `(${other}n)` : `${other}n`,
      }));
    case 'string': {
      const other = otherWord(place, value, source, places);
      return other === undefined ? [] : [{ start, end, replacement: other }];
    }
    default:
      return [];
  }
}

function optionalEdits(node: SyntaxNode, before: SyntaxNode | undefined, source: string): Edit[] {
  if (node['optional'] !== true || !before) return [];
  const start = codeIndexOf(source, '?.', before.end, node.end);
  const isNamed = node.type === 'MemberExpression' && node['computed'] !== true;
  return [{ start, end: start + 2, replacement: isNamed ? '.' : '' }];
}

function methodEdits(node: SyntaxNode): Edit[] {
  const callee = childOf(node, 'callee');
  const object = callee && childOf(callee, 'object');
  const property = callee && childOf(callee, 'property');
  const name = property?.['name'];
  if (!object || !property || typeof name !== 'string' || callee['computed'] === true) return [];
  if (droppedMethods.includes(name)) return [cut(object.end, node.end)];
  const sibling = Object.hasOwn(siblings, name) ? siblings[name] : undefined;
  return sibling === undefined
    ? []
    : [{ start: property.start, end: property.end, replacement: sibling }];
}

/** Only in lists and objects: the arguments of a call have their own meaning. */
function spreadEdits({ node, parent }: Place): Edit[] {
  const nothing = { ArrayExpression: '...[]', ObjectExpression: '...{}' }[parent?.type ?? ''];
  return nothing === undefined ? [] : [{ start: node.start, end: node.end, replacement: nothing }];
}

/** A function that returns at once. A body of one call has its mutant already. */
function bodyEdits({ node, parent }: Place): Edit[] {
  const isFunction = /^(Arrow)?Function/.test(parent?.type ?? '');
  const statements = childrenOf(node, 'body');
  if (!isFunction || statements.length === 0) return [];
  const isOneCall = statements.length === 1 && statements[0]?.type === 'ExpressionStatement';
  return isOneCall ? [] : [{ start: node.start, end: node.end, replacement: '{}' }];
}

function isCondition({ node, parent, key }: Place): boolean {
  const isAsked =
    key === 'test' || (parent?.type === 'LogicalExpression' && parent['operator'] !== '??');
  return isAsked && parent?.type !== 'SwitchCase' && negatable.includes(node.type);
}

function isText(node: SyntaxNode): boolean {
  return node.type === 'TemplateLiteral' || typeof node['value'] === 'string';
}

/** Where the text first stands outside comments; -1: nowhere. */
function codeIndexOf(source: string, text: string, start: number, end: number): number {
  const code = source
    .slice(start, end)
    .replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, (comment) => ' '.repeat(comment.length));
  const index = code.indexOf(text);
  return index < 0 ? -1 : start + index;
}

function textOf({ start, end }: SyntaxNode, source: string): string {
  return source.slice(start, end);
}

function cut(start: number, end: number): Edit {
  return { start, end, replacement: '' };
}
