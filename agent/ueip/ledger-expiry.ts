import { canonicalJson } from './canonical-json.ts';
import {
  gapsOf,
  genesis,
  type LedgerEntry,
  type LedgerHead,
  ledgerLine,
  readEntry,
  type Sha256,
} from './ledger.ts';
import { isLedgerWhat, ledgerKeepDays, ledgerTable } from './ledger-events.ts';

export type ExpiryLimits = {
  readonly wallMs: number;
  /** False: nothing is too old, only too much. */
  readonly isClockTrusted: boolean;
  readonly maxBytes: number;
};

export type ExpiredLedger = {
  readonly lines: readonly string[];
  readonly head: LedgerHead;
  readonly removed: number;
};

/**
 * The ledger without what has had its time, or beyond `maxBytes` without the oldest, requests first; an entry of its own
 * says what is gone, so that the rest is still a chain. Undefined: nothing is due. Lines that are no entries go
 * with the first that are due, and leave the mark of that.
 */
export function expireLedger(
  lines: readonly string[],
  head: LedgerHead,
  now: ExpiryLimits,
  sha256: Sha256,
): ExpiredLedger | undefined {
  const entries = inOrder(lines.flatMap((line) => readEntry(line, sha256) ?? []));
  const young = youngOf(entries, now);
  // Down to three quarters, so that the next entry does not ask for the same again; and further where the
  // naming of what is gone takes too much room itself.
  for (let share = 0.75; ; share /= 2) {
    const kept = within(now.maxBytes, share, young);
    if (kept.length === entries.length) return undefined;
    const why = kept === young ? 'age' : 'size';
    const expired = rewritten(entries, kept, head, { why, wallMs: now.wallMs }, sha256);
    if (sizeOf(expired.lines) <= now.maxBytes || expired.lines.length === 1) return expired;
  }
}

const dayMs = 86_400_000;

function rewritten(
  entries: readonly LedgerEntry[],
  kept: readonly LedgerEntry[],
  head: LedgerHead,
  { why, wallMs }: { readonly why: 'age' | 'size'; readonly wallMs: number },
  sha256: Sha256,
): ExpiredLedger {
  const rest = kept.filter(({ what }) => what !== 'expired');
  // The last of all may be gone too: the gap behind the rest ends where the new entry begins.
  const gaps = gapsOf(rest);
  const last = rest.at(-1) ?? genesis;
  const open = { from: last.n + 1, to: head.n, before: last.hash, after: head.hash };
  const event = {
    what: 'expired',
    why,
    entries: entries.length - kept.length,
    gaps: last.n < head.n ? [...gaps, open] : gaps,
  } as const;
  const written = ledgerLine(head, event, wallMs, sha256);
  const lines = [...rest.map(lineOf), written.line];
  return { lines, head: written.head, removed: event.entries };
}

function youngOf(
  entries: readonly LedgerEntry[],
  { wallMs, isClockTrusted }: ExpiryLimits,
): readonly LedgerEntry[] {
  const happened = times(entries, wallMs);
  return entries.filter((entry, index) => {
    const days = keepDaysOf(entry);
    if (days === null || !isClockTrusted) return true;
    return wallMs - (happened[index] ?? 0) < days * dayMs;
  });
}

/** The oldest requests give way first, then the oldest of all. */
function within(
  maxBytes: number,
  share: number,
  entries: readonly LedgerEntry[],
): readonly LedgerEntry[] {
  let sizeBytes = sizeOf(entries.map(lineOf));
  if (sizeBytes <= maxBytes && share === 0.75) return entries;
  const withoutOldest = (all: readonly LedgerEntry[], mayGo: (what: unknown) => boolean) =>
    all.filter((entry) => {
      if (sizeBytes <= maxBytes * share || !mayGo(entry.what)) return true;
      sizeBytes -= sizeOf([lineOf(entry)]);
      return false;
    });
  const first = withoutOldest(entries, (what) => what === 'request');
  return withoutOldest(first, (what) => what !== 'expired');
}

function lineOf(entry: LedgerEntry): string {
  return canonicalJson({ ...entry });
}

function sizeOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + line.length + 1, 0);
}

/**
 * When each happened, as far as it is known: not before what came before it, and not after now. So an entry that a
 * wrong clock dated into the future gets old as any other, and one dated to 1970 is not gone at once.
 */
function times(entries: readonly LedgerEntry[], wallMs: number): readonly number[] {
  let known = Number.NEGATIVE_INFINITY;
  return entries.map(({ at }) => {
    if (at <= wallMs) known = Math.max(known, at);
    return Number.isFinite(known) ? known : wallMs;
  });
}

/** What a newer doorkeep wrote is kept as long as anything. */
function keepDaysOf({ what }: { readonly what: unknown }): number | null {
  return isLedgerWhat(what) ? ledgerKeepDays[ledgerTable[what].keep] : ledgerKeepDays.decision;
}

/** Of entries with the same number the first. */
function inOrder(entries: readonly LedgerEntry[]): readonly LedgerEntry[] {
  return entries
    .toSorted((a, b) => a.n - b.n)
    .filter((entry, index, all) => entry.n !== all[index - 1]?.n);
}
