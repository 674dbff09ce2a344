import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../../ports.ts';
import {
  genesis,
  type Ledger,
  type LedgerFinding,
  type LedgerHead,
  ledgerLine,
  readEntry,
  verifyLedger,
} from '../../ueip/ledger.ts';
import type { LedgerEvent } from '../../ueip/ledger-events.ts';
import { expireLedger } from '../../ueip/ledger-expiry.ts';
import { fileFault, systemCode } from '../files/file-fault.ts';
import { syncFolderNow } from '../files/overwrite-file.ts';
import { readLedgerHead, writeLedgerHead } from './ledger-head.ts';

/** A request takes 450 bytes, a night some six of them. */
const presetMaxBytes = 256 * 1024;

/** The history of the programme. Any may read it, one writes. Nothing is made before the first entry. */
export function openLedger(options: {
  readonly file: string;
  readonly clock: Pick<Clock, 'wallMs'>;
  /** Beyond this the oldest requests give way. */
  readonly maxBytes?: number;
}): Ledger {
  const { file, clock, maxBytes = presetMaxBytes } = options;

  function expire(isClockTrusted: boolean): number {
    const { lines, base } = readLedger(file);
    const limits = { wallMs: clock.wallMs(), isClockTrusted, maxBytes };
    const expired = expireLedger(lines, base, limits, sha256);
    if (!expired) return 0;
    replaceFile(file, textOf(expired.lines));
    writeLedgerHead(headFile(file), expired.head);
    return expired.removed;
  }

  function append(events: readonly LedgerEvent[]): void {
    const found = readLedger(file);
    let head = found.base;
    const lines = [...mendingEvents(found), ...events].map((event) => {
      const next = ledgerLine(head, event, clock.wallMs(), sha256);
      head = next.head;
      return next.line;
    });
    if (lines.length === 0) return;
    // Before the first entry: a ledger without its head is one whose head was taken away.
    if (found.isNew) begin(file);
    writeAt(file, found.wholeBytes, (found.lacksLineFeed ? '\n' : '') + textOf(lines));
    writeLedgerHead(headFile(file), head);
    if (found.wholeBytes > maxBytes) expire(false);
  }

  const guarded =
    <A extends readonly unknown[], T>(work: (...args: A) => T) =>
    (...args: A): T => {
      try {
        return work(...args);
      } catch (cause) {
        throw systemCode(cause) === undefined ? cause : fileFault(cause, file);
      }
    };

  return {
    append: guarded(append),
    entries: guarded(() => readLedger(file).lines.flatMap((line) => readEntry(line, sha256) ?? [])),
    head: guarded(() => {
      const { base } = readLedger(file);
      return base.n === genesis.n ? undefined : base;
    }),
    verify: guarded(() => findingOf(readLedger(file))),
    expire: guarded(expire),
  };
}

type Found = {
  readonly isNew: boolean;
  readonly lines: readonly string[];
  /** Up to where the file is lines; what follows is half of one. */
  readonly wholeBytes: number;
  readonly tornBytes: number;
  /** The last line is an entry, and only its line feed is missing. */
  readonly lacksLineFeed: boolean;
  /** What the next entry follows: the last one that is there, or was. */
  readonly base: LedgerHead;
  /** As it is kept apart. */
  readonly head: LedgerHead | undefined;
};

function readLedger(file: string): Found {
  // The head first: an entry that another process adds meanwhile is then one too many, not one too few.
  const head = readLedgerHead(headFile(file));
  const bytes = readIfThere(file);
  const tailAt = bytes.lastIndexOf('\n') + 1;
  const tail = bytes.toString('utf8', tailAt);
  const lines = tailAt === 0 ? [] : bytes.toString('utf8', 0, tailAt - 1).split('\n');
  const lacksLineFeed = readEntry(tail, sha256) !== undefined;
  if (lacksLineFeed) lines.push(tail);
  const last = lastEntry(lines) ?? genesis;
  const { n, hash } = head && head.n > last.n ? head : last;
  return {
    isNew: bytes.length === 0 && head === undefined,
    lines,
    wholeBytes: lacksLineFeed ? bytes.length : tailAt,
    tornBytes: lacksLineFeed ? 0 : bytes.length - tailAt,
    lacksLineFeed,
    base: { n, hash },
    head,
  };
}

function findingOf({ lines, head }: Found): LedgerFinding {
  return verifyLedger(lines, head, sha256);
}

function lastEntry(lines: readonly string[]): LedgerHead | undefined {
  for (const line of lines.toReversed()) {
    const entry = readEntry(line, sha256);
    if (entry) return entry;
  }
  return undefined;
}

function mendingEvents(found: Found): readonly LedgerEvent[] {
  const { lines, tornBytes } = found;
  const finding = findingOf(found);
  const events: LedgerEvent[] = [];
  if (tornBytes > 0) events.push({ what: 'repaired', droppedBytes: tornBytes });
  if (finding.kind === 'intact' || finding.why === 'damage-found') return events;
  const { why, line } = finding;
  const noted = lines
    .flatMap((each) => readEntry(each, sha256) ?? [])
    .findLast(({ what }) => what === 'damage-found');
  const isNoted = noted?.what === 'damage-found' && noted.why === why && noted.line === line;
  return isNoted ? events : [...events, { what: 'damage-found', why, line }];
}

function begin(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeLedgerHead(headFile(file), genesis);
}

/** Whole or, should the disk be full, not at all; a process that dies here leaves half a line at the end. */
function writeAt(file: string, at: number, text: string): void {
  const bytes = Buffer.from(text);
  const fd = openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  try {
    ftruncateSync(fd, at);
    try {
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(fd, bytes, done, bytes.length - done, at + done);
      }
    } catch (cause) {
      ftruncateSync(fd, at);
      throw cause;
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  if (at === 0) syncFolderNow(dirname(file));
}

function replaceFile(file: string, text: string): void {
  const unfinished = `${file}.tmp`;
  writeAt(unfinished, 0, text);
  renameSync(unfinished, file);
  syncFolderNow(dirname(file));
}

function readIfThere(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return Buffer.alloc(0);
    throw cause;
  }
}

function headFile(file: string): string {
  return `${file}.head`;
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
