import { hash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { AgentError } from '../../errors.ts';
import {
  erasureSteps,
  erasures,
  type Receipt,
  receiptText,
  stepResults,
} from '../../rights/receipt.ts';
import {
  listOf,
  nullOr,
  number,
  object,
  oneOf,
  readShape,
  type Shape,
  text,
  whole,
} from '../../shape.ts';
import { parseCanonical } from '../../ueip/canonical-json.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { fileFault, reasonOf, systemCode } from '../files/file-fault.ts';

/**
 * Keeps a receipt, for the owner of the data directory only; returns where. Its name is its date and a part of
 * its hash: none takes the place of another.
 * @throws STORE_FULL STORE_READ_ONLY STORE_FAILED
 */
export async function storeReceipt(folder: string, receipt: Receipt): Promise<string> {
  const content = receiptText(receipt);
  const date = dateIn(receipt.finishedAt.wallMs);
  const file = join(folder, `${date}-${hash('sha256', content).slice(0, 8)}.json`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw fileFault(cause, folder);
  }
  await writeFileAtomic(file, `${content}\n`, 0o600);
  return file;
}

/** Files of kept receipts, oldest first by the device's clock. */
export function receiptFiles(folder: string): readonly string[] {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
    return names.toSorted().map((name) => join(folder, name));
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return [];
    throw fileFault(cause, folder);
  }
}

/** Removes those of before this moment by their own date: they hold nothing that must be overwritten. */
export function expireReceipts(folder: string, beforeMs: number): void {
  const before = dateIn(beforeMs);
  for (const file of receiptFiles(folder)) if (basename(file) < before) rmSync(file);
}

/** @throws INPUT_MISSING RECEIPT_INVALID */
export function readReceipt(file: string): Receipt {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new AgentError('INPUT_MISSING', `${file}: cannot be read (${reasonOf(cause)})`, {
      cause,
    });
  }
  return parseReceipt(content, file);
}

/**
 * A receipt in the one form in which it was handed out, with or without a line feed. Whether it is signed by whom
 * it says is another question (rights/receipt.ts).
 * @throws RECEIPT_INVALID, naming `origin`
 */
export function parseReceipt(content: string, origin: string): Receipt {
  const value = parseCanonical(content.endsWith('\n') ? content.slice(0, -1) : content);
  const read = readShape(receiptShape, value ?? null);
  if ('value' in read) return read.value;
  const why = value === undefined ? 'it is not in the form it was handed out in' : read.faults[0];
  throw new AgentError('RECEIPT_INVALID', `${origin}: ${why}`);
}

/** '20261122T013000Z' */
function dateIn(wallMs: number): string {
  return new Date(wallMs).toISOString().replace(/[-:]|\.\d+/g, '');
}

const wholeNumber = whole(0, Number.MAX_SAFE_INTEGER);
const hex = (bytes: number) =>
  text({ pattern: new RegExp(`^[0-9a-f]{${2 * bytes}}$`), what: `${bytes} bytes in hex` });
const word = text({ max: 64, pattern: /^[\w. -]+$/, what: 'a word' });
const instant = object({
  wallMs: number(-8.64e15, 8.64e15),
  monotonicMs: number(0, Number.MAX_SAFE_INTEGER),
});

const receiptShape: Shape<Receipt> = object({
  kind: oneOf(['ueip-erasure']),
  version: (value, place, faults): 1 => {
    if (value !== 1) faults.push(`${place}: expected 1`);
    return 1;
  },
  epoch: wholeNumber,
  decidedAt: instant,
  finishedAt: instant,
  rows: wholeNumber,
  bytes: wholeNumber,
  steps: listOf(
    object(
      {
        step: oneOf(erasureSteps),
        result: oneOf(stepResults),
        elapsedMs: wholeNumber,
        tries: wholeNumber,
      },
      { code: word, bytes: wholeNumber },
    ),
    { max: erasureSteps.length },
  ),
  fileSystem: object({ type: word, erasure: oneOf(erasures) }),
  ledgerHead: nullOr(hex(32)),
  publicKey: nullOr(hex(32)),
  signature: nullOr(hex(64)),
});
