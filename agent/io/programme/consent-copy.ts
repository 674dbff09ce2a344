import { createHash } from 'node:crypto';
import { type Consent, isActorName, type Programme } from '../../consent/consent.ts';
import {
  isRecord,
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

const magic = 'doorkeep-consent 1';
const blockBytes = 4096;
const lineFeed = 0x0a;

/**
 * One copy of the programme as its file holds it: a line with the SHA-256 and the length of what follows, one
 * line of JSON, and line feeds up to `sizeBytes`, over whatever longer content stood there before.
 * @throws TypeError if it is not what `decodeCopy` would take
 */
export function encodeCopy(programme: Programme, sizeBytes: number): Uint8Array {
  const content = contentOf(programme);
  if (content.length > sizeBytes) throw new TypeError('the programme is longer than its file');
  const bytes = new Uint8Array(sizeBytes).fill(lineFeed);
  bytes.set(content);
  return bytes;
}

/**
 * How large the file must be for it, in whole blocks. Beside a grant there is room for its withdrawal with an
 * order for everything sent, so that the withdrawal, written in place, needs no new block of a full disk.
 * An order is less than twice as long as the entry of a batch that it is about.
 */
export function copySizeBytes(programme: Programme): number {
  const { length } = contentOf(programme);
  const needed = programme.consent.state === 'granted' ? 3 * length + blockBytes / 2 : length;
  return Math.ceil(needed / blockBytes) * blockBytes;
}

/** A fault says what is wrong with it: a copy that is not exactly right is no copy. */
export function decodeCopy(
  bytes: Uint8Array,
): { readonly programme: Programme } | { readonly fault: string } {
  const end = bytes.indexOf(lineFeed);
  const head = /^doorkeep-consent 1 ([0-9a-f]{64}) (\d{1,9})$/.exec(textOf(bytes.subarray(0, end)));
  const [, digest, length] = head ?? [];
  if (end < 0 || digest === undefined) return { fault: 'is no copy of a consent' };
  const json = bytes.subarray(end + 1, end + 1 + Number(length));
  if (json.length !== Number(length)) return { fault: 'is cut short' };
  if (sha256Of(json) !== digest) return { fault: 'was changed, or written only in part' };
  const read = readShape(programmeShape, JSON.parse(textOf(json)));
  return 'value' in read ? { programme: read.value } : { fault: read.faults.join('; ') };
}

function contentOf(programme: Programme): Uint8Array {
  const json = Buffer.from(JSON.stringify(programme));
  const read = readShape(programmeShape, JSON.parse(json.toString()));
  if ('faults' in read) throw new TypeError(`no such programme: ${read.faults.join('; ')}`);
  return Buffer.concat([Buffer.from(`${magic} ${sha256Of(json)} ${json.length}\n`), json]);
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}

const counted = whole(0, Number.MAX_SAFE_INTEGER);
/** What a date can hold. */
const wallMs = number(-8.64e15, 8.64e15);
const instant = object({ wallMs, monotonicMs: number(0, Number.MAX_VALUE) });
const uuidV4 = text({
  pattern: /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  what: 'a UUID of version 4',
});
const id = text({ pattern: /^[A-Za-z0-9._-]{1,64}$/, what: 'an id' });
const region = text({ pattern: /^[a-z0-9][a-z0-9-]{0,63}$/, what: 'a region' });
const objectKey = text({ pattern: /^[\x21\x23-\x5b\x5d-\x7e]{1,1000}$/, what: 'an object key' });
const date = text({ pattern: /^\d{4}-\d{2}-\d{2}$/, what: 'a date' });

const actorName: Shape<string> = (value, place, faults) => {
  if (typeof value === 'string' && isActorName(value)) return value;
  faults.push(`${place}: expected the name of who decided`);
  return '';
};
const actor = object({ name: actorName, channel: oneOf(['cli', 'page', 'host']) });

const granted = object({
  state: oneOf(['granted']),
  policyVersion: id,
  textSha256: text({ pattern: /^[0-9a-f]{64}$/, what: 'a SHA-256' }),
  region,
  by: actor,
  since: instant,
  consentId: uuidV4,
});
const withdrawn = object({ state: oneOf(['withdrawn']), by: actor, at: instant });
const neverAsked = object({ state: oneOf(['never-asked']) });

const consent: Shape<Consent> = (value, place, faults) => {
  const state = isRecord(value) ? value['state'] : undefined;
  if (state === 'granted') return granted(value, place, faults);
  if (state === 'withdrawn') return withdrawn(value, place, faults);
  return neverAsked(value, place, faults);
};

/** More than a month of nights could fill. */
const most = { max: 10_000 };

const programmeShape: Shape<Programme> = object({
  sequence: counted,
  epoch: counted,
  consent,
  wipe: oneOf(['none', 'due']),
  sent: listOf(
    object({
      batchId: id,
      epoch: counted,
      consentId: uuidV4,
      region,
      objectKey: nullOr(objectKey),
      state: oneOf(['maybe', 'stored']),
      markedAtMs: wallMs,
      expiresAtMs: wallMs,
    }),
    most,
  ),
  orders: listOf(
    object({
      erasureId: id,
      consentId: uuidV4,
      objectKeys: listOf(objectKey, most),
      requestedAtMs: wallMs,
      lastTriedOn: nullOr(date),
      tries: counted,
    }),
    most,
  ),
});
