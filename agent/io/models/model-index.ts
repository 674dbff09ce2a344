import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  listOf,
  nullOr,
  number,
  object,
  oneOf,
  readShape,
  type Shaped,
  text,
  whole,
} from '../../shape.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { reasonOf, systemCode } from '../files/file-fault.ts';
import { preluForms } from './prelu-rewrite.ts';

/** What was found out about a model on this device (model-preparation.ts), and for what it holds. */
export type IndexRecord = Shaped<typeof recordShape>;

export type ModelIndex = {
  readonly records: readonly IndexRecord[];
  /** Why the file could not be used; its records are then taken as none, and the next one replaces it. */
  readonly fault?: string;
};

const sha256 = text({ pattern: /^[0-9a-f]{64}$/, what: '64 hexadecimal digits' });

const recordShape = object({
  name: text({ max: 64 }),
  /** Of the original file, as in the manifest. */
  sha256,
  /** `process.arch`, and the version of onnxruntime. */
  architecture: text({ max: 32 }),
  runtime: text({ max: 32 }),
  prepared: oneOf([...preluForms, 'unchanged']),
  preparedSha256: sha256,
  reason: text({ max: 4000 }),
  originalMs: nullOr(number(0, 1e6)),
  preparedMs: nullOr(number(0, 1e6)),
});

const indexShape = object({ version: whole(1, 1), models: listOf(recordShape) });

/**
 * The records of `<modelsDir>/models.json`. It holds only what can be found out again: a file that
 * cannot be read costs speed, not the door.
 */
export async function readModelIndex(modelsDir: string): Promise<ModelIndex> {
  const path = indexPath(modelsDir);
  try {
    const read = readShape(indexShape, JSON.parse(await readFile(path, 'utf8')));
    if ('value' in read) return { records: read.value.models };
    return { records: [], fault: `${path}: ${read.faults.join('; ')}` };
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return { records: [] };
    return { records: [], fault: `${path}: ${reasonOf(cause)}` };
  }
}

/** Adds the record, or puts it in the place of the one of that name. */
export async function recordInIndex(modelsDir: string, record: IndexRecord): Promise<void> {
  const { records } = await readModelIndex(modelsDir);
  const others = records.filter(({ name }) => name !== record.name);
  const models = [...others, record].sort((a, b) => (a.name < b.name ? -1 : 1));
  await writeFileAtomic(
    indexPath(modelsDir),
    `${JSON.stringify({ version: 1, models }, null, 2)}\n`,
  );
}

function indexPath(modelsDir: string): string {
  return join(modelsDir, 'models.json');
}
