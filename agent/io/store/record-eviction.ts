import type { NewRecord } from '../../ports.ts';
import type { ByteBudget, RecordDatabase, RecordLimits, RecordRow } from './record-database.ts';
import { sealLine } from './record-seal.ts';

/** What fits of a group of new records. */
export type Incoming = {
  readonly records: readonly NewRecord[];
  /** So many of them, the oldest, are more than the whole store may hold. */
  readonly leftOut: number;
  /** What they take in the database, rather too much than too little. */
  readonly bytes: number;
};

/** Of a row, besides its packed line: nonce, tag, stamps, and its part of what stays free in a page. */
const rowOverheadBytes = 96;

/** Of a group of records the newest that take at most a quarter of the database, so that the -wal stays short too. */
export function incomingOf(
  records: readonly NewRecord[],
  { maxRecords }: RecordLimits,
  { databaseBytes }: ByteBudget,
): Incoming {
  let bytes = 0;
  let first = records.length;
  for (const { line } of records.toReversed()) {
    const rowBytes = line.length / 2 + rowOverheadBytes;
    if (records.length - first >= maxRecords || bytes + rowBytes > databaseBytes / 4) break;
    bytes += rowBytes;
    first--;
  }
  return { records: records.slice(first), leftOut: first, bytes };
}

/** With ids from `first` on: an id is part of what a line is sealed to. */
export function sealed(
  records: readonly NewRecord[],
  first: number,
  key: Uint8Array,
): readonly RecordRow[] {
  return records.map(({ line, ...record }, n) => {
    const row = { ...record, id: first + n };
    return { ...row, sealed: sealLine(key, line, row) };
  });
}

/** How many of the oldest rows are in the way; at most `most`, so that deleting them never takes long. */
export function rowsToEvict(
  query: RecordDatabase['query'],
  incoming: Incoming,
  { maxRecords }: RecordLimits,
  { databaseBytes }: ByteBudget,
  most: number,
): number {
  const rows = query.count();
  const overRows = rows + incoming.records.length - maxRecords;
  const usedBytes = query.usedBytes();
  const overBytes = usedBytes + incoming.bytes - databaseBytes;
  const rowsForBytes = overBytes > 0 ? Math.ceil((overBytes / usedBytes) * rows) : 0;
  return Math.min(rows, most, Math.max(0, overRows, rowsForBytes));
}
