import type { StoredRecord } from '../ports.ts';
import { bucketSlackDays, ttlDaysOf } from './age-class.ts';
import { parseLine } from './line.ts';
import { dayMs, monthLeftMs, type Now } from './month.ts';

/** What one upload sends: records of one grant, under one notice, that a bucket may keep equally long. */
export type SealedBatch = {
  /** First 32 hex digits of `sha256`: the same records are the same batch, however often they are sealed. */
  readonly id: string;
  readonly purpose: 'face-bugfix';
  readonly epoch: number;
  readonly policyVersion: string;
  /** Its age class: the bucket deletes it that many days after it came. */
  readonly ttlDays: number;
  /** Milliseconds since 1970. If it arrived later, a record of it would outlive its month: seal anew. */
  readonly sendByMs: number;
  /** What the store calls the records. */
  readonly ids: readonly number[];
  /** Dates of the earliest and the latest, by the clock of the house. */
  readonly from: string;
  readonly to: string;
  /** JSON Lines; the last has its line feed too. */
  readonly plain: Uint8Array;
  /** `plain`, compressed: what travels. */
  readonly bytes: Uint8Array;
  /** Of `bytes`, in hex. */
  readonly sha256: string;
  /** Of `bytes`, in base64. */
  readonly md5: string;
};

/** It stands in no other's way. */
export type Unsendable = {
  readonly id: number;
  readonly why: UnsendableReason;
};

export type UnsendableReason =
  /** Not a line that this agent writes, or of another notice than it was stored under. Never will be sent. */
  | 'unreadable'
  /** More than a batch may be, alone. Never will be sent under these limits. */
  | 'too-large'
  /** Its month ends too soon for a bucket, which deletes by days: until then only the device has it. */
  | 'expiring';

export type BatchLimits = { readonly maxPlainBytes: number; readonly maxBytes: number };
export const batchLimits: BatchLimits = { maxPlainBytes: 2 * 1024 ** 2, maxBytes: 256 * 1024 };

export type Sealing = {
  readonly now: Now;
  /** From now until it will have arrived at the latest. A night more in it is a night in which it may be tried again. */
  readonly sentWithinMs: number;
  readonly limits: BatchLimits;
  /** The same bytes for the same bytes. */
  readonly compress: (bytes: Uint8Array) => Uint8Array;
  /** In hex. */
  readonly sha256: (bytes: Uint8Array) => string;
  /** In base64. */
  readonly md5: (bytes: Uint8Array) => string;
};

export type Sealed = {
  /** Undefined: there is nothing to send. */
  readonly batch: SealedBatch | undefined;
  /** Met on the way. */
  readonly unsendable: readonly Unsendable[];
};

/**
 * The next batch: of the oldest record that can be sent and those that go with it, in the order of `records`,
 * as many as the limits allow. The rest is for the next call, when these have been forgotten.
 */
export function sealBatch(records: readonly StoredRecord[], sealing: Sealing): Sealed {
  const { rows, unsendable } = groupOf(records, sealing);
  for (const [index, first] of rows.entries()) {
    const packed = packedStart(rows.slice(index), sealing);
    if (packed) return { batch: sealed(first, packed, sealing), unsendable };
    unsendable.push({ id: first.id, why: 'too-large' });
  }
  return { batch: undefined, unsendable };
}

/** What a person is shown before it travels: the very bytes, and the lines they hold. */
export function previewOf({ id, sha256, ttlDays, bytes, plain }: SealedBatch) {
  const lines = new TextDecoder().decode(plain).trimEnd().split('\n');
  return { id, sha256, ttlDays, bytes, lines };
}

type Row = StoredRecord & {
  readonly date: string;
  readonly leftMs: number;
  readonly ttlDays: number;
};

/** The first group of records that go together, as many as the plain limit allows. */
function groupOf(records: readonly StoredRecord[], { now, sentWithinMs, limits }: Sealing) {
  const rows: Row[] = [];
  const unsendable: Unsendable[] = [];
  let plainBytes = 0;
  for (const record of records) {
    const leftMs = monthLeftMs(record.collected, now);
    const ttlDays = ttlDaysOf(leftMs - sentWithinMs);
    if (ttlDays === 0) {
      unsendable.push({ id: record.id, why: 'expiring' });
      continue;
    }
    const [first] = rows;
    if (first && !(isOfOneGrant(first, record) && ttlDays === first.ttlDays)) continue;
    const found = dateOf(record, limits);
    if (typeof found === 'string') {
      unsendable.push({ id: record.id, why: found });
      continue;
    }
    plainBytes += record.line.length + 1;
    if (plainBytes > limits.maxPlainBytes) break;
    rows.push({ ...record, ...found, leftMs, ttlDays });
  }
  return { rows, unsendable };
}

function isOfOneGrant(a: StoredRecord, b: StoredRecord): boolean {
  return a.epoch === b.epoch && a.policyVersion === b.policyVersion;
}

/** The date in it, by the clock of the house, or why it cannot be sent. */
function dateOf({ line, policyVersion }: StoredRecord, limits: BatchLimits) {
  if (line.length + 1 > limits.maxPlainBytes) return 'too-large';
  const parsed = parseLine(line);
  if (parsed.kind === 'unreadable') return parsed.kind;
  const { fields } = parsed;
  if (fields.policy_version !== policyVersion) return 'unreadable';
  return { date: fields.kind === 'day' ? fields.date : fields.hour.slice(0, 10) };
}

type Packed = {
  readonly rows: readonly Row[];
  readonly plain: Uint8Array;
  readonly bytes: Uint8Array;
};

/**
 * The rows from the first on that fit when compressed; undefined: not even one. It is estimated from how
 * well the last attempt compressed, and halved if three estimates were not enough.
 */
function packedStart(rows: readonly Row[], { limits, compress }: Sealing): Packed | undefined {
  let count = rows.length;
  for (let attempt = 1; ; attempt++) {
    const part = rows.slice(0, count);
    const plain = joined(part);
    const bytes = compress(plain);
    if (bytes.length <= limits.maxBytes) return { rows: part, plain, bytes };
    if (count === 1) return undefined;
    const estimate = Math.floor((count * limits.maxBytes * estimateMargin) / bytes.length);
    count = Math.max(
      1,
      attempt > 3 ? Math.min(estimate, count >> 1) : Math.min(estimate, count - 1),
    );
  }
}

/** Fewer rows compress less well. */
const estimateMargin = 0.97;

function joined(rows: readonly Row[]): Uint8Array {
  const plain = new Uint8Array(rows.reduce((sum, { line }) => sum + line.length + 1, 0));
  let at = 0;
  for (const { line } of rows) {
    plain.set(line, at);
    at += line.length + 1;
    plain[at - 1] = lineFeed;
  }
  return plain;
}

const lineFeed = 10;

function sealed(first: Row, { rows, plain, bytes }: Packed, sealing: Sealing): SealedBatch {
  const { now, sha256, md5 } = sealing;
  const { epoch, policyVersion, ttlDays } = first;
  const digest = sha256(bytes);
  const dates = rows.map(({ date }) => date).sort();
  const leftMs = Math.min(...rows.map((row) => row.leftMs));
  return {
    id: digest.slice(0, 32),
    purpose: 'face-bugfix',
    epoch,
    policyVersion,
    ttlDays,
    sendByMs: Math.floor(now.wallMs + leftMs - (ttlDays + bucketSlackDays) * dayMs),
    ids: rows.map(({ id }) => id),
    from: dates[0] ?? first.date,
    to: dates.at(-1) ?? first.date,
    plain,
    bytes,
    sha256: digest,
    md5: md5(bytes),
  };
}
