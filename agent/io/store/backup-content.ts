import { AgentError } from '../../errors.ts';
import { flag, listOf, nullOr, object, readShape, text, whole } from '../../shape.ts';
import { templateBytes } from '../../template/template.ts';
import { secureMemory } from '../process/secure-memory.ts';

/** What a backup carries: residents, their templates, and the keys these were made under. Never the root key. */
export type BackupContent = {
  readonly createdAt: number;
  readonly generations: readonly BackupGeneration[];
  readonly residents: readonly BackupResident[];
};

export type BackupGeneration = {
  readonly modelSha256: string;
  readonly version: number;
  readonly isRetiring: boolean;
  /** 32 bytes. With it and a template of its generation the face can be approximated. */
  readonly matchKey: Uint8Array;
};

export type BackupResident = {
  readonly id: string;
  readonly label: string | null;
  readonly enrolledAt: number;
  readonly templates: readonly BackupTemplate[];
};

export type BackupTemplate = {
  /** Position of its generation. */
  readonly generation: number;
  readonly label: string | null;
  readonly createdAt: number;
  readonly code: Uint8Array;
};

const keyBytes = 32;
const moment = whole(-8.64e15, 8.64e15);
const resident = text({ max: 64, pattern: /^[A-Za-z0-9._-]{1,64}$/, what: 'the id of a resident' });
const label = nullOr(text({ max: 256, pattern: /^[^\p{Cc}]+$/u, what: 'a label' }));

/** The plain part; keys and codes follow it as bytes, so that no secret is ever a string. */
const outline = object({
  createdAt: moment,
  generations: listOf(
    object({
      modelSha256: text({ pattern: /^[0-9a-f]{64}$/, what: 'the SHA-256 of a model' }),
      version: whole(1, 0xffff_ffff),
      isRetiring: flag(),
    }),
    { max: 64 },
  ),
  residents: listOf(
    object({
      id: resident,
      label,
      enrolledAt: moment,
      templates: listOf(object({ generation: whole(0, 63), label, createdAt: moment }), {
        max: 10_000,
      }),
    }),
    { max: 1_000_000 },
  ),
});

/** length of the outline (4, big endian) | outline as JSON | keys | codes. In memory that is to be wiped. */
export function encodeBackup(content: BackupContent): Uint8Array {
  const { createdAt, generations, residents } = content;
  const plain = {
    createdAt,
    generations: generations.map(({ matchKey, ...generation }) => generation),
    residents: residents.map(({ templates, ...each }) => ({
      ...each,
      templates: templates.map(({ code, ...template }) => template),
    })),
  };
  const json = new TextEncoder().encode(JSON.stringify(plain));
  const secrets = [
    ...generations.map(({ matchKey }) => matchKey),
    ...residents.flatMap(({ templates }) => templates.map(({ code }) => code)),
  ];
  const sizeBytes = secrets.reduce((sum, { length }) => sum + length, 4 + json.length);
  const bytes = secureMemory(sizeBytes);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, json.length);
  bytes.set(json, 4);
  let at = 4 + json.length;
  for (const secret of secrets) {
    bytes.set(secret, at);
    at += secret.length;
  }
  return bytes;
}

/** Keys and codes are views of `bytes`: wiping these wipes them. @throws BACKUP_INVALID */
export function decodeBackup(bytes: Uint8Array, origin: string): BackupContent {
  const invalid = (fault: string) => new AgentError('BACKUP_INVALID', `${origin} ${fault}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const jsonBytes = bytes.length < 4 ? Infinity : view.getUint32(0);
  if (jsonBytes > bytes.length - 4) throw invalid('is cut off');
  const read = readShape(outline, parsed(bytes.subarray(4, 4 + jsonBytes), invalid));
  if ('faults' in read) throw invalid(`holds what is no gallery: ${read.faults[0]}`);
  const { createdAt, generations, residents } = read.value;
  const templates = residents.flatMap((each) => each.templates);
  const expected = generations.length * keyBytes + templates.length * templateBytes;
  if (bytes.length - 4 - jsonBytes !== expected) throw invalid('has not the length it should have');
  if (templates.some(({ generation }) => generation >= generations.length)) {
    throw invalid('holds a template of no generation');
  }
  if (new Set(residents.map(({ id }) => id)).size < residents.length) {
    throw invalid('holds a resident twice');
  }
  let at = 4 + jsonBytes;
  const take = (sizeBytes: number) => {
    at += sizeBytes;
    return bytes.subarray(at - sizeBytes, at);
  };
  return {
    createdAt,
    generations: generations.map((each) => ({ ...each, matchKey: take(keyBytes) })),
    residents: residents.map((each) => ({
      ...each,
      templates: each.templates.map((template) => ({ ...template, code: take(templateBytes) })),
    })),
  };
}

function parsed(json: Uint8Array, invalid: (fault: string) => AgentError): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch {
    throw invalid('holds what is no gallery');
  }
}
