import { isRecord, listOf, object, readShape, type Shape, text, whole } from '../../agent/shape.ts';

/** What a household was told, at the moment it was told, or what it has just asked for. */
export type Acknowledgement = { readonly atMs: number } & (
  | { readonly what: 'started' | 'opting in' }
  | { readonly what: 'granted'; readonly epoch: number }
  | { readonly what: 'stored'; readonly epoch: number; readonly rows: readonly Row[] }
  /** `markers`: the key of the grant and pieces of everything under it, in hex. */
  | { readonly what: 'opting out'; readonly epoch: number; readonly markers: readonly string[] }
  | { readonly what: 'withdrawn'; readonly epoch: number; readonly receipt: string }
);

/** A record: its id, and the first half of the SHA-256 of its line. */
export type Row = { readonly id: number; readonly digest: string };

/**
 * Where acknowledgements are written, behind the file system: one place, over and over. What was there before is in
 * the log of the disk.
 */
export const disk = {
  fileSystemBytes: 28 << 20,
  acknowledgedAt: 30 << 20,
  acknowledgementBytes: 32 << 10,
  sizeBytes: 32 << 20,
} as const;

/** JSON, then zeros. */
export function encodeAcknowledgement(given: Acknowledgement, bytes: Uint8Array): void {
  const content = Buffer.from(JSON.stringify(given));
  if (content.length > bytes.length) throw new RangeError(`${content.length} bytes do not fit`);
  bytes.fill(0);
  bytes.set(content);
}

export function decodeAcknowledgement(bytes: Uint8Array): Acknowledgement {
  const end = bytes.indexOf(0);
  const value: unknown = JSON.parse(
    Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString(),
  );
  const what = isRecord(value) ? value['what'] : undefined;
  const shape = typeof what === 'string' ? shapes[what] : undefined;
  if (!shape) throw new TypeError(`${JSON.stringify(what)} is no acknowledgement`);
  const read = readShape(shape, value);
  if ('faults' in read) throw new TypeError(`an acknowledgement: ${read.faults.join('; ')}`);
  return read.value;
}

const count = whole(0, Number.MAX_SAFE_INTEGER);
const hex = text({ max: 200, pattern: /^(?:[0-9a-f]{2})+$/, what: 'bytes in hex' });
const row = object({ id: count, digest: hex });
const said =
  <const W extends string>(what: W): Shape<W> =>
  (_value, _place, _faults) =>
    what;

const shapes: Readonly<Record<string, Shape<Acknowledgement>>> = {
  started: object({ atMs: count, what: said('started') }),
  'opting in': object({ atMs: count, what: said('opting in') }),
  granted: object({ atMs: count, what: said('granted'), epoch: count }),
  stored: object({ atMs: count, what: said('stored'), epoch: count, rows: listOf(row) }),
  'opting out': object({
    atMs: count,
    what: said('opting out'),
    epoch: count,
    markers: listOf(hex),
  }),
  withdrawn: object({
    atMs: count,
    what: said('withdrawn'),
    epoch: count,
    receipt: text({ pattern: /^[\w.-]+\.json$/, what: 'the name of a receipt' }),
  }),
};
