import type { Place } from '../agent.ts';
import { AgentError } from '../errors.ts';
import { sha256Hex } from '../io/files/digests.ts';
import { loadManifest } from '../io/models/manifest.ts';
import { chooseModels, type ModelChoice } from '../io/models/model-choice.ts';
import { layoutOf } from '../io/process/environment.ts';
import { agentVersion } from '../io/programme/release.ts';
import type { ModelEntry } from '../ports.ts';
import { type Builds, buildsOf } from '../ueip/builds.ts';

/** What records say of the models that the settings ask for, by the manifest; no model is loaded. */
export type UsedModels = {
  readonly builds: Builds;
  readonly embeddingSha256: string;
  readonly dimensions: number;
};

/** Looked up once, when it is first needed. @throws MODEL_UNKNOWN */
export function usedModels(place: Place): () => UsedModels {
  let found: UsedModels | undefined;
  return () => {
    found ??= lookedUp(place);
    return found;
  };
}

function lookedUp({ dataDir, config }: Place): UsedModels {
  const { entries } = loadManifest(layoutOf(dataDir).models);
  const sha256Of = ({ name }: ModelChoice) => entryNamed(entries, name).sha256;
  const inUse = chooseModels(config, entries);
  const embedding = entryNamed(entries, inUse.embedding.name);
  if (embedding.task !== 'embedding') {
    throw new AgentError('MODEL_MISMATCH', `${embedding.name} is no recogniser`);
  }
  return {
    embeddingSha256: embedding.sha256,
    dimensions: embedding.dimensions,
    builds: buildsOf(
      {
        agentVersion: agentVersion(),
        detectionSha256: sha256Of(inUse.detection),
        embeddingSha256: embedding.sha256,
        padSha256: inUse.pad.map(sha256Of),
      },
      sha256Hex,
    ),
  };
}

function entryNamed(entries: readonly ModelEntry[], name: string): ModelEntry {
  const entry = entries.find((each) => each.name === name);
  if (!entry) throw new AgentError('MODEL_UNKNOWN', `no model is called ${name}`);
  return entry;
}
