import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { listOf, object, readShape, text, whole } from '../../shape.ts';
import type { Outbox, WaitingBatch } from '../../upload/pass.ts';
import { sha256Hex } from '../files/digests.ts';
import { eraseFile } from '../files/erase-files.ts';
import { fileFault, systemCode } from '../files/file-fault.ts';
import { readSealedFile, writeSealedFile } from '../files/sealed-file.ts';

const lineFeed = 0x0a;
const count = whole(0, Number.MAX_SAFE_INTEGER);
const digits = (length: number) =>
  text({ pattern: new RegExp(`^[0-9a-f]{${length}}$`), what: `${length} hex digits` });

/** What a batch is besides its bytes, as the first line of its file. */
const headShape = object({
  id: digits(32),
  epoch: count,
  policyVersion: text({ max: 64 }),
  ttlDays: whole(1, 31),
  sendByMs: whole(-8.64e15, 8.64e15),
  ids: listOf(count, { max: 1_000_000 }),
  from: text({ max: 32 }),
  to: text({ max: 32 }),
  sha256: digits(64),
  md5: text({ max: 32 }),
});

/**
 * The bytes of batches from before their first journey until the receipt: a file each in `folder`, sealed under
 * the key of the grant.
 */
export function openOutbox(folder: string, keyFile: string): Outbox {
  const fileOf = (id: string) => join(folder, `${id}.batch`);

  function read(name: string): WaitingBatch | undefined {
    const path = join(folder, name);
    const batch = parsed(readSealedFile(path, keyFile));
    if (batch !== undefined && path === fileOf(batch.id)) return batch;
    // Half written, or under a key that is gone: its records are still there, it can be made again.
    eraseFile(path);
    return undefined;
  }

  return {
    waiting() {
      return namesIn(folder)
        .flatMap((name) => read(name) ?? [])
        .toSorted((a, b) => a.sendByMs - b.sendByMs || (a.id < b.id ? -1 : 1));
    },
    add({ bytes, ...head }) {
      const first = Buffer.from(`${JSON.stringify(head)}\n`);
      writeSealedFile(fileOf(head.id), Buffer.concat([first, bytes]), keyFile);
    },
    remove(batchId) {
      eraseFile(fileOf(batchId));
    },
  };
}

function parsed(content: Uint8Array | undefined): WaitingBatch | undefined {
  const end = content?.indexOf(lineFeed) ?? -1;
  if (content === undefined || end < 0) return undefined;
  const read = readShape(headShape, jsonOf(content.subarray(0, end)));
  if (!('value' in read)) return undefined;
  const bytes = content.slice(end + 1);
  return sha256Hex(bytes) === read.value.sha256 ? { ...read.value, bytes } : undefined;
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return [];
    throw fileFault(cause, folder);
  }
}
