import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError } from '../../errors.ts';
import type { ModelEntry } from '../../ports.ts';
import { readShape } from '../../shape.ts';
import { reasonOf, systemCode } from '../files/file-fault.ts';
import { inPackage } from '../files/package-root.ts';
import { contradictions, manifestShape } from './manifest-shape.ts';

/** The models that doorkeep knows: its own manifest, and what the maker of the device adds to it. */
export type Manifest = {
  readonly entries: readonly ModelEntry[];
  /** Names that only the maker's manifest has, and names whose entry it replaces. */
  readonly added: readonly string[];
  readonly replaced: readonly string[];
};

/** Name of the maker's manifest in the models folder of the data directory. */
export const makerManifest = 'manifest.json';

const ownManifest = inPackage('agent/models/manifest.json');

/**
 * doorkeep's manifest, and over it that of the device's maker, `<modelsDir>/manifest.json`, if there is
 * one: an entry of the same name takes the place of ours, in its place. CONFIG_INVALID names the file and every fault.
 */
export function loadManifest(modelsDir?: string): Manifest {
  const own = readManifest(ownManifest);
  const makers = modelsDir === undefined ? [] : readMakerManifest(join(modelsDir, makerManifest));
  const isOurs = (entry: ModelEntry) => ofName(own, entry) !== undefined;
  const added = makers.filter((entry) => !isOurs(entry));
  return {
    entries: [...own.map((entry) => ofName(makers, entry) ?? entry), ...added],
    added: added.map(({ name }) => name),
    replaced: makers.filter(isOurs).map(({ name }) => name),
  };
}

function ofName(entries: readonly ModelEntry[], { name }: ModelEntry): ModelEntry | undefined {
  return entries.find((each) => each.name === name);
}

/** The entries of one manifest file. INPUT_MISSING: it cannot be read. CONFIG_INVALID: what is wrong with it. */
function readManifest(path: string): readonly ModelEntry[] {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new AgentError('INPUT_MISSING', `${path}: cannot be read (${reasonOf(cause)})`, {
      cause,
    });
  }
  return parseManifest(content, path);
}

/** The same for text; `origin` names it in messages. */
export function parseManifest(content: string, origin: string): readonly ModelEntry[] {
  let json: unknown;
  try {
    json = JSON.parse(content);
  } catch (cause) {
    const message = `${origin}: is not JSON (${reasonOf(cause)})`;
    throw new AgentError('CONFIG_INVALID', message, { cause });
  }
  const read = readShape(manifestShape, json);
  const faults = 'value' in read ? contradictions(read.value.models) : read.faults;
  if ('value' in read && faults.length === 0) return read.value.models;
  throw new AgentError('CONFIG_INVALID', `${origin}: ${faults.join('; ')}`);
}

function readMakerManifest(path: string): readonly ModelEntry[] {
  try {
    const entries = readManifest(path);
    const [builtin] = entries.filter((entry) => entry.builtin);
    if (!builtin) return entries;
    const message = `${path}: ${builtin.name}: builtin: only doorkeep's own models are built in`;
    throw new AgentError('CONFIG_INVALID', message);
  } catch (fault) {
    const absent = fault instanceof AgentError && systemCode(fault.cause) === 'ENOENT';
    if (absent) return [];
    throw fault;
  }
}
