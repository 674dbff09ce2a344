import { join } from 'node:path';
import { expect, test } from 'vitest';
import { presets } from '../config.ts';
import { loadManifest } from '../io/models/manifest.ts';
import { chooseModels } from '../io/models/model-choice.ts';
import { temporaryFolder } from '../test/fakes/temporary-folder.ts';
import { usedModels } from './used-models.ts';

test('what records say of the models is their hashes by the manifest, and no model is loaded', () => {
  const dataDir = join(temporaryFolder(), 'data');
  const { entries } = loadManifest(join(dataDir, 'models'));
  const { embedding } = chooseModels(presets, entries);
  const entry = entries.find(({ name }) => name === embedding.name);
  const used = usedModels({ dataDir, config: presets })();
  expect(used.embeddingSha256).toBe(entry?.sha256);
  expect(used.builds.embedding_model).toBe(entry?.sha256.slice(0, 12));
  expect(used.dimensions).toBe(256);
});

test('a model that there is not, and one that recognises nobody, are told when they are asked for', () => {
  const dir = temporaryFolder();
  const unknown = usedModels({ dataDir: dir, config: { ...presets, 'models.detection': 'none' } });
  expect(unknown).toThrow(/no model is called none/);
  const detector = { ...presets, 'models.embedding': 'yunet-n-dynamic' };
  expect(usedModels({ dataDir: dir, config: detector })).toThrow(/is no recogniser/);
});
