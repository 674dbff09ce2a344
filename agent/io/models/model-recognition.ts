import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AgentError } from '../../errors.ts';
import type { ModelEntry } from '../../ports.ts';
import { reasonOf } from '../files/file-fault.ts';
import { makerManifest } from './manifest.ts';

/** Files above this are not even hashed: door models have some megabytes. */
const mostBytes = 1024 ** 3;

/**
 * The entry that describes this very file: the same bytes, whatever it is called. INPUT_MISSING: it
 * cannot be read. MODEL_UNKNOWN says how the file could be declared.
 */
export async function recogniseModel(
  path: string,
  entries: readonly ModelEntry[],
  modelsDir: string,
): Promise<ModelEntry> {
  const size = await sizeOf(path);
  if (size > mostBytes) throw new AgentError('MODEL_UNKNOWN', `${path}: too large for a model`);
  const sha256 = await sha256OfFile(path);
  const entry = entries.find((candidate) => candidate.sha256 === sha256);
  if (entry) return entry;
  const namesake = entries.find(({ file }) => file === basename(path));
  const resembles = namesake
    ? ` It has the name of ${namesake.name} but not its content (${size} bytes, not ${namesake.sizeBytes}).`
    : '';
  const message = `${path}: no manifest entry has its SHA-256, ${sha256}.${resembles} To use another model, describe it in ${join(modelsDir, makerManifest)}.`;
  throw new AgentError('MODEL_UNKNOWN', message);
}

async function sizeOf(path: string): Promise<number> {
  try {
    const found = await stat(path);
    if (found.isFile()) return found.size;
  } catch (cause) {
    throw new AgentError('INPUT_MISSING', `${path}: cannot be read (${reasonOf(cause)})`, {
      cause,
    });
  }
  throw new AgentError('INPUT_MISSING', `${path}: is not a file`);
}

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk);
  } catch (cause) {
    throw new AgentError('INPUT_MISSING', `${path}: cannot be read (${reasonOf(cause)})`, {
      cause,
    });
  }
  return hash.digest('hex');
}
