import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { AgentError } from '../../errors.ts';
import type { ModelEntry, SourceFile } from '../../ports.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { fileFault, systemCode } from '../files/file-fault.ts';
import { type DownloadOptions, downloadModel } from './download.ts';
import { convertIr } from './ir-convert.ts';
import { sha256Of } from './model-bytes.ts';

/**
 * Fetches the two files of an OpenVINO model to `<path>.xml` and `<path>.bin`, each checked before it bears
 * that name, makes ONNX of them, and puts it at `path` only if it is what the entry says. A later call
 * goes on with what came. Errors of downloadModel; MODEL_CORRUPT also: they could not be converted, or came
 * to something else; nothing is kept then.
 */
export async function downloadConverted(
  entry: ModelEntry,
  sources: { readonly xml: SourceFile; readonly bin: SourceFile },
  path: string,
  options: DownloadOptions = {},
): Promise<void> {
  const totalBytes = sources.xml.sizeBytes + sources.bin.sizeBytes;
  const fetchNext = async (kind: keyof typeof sources, beforeBytes: number) => {
    const source = sources[kind];
    const target = `${path}.${kind}`;
    const kept = await readWhole(source, target);
    if (kept) return kept;
    const onProgress = (doneBytes: number) =>
      options.onProgress?.(beforeBytes + doneBytes, totalBytes);
    await downloadModel({ name: entry.name, ...source }, target, { ...options, onProgress });
    return (await readWhole(source, target)) ?? mismatch(entry, `${target} was changed`);
  };
  const xml = await fetchNext('xml', 0);
  const bin = await fetchNext('bin', sources.xml.sizeBytes);
  try {
    await writeFileAtomic(path, converted(entry, xml, bin));
  } finally {
    for (const kind of ['xml', 'bin']) await rm(`${path}.${kind}`, { force: true });
  }
}

function converted(entry: ModelEntry, xml: Uint8Array, bin: Uint8Array): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = convertIr(entry, xml, bin);
  } catch (fault) {
    if (!(fault instanceof RangeError)) throw fault;
    return mismatch(entry, `its OpenVINO files cannot be converted: ${fault.message}`, fault);
  }
  if (sha256Of(bytes) === entry.sha256) return bytes;
  return mismatch(entry, 'its OpenVINO files come to another model than the manifest says');
}

/** The file's content, if it is there and what it must be. */
async function readWhole(source: SourceFile, path: string): Promise<Uint8Array | undefined> {
  try {
    const bytes = await readFile(path);
    const isWhole = createHash('sha384').update(bytes).digest('hex') === source.sha384;
    return isWhole ? bytes : undefined;
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined;
    throw fileFault(cause, path);
  }
}

function mismatch(entry: ModelEntry, why: string, cause?: unknown): never {
  throw new AgentError('MODEL_CORRUPT', `model ${entry.name}: ${why}`, { cause });
}
