import { canonicalJson, type Json, parseCanonical } from './canonical-json.ts';
import { checkEvent, type Gap, type LedgerEvent } from './ledger-events.ts';

/**
 * What was decided, erased, sent and asked for, as a chain: each entry holds the hash of the one before and its
 * own, so that none can be changed, taken out or put elsewhere unseen. That none is missing at the end is told by
 * the head, which is kept apart from the file. Nothing here is secret: who can write the device's files and knows
 * this program can write another history, but not one that fits the receipts it gave out, which name a hash of it.
 */
export type LedgerEntry = LedgerEvent & {
  /** From 1, without a gap but for those that an 'expired' entry names. */
  readonly n: number;
  /** Milliseconds since 1970 by the device's clock. */
  readonly at: number;
  readonly prev: string;
  readonly hash: string;
};

/** The last entry. */
export type LedgerHead = { readonly n: number; readonly hash: string };

/** What a method throws is an AgentError: STORE_FULL STORE_READ_ONLY STORE_FAILED. */
export type Ledger = {
  /**
   * In one go; on the medium when it returns. Half a line that a power loss left is removed first, and an entry
   * says so; what is wrong with the chain is noted by an entry too, and so stays told. After a fault of the disk
   * the entries may be there all the same, never half of one.
   */
  append(events: readonly LedgerEvent[]): void;
  /** Oldest first; those that are undamaged. Writes nothing, as the two below. */
  entries(): readonly LedgerEntry[];
  /** Of the last entry; undefined: there is none. */
  head(): LedgerHead | undefined;
  verify(): LedgerFinding;
  /** Takes out what has had its time, or too much room; returns how many. The old text is not overwritten. */
  expire(isClockTrusted: boolean): number;
};

/** SHA-256 of a text in UTF-8, in hex. */
export type Sha256 = (text: string) => string;

export const genesis: LedgerHead = { n: 0, hash: '0'.repeat(64) };

/** The line of the entry that follows `head`, without its line feed. */
export function ledgerLine(
  head: LedgerHead,
  event: LedgerEvent,
  at: number,
  sha256: Sha256,
): { readonly line: string; readonly head: LedgerHead } {
  checkEvent(event);
  const entry = { ...event, at, n: head.n + 1, prev: head.hash };
  const hash = sha256(canonicalJson(entry));
  return { line: canonicalJson({ ...entry, hash }), head: { n: entry.n, hash } };
}

export type LedgerFinding =
  | { readonly kind: 'intact'; readonly entries: number; readonly head: LedgerHead }
  | { readonly kind: 'broken'; readonly why: LedgerFault; readonly line: number };

export type LedgerFault =
  /** Not an entry, or not one whose hash fits what it says. */
  | 'edited'
  /** The entry before it is not the one that stood there. */
  | 'removed'
  | 'out-of-order'
  /** Fewer entries than the head has counted, or others. */
  | 'truncated'
  | 'head-missing'
  /** The chain is whole, and says itself that it was not when it was opened. */
  | 'damage-found';

/** `head`: as it is kept apart. It may be behind by what was appended last, never before. `line` counts from 1. */
export function verifyLedger(
  lines: readonly string[],
  head: LedgerHead | undefined,
  sha256: Sha256,
): LedgerFinding {
  const entries: LedgerEntry[] = [];
  for (const [index, line] of lines.entries()) {
    const entry = readEntry(line, sha256);
    const why = entry ? placeFault(entries.at(-1) ?? genesis, entry) : 'edited';
    if (why) return { kind: 'broken', why, line: index + 1 };
    if (entry) entries.push(entry);
  }
  const gaps = gapsOf(entries);
  const named = entries.findLast((entry) => entry.what === 'expired')?.gaps ?? [];
  const unnamed = gaps.find((gap, index) => !isSameGap(gap, named[index]));
  if (unnamed || gaps.length !== named.length) {
    const line = entries.findIndex(({ n }) => n > (unnamed?.from ?? 0)) + 1;
    return { kind: 'broken', why: 'removed', line };
  }
  const last = entries.at(-1) ?? genesis;
  if (!head && last !== genesis) return { kind: 'broken', why: 'head-missing', line: 0 };
  if (head && !holds(entries, gaps, head)) {
    return { kind: 'broken', why: 'truncated', line: lines.length };
  }
  const noted = entries.findIndex(({ what }) => what === 'damage-found');
  if (noted >= 0) return { kind: 'broken', why: 'damage-found', line: noted + 1 };
  return { kind: 'intact', entries: entries.length, head: { n: last.n, hash: last.hash } };
}

/** Undefined: the line is no entry, or its hash is not that of what it says. */
export function readEntry(line: string, sha256: Sha256): LedgerEntry | undefined {
  const value = parseCanonical(line);
  if (!isFramed(value)) return undefined;
  const { hash, ...rest } = value;
  return sha256(canonicalJson(rest)) === hash ? value : undefined;
}

/** What is missing between the entries, and before the first. */
export function gapsOf(entries: readonly LedgerEntry[]): readonly Gap[] {
  return entries.flatMap((entry, index) => {
    const before = entries[index - 1] ?? genesis;
    if (entry.n === before.n + 1) return [];
    return [{ from: before.n + 1, to: entry.n - 1, before: before.hash, after: entry.prev }];
  });
}

function placeFault(before: LedgerHead, entry: LedgerEntry): LedgerFault | undefined {
  if (entry.n <= before.n) return 'out-of-order';
  return entry.n === before.n + 1 && entry.prev !== before.hash ? 'removed' : undefined;
}

function holds(
  entries: readonly LedgerEntry[],
  gaps: readonly Gap[],
  { n, hash }: LedgerHead,
): boolean {
  if (n === genesis.n) return hash === genesis.hash;
  return (
    entries.some((entry) => entry.n === n && entry.hash === hash) ||
    // It has expired, and the device lost power before the head went on.
    gaps.some((gap) => gap.to === n && gap.after === hash)
  );
}

function isSameGap(a: Gap, b: Gap | undefined): boolean {
  return b !== undefined && canonicalJson(a) === canonicalJson(b);
}

/**
 * What the chain needs. That the rest is as the table has it was checked when it was written, and the hash says
 * that it is still the same; an entry of a newer doorkeep is an entry.
 */
function isFramed(value: Json | undefined): value is LedgerEntry & Record<string, Json> {
  if (typeof value !== 'object' || value === null || !('n' in value)) return false;
  const { n, at, prev, hash, what } = value;
  return (
    Number.isSafeInteger(n) &&
    Number(n) > 0 &&
    typeof at === 'number' &&
    typeof what === 'string' &&
    typeof prev === 'string' &&
    typeof hash === 'string'
  );
}
