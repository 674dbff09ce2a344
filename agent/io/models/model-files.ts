import { join } from 'node:path';
import { AgentError } from '../../errors.ts';
import type { Model, ModelEntry, ModelTask } from '../../ports.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import type { DownloadOptions } from './download.ts';
import { readModelBytes } from './model-bytes.ts';
import { recordInIndex } from './model-index.ts';
import { prepareModel } from './model-preparation.ts';
import { recogniseModel } from './model-recognition.ts';
import { createModelSearch, type ModelFile, platformOf } from './model-search.ts';
import { openModel } from './sessions.ts';

export type ModelFilesOptions = {
  /** `models` in the data directory; made when something is first put there. */
  readonly dataModelsDir: string;
  /** Looked into last, never written to. */
  readonly extraDirs?: readonly string[];
  /** Of the manifest (manifest.ts). */
  readonly entries: readonly ModelEntry[];
  readonly download?: DownloadOptions;
};

/** Where the models' files are, how they come there, and the way to load one. */
export type ModelFiles = ReturnType<typeof createModelFiles>;

export type ModelStatus = {
  readonly entry: ModelEntry;
  readonly state: 'present' | 'missing' | 'corrupt';
  /** Undefined: it is missing. */
  readonly file: ModelFile | undefined;
  /** Why it is missing or corrupt; or how it is loaded here. */
  readonly reason: string;
};

/** Constructs only; the disk is asked by the methods. */
export function createModelFiles(options: ModelFilesOptions) {
  const { dataModelsDir, entries, extraDirs = [] } = options;
  const search = createModelSearch({ dataModelsDir, extraDirs, entries });

  /** Finds out the fastest form on this processor and writes it down. */
  async function prepare(entry: ModelEntry, bytes: Uint8Array, path: string): Promise<void> {
    const preparation = await prepareModel(entry, bytes, path);
    const { name, sha256 } = entry;
    await recordInIndex(dataModelsDir, { name, sha256, ...(await platformOf()), ...preparation });
  }

  /** MODEL_UNKNOWN, MODEL_MISSING (the message says where it was looked for). The content is not checked. */
  async function find(name: string): Promise<ModelFile> {
    return search.find(name);
  }

  /**
   * Finds the model and, where that was not done on this processor yet, its fastest form: some seconds,
   * once. MODEL_UNKNOWN, MODEL_MISSING, MODEL_CORRUPT, MODEL_MISMATCH; STORE_… if it cannot be noted.
   */
  async function ensurePrepared(name: string): Promise<ModelFile> {
    const found = await find(name);
    if (found.preparation) return found;
    await prepare(found.entry, await readModelBytes(found.entry, found.path), found.path);
    return find(name);
  }

  /** The verified model, in the form that was found for this processor. Errors as openModel; MODEL_MISMATCH: it is for another task. */
  async function open<T extends ModelTask>(
    name: string,
    task: T,
    { threads = 1 }: { readonly threads?: number } = {},
  ): Promise<Model<EntryOf<T>>> {
    const { entry, path, checked } = await find(name);
    if (!isFor(entry, task)) {
      throw new AgentError('MODEL_MISMATCH', `model ${name} is for ${entry.task}, not for ${task}`);
    }
    return openModel(entry, path, { threads, checked });
  }

  /** Every model of the manifest; those whose file is there are hashed. */
  function list(): Promise<ModelStatus[]> {
    return statuses(entries, async ({ entry, path }) => {
      await readModelBytes(entry, path);
    });
  }

  /** One model, or all whose file is there, loaded once as the agent would. */
  async function verify(name?: string): Promise<ModelStatus[]> {
    const wanted = name === undefined ? entries : [search.entry(name)];
    const found = await statuses(wanted, async ({ entry, path, checked }) => {
      const model = await openModel(entry, path, { checked });
      await model.close();
    });
    return name === undefined ? found.filter(({ state }) => state !== 'missing') : found;
  }

  async function statuses(
    wanted: readonly ModelEntry[],
    check: (file: ModelFile) => Promise<void>,
  ): Promise<ModelStatus[]> {
    const found: ModelStatus[] = [];
    for (const entry of wanted) found.push(await statusOf(entry, check));
    return found;
  }

  async function statusOf(
    entry: ModelEntry,
    check: (file: ModelFile) => Promise<void>,
  ): Promise<ModelStatus> {
    let file: ModelFile | undefined;
    try {
      file = await find(entry.name);
      await check(file);
      const reason = file.preparation?.reason ?? file.unpreparedBecause;
      return { entry, state: 'present', file, reason };
    } catch (fault) {
      if (!(fault instanceof AgentError)) throw fault;
      const state = fault.code === 'MODEL_MISSING' ? 'missing' : 'corrupt';
      return { entry, state, file, reason: fault.message };
    }
  }

  /**
   * Takes a model file that was brought along: it is recognised by its SHA-256, tried, and copied into the
   * data directory. INPUT_MISSING; MODEL_UNKNOWN: no entry describes it; MODEL_MISMATCH; STORE_….
   */
  async function importFile(path: string): Promise<ModelFile> {
    const entry = await recogniseModel(path, entries, dataModelsDir);
    const bytes = await readModelBytes(entry, path);
    await prepare(entry, bytes, path);
    await writeFileAtomic(join(dataModelsDir, entry.file), bytes);
    return find(entry.name);
  }

  /**
   * Fetches a model from the address in its entry, and makes it of what is there, unless its file is already there and whole.
   * DOWNLOAD_FAILED, MODEL_CORRUPT (other bytes than promised), MODEL_MISMATCH, STORE_….
   */
  async function pull(
    name: string,
    onProgress: (doneBytes: number, totalBytes: number) => void = () => {},
  ): Promise<ModelFile> {
    const [status] = await statuses([search.entry(name)], async ({ entry, path }) => {
      await readModelBytes(entry, path);
    });
    if (status?.state !== 'present') {
      const entry = search.entry(name);
      const path = join(dataModelsDir, entry.file);
      const how = { ...options.download, onProgress };
      // Only here: the HTTP client costs 23 MB and 100 ms, which the door never needs.
      if (entry.openvino) {
        const { downloadConverted } = await import('./ir-download.ts');
        await downloadConverted(entry, entry.openvino, path, how);
      } else {
        const { downloadModel } = await import('./download.ts');
        await downloadModel(entry, path, how);
      }
    }
    return ensurePrepared(name);
  }

  /** What `models pull recommended` brings. */
  function recommended(): readonly ModelEntry[] {
    return entries.filter((entry) => entry.recommended === true);
  }

  return {
    entry: search.entry,
    recommended,
    find,
    open,
    list,
    verify,
    importFile,
    pull,
    ensurePrepared,
  };
}

type EntryOf<T extends ModelTask> = Extract<ModelEntry, { readonly task: T }>;

function isFor<T extends ModelTask>(entry: ModelEntry, task: T): entry is EntryOf<T> {
  return entry.task === task;
}
