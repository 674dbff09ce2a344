import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { AgentError } from '../../errors.ts';
import type { ModelEntry } from '../../ports.ts';
import { reasonOf } from '../files/file-fault.ts';

/**
 * The content of a model's file, which is what its manifest entry says it is: length and SHA-256 are
 * those of the very bytes that are returned. MODEL_MISSING: it cannot be read. MODEL_CORRUPT: it is
 * another file. A file of another length is not read at all, however large.
 */
export async function readModelBytes(entry: ModelEntry, file: string): Promise<Uint8Array> {
  const handle = await openFile(entry, file);
  try {
    const { size } = await handle.stat();
    if (size !== entry.sizeBytes) {
      throw corrupt(entry, file, `it has ${size} bytes instead of ${entry.sizeBytes}`);
    }
    const bytes = await handle.readFile();
    if (sha256Of(bytes) !== entry.sha256) throw corrupt(entry, file, 'its SHA-256 is another');
    return bytes;
  } catch (cause) {
    if (cause instanceof AgentError) throw cause;
    throw missing(entry, file, cause);
  } finally {
    await handle.close();
  }
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function openFile(entry: ModelEntry, file: string): Promise<FileHandle> {
  try {
    return await open(file, 'r');
  } catch (cause) {
    throw missing(entry, file, cause);
  }
}

function missing(entry: ModelEntry, file: string, cause: unknown): AgentError {
  const message = `model ${entry.name}: ${file} cannot be read (${reasonOf(cause)})`;
  return new AgentError('MODEL_MISSING', message, { cause });
}

function corrupt(entry: ModelEntry, file: string, why: string): AgentError {
  return new AgentError('MODEL_CORRUPT', `model ${entry.name}: ${file} is damaged: ${why}`);
}
