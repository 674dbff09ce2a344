import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError } from '../../errors.ts';
import type { ModelEntry } from '../../ports.ts';
import { inPackage } from '../files/package-root.ts';
import { type IndexRecord, readModelIndex } from './model-index.ts';
import type { Preparation } from './model-preparation.ts';
import { loadRuntime } from './onnx-runtime.ts';
import type { CheckedForm } from './sessions.ts';

export type ModelFile = {
  readonly entry: ModelEntry;
  readonly path: string;
  /** Imported or pulled; came with doorkeep; from a folder the caller named. */
  readonly origin: 'data' | 'builtin' | 'extra';
  /** What holds on this processor; undefined: the model is loaded unchanged, `unpreparedBecause` says why. */
  readonly preparation: Preparation | undefined;
  readonly unpreparedBecause: string;
  /** For openModel. */
  readonly checked: CheckedForm | undefined;
};

export type ModelSearch = {
  /** MODEL_UNKNOWN: the manifest has no such model. */
  entry(name: string): ModelEntry;
  /** The first place that has the file decides: a damaged file hides no whole one elsewhere, it is refused when opened. */
  find(name: string): Promise<ModelFile>;
};

const builtinDir = inPackage('agent/models');

/** The order: the data directory, the models that came with doorkeep, the caller's folders. */
export function createModelSearch(options: {
  readonly dataModelsDir: string;
  readonly extraDirs: readonly string[];
  readonly entries: readonly ModelEntry[];
}): ModelSearch {
  const { dataModelsDir, extraDirs, entries } = options;
  const places = [
    { origin: 'data', folder: dataModelsDir },
    { origin: 'builtin', folder: builtinDir },
    ...extraDirs.map((folder) => ({ origin: 'extra', folder }) as const),
  ] as const;

  function entry(name: string): ModelEntry {
    const known = entries.find((candidate) => candidate.name === name);
    if (known) return known;
    throw new AgentError('MODEL_UNKNOWN', `no model is named ${name}`);
  }

  async function find(name: string): Promise<ModelFile> {
    const wanted = entry(name);
    const place = places.find(({ folder }) => existsSync(join(folder, wanted.file)));
    if (!place) {
      const folders = places.map(({ folder }) => folder).join(', ');
      throw new AgentError(
        'MODEL_MISSING',
        `model ${name}: ${wanted.file} is in none of ${folders}`,
      );
    }
    const path = join(place.folder, wanted.file);
    return { entry: wanted, path, origin: place.origin, ...(await preparationOf(wanted)) };
  }

  async function preparationOf(wanted: ModelEntry) {
    const { records, fault } = await readModelIndex(dataModelsDir);
    const record = records.find(({ name }) => name === wanted.name);
    if (record && (await holdsHere(record, wanted))) {
      return { preparation: record, unpreparedBecause: '', checked: checkedForm(record) };
    }
    const unpreparedBecause = fault ?? 'not prepared on this processor yet';
    return { preparation: undefined, unpreparedBecause, checked: undefined };
  }

  return { entry, find };
}

/** What a preparation holds for, besides the model. */
export async function platformOf(): Promise<{ architecture: string; runtime: string }> {
  const { env } = await loadRuntime();
  return { architecture: process.arch, runtime: env.versions.node ?? env.versions.common };
}

async function holdsHere(record: IndexRecord, entry: ModelEntry): Promise<boolean> {
  const { architecture, runtime } = await platformOf();
  return (
    record.sha256 === entry.sha256 &&
    record.architecture === architecture &&
    record.runtime === runtime
  );
}

function checkedForm({ prepared, preparedSha256 }: IndexRecord): CheckedForm | undefined {
  return prepared === 'unchanged' ? undefined : { form: prepared, sha256: preparedSha256 };
}
