import { textTable } from '../io/measuring/text-table.ts';
import { isRecord } from '../shape.ts';
import { minute } from './ueip-values-text.ts';

/** The ledger's lines for a person: number, moment, what, and the rest as words; without the hashes of the chain. */
export function historyText(lines: string): string {
  const rows = lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const entry: unknown = JSON.parse(line);
      const { n, at, what, prev: _prev, hash: _hash, ...rest } = isRecord(entry) ? entry : {};
      const moment = typeof at === 'number' ? minute(at) : '';
      return [`${n ?? ''}`, moment, `${what ?? ''}`, restText(rest)];
    });
  return textTable(rows, 4);
}

function restText(rest: Readonly<Record<string, unknown>>): string {
  return Object.entries(rest)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
}
