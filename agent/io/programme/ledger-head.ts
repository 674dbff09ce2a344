import { createHash } from 'node:crypto';
import { closeSync, constants, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { canonicalJson, parseCanonical } from '../../ueip/canonical-json.ts';
import { genesis, type LedgerHead } from '../../ueip/ledger.ts';
import { systemCode } from '../files/file-fault.ts';

/** Each in a block of its own: a write that power loss tears takes one of them. */
const slotsAt = [0, 4096] as const;
const slotBytes = 256;

/**
 * The last entry of the ledger, kept beside it in two places by turns, so that one of them is always whole. Both
 * are there from the first time on: later ones need no room. Throws what the system throws.
 */
export function writeLedgerHead(file: string, head: LedgerHead): void {
  const slots = readSlots(file);
  const fd = openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  try {
    for (const slot of slots.every((each) => each === undefined) ? slotsAt : [older(slots)]) {
      writeSync(fd, slotContent(head), 0, slotBytes, slot);
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The later of the two; undefined: there is none that is whole. */
export function readLedgerHead(file: string): LedgerHead | undefined {
  const [first, second] = readSlots(file);
  return !first || (second && second.n > first.n) ? second : first;
}

type Slots = readonly [LedgerHead | undefined, LedgerHead | undefined];

function readSlots(file: string): Slots {
  const bytes = readIfThere(file);
  const slot = (at: number) => parseHead(bytes.toString('utf8', at, at + slotBytes).trim());
  return [slot(slotsAt[0]), slot(slotsAt[1])];
}

function older([first, second]: Slots): number {
  const isFirst = !first || (second && first.n < second.n);
  return isFirst ? slotsAt[0] : slotsAt[1];
}

function slotContent(head: LedgerHead): Buffer {
  const content = Buffer.alloc(slotBytes, ' ');
  content.write(canonicalJson({ n: head.n, hash: head.hash, check: checkOf(head) }));
  return content;
}

function parseHead(slot: string): LedgerHead | undefined {
  const value = parseCanonical(slot);
  if (typeof value !== 'object' || value === null || !('check' in value)) return undefined;
  const { n, hash, check } = value;
  if (typeof n !== 'number' || typeof hash !== 'string' || n < genesis.n) return undefined;
  return check === checkOf({ n, hash }) ? { n, hash } : undefined;
}

function checkOf({ n, hash }: LedgerHead): string {
  return createHash('sha256').update(`${n} ${hash}`).digest('hex').slice(0, 16);
}

function readIfThere(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return Buffer.alloc(0);
    throw cause;
  }
}
