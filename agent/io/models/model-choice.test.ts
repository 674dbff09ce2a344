import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { presets, readSettings } from '../../config.ts';
import type { ModelEntry } from '../../ports.ts';
import { tinyModel } from '../../test/fakes/tiny-model.ts';
import { inPackage } from '../files/package-root.ts';
import { loadManifest } from './manifest.ts';
import { readModelBytes } from './model-bytes.ts';
import { chooseModels, namesOf, settingsFor, useOf } from './model-choice.ts';

const { entries } = loadManifest();
const { entry: tiny } = tinyModel({ name: 'makers-own' });
const builtIn = tinyModel({ name: 'ours' }).entry;
/** What must be fetched. */
const fetched = entries.filter(({ builtin }) => !builtin);
const withBuiltIn: readonly ModelEntry[] = [...fetched, { ...builtIn, builtin: true }];
const naming = (models: object) => readSettings({ models }, 'a test');

describe('which recogniser is used', () => {
  test('the one that the settings name, even where another is built in', () => {
    const config = naming({ embedding: 'mobilefacenet-ms1m-128d' });
    const { embedding } = chooseModels(config, withBuiltIn);
    expect(embedding).toEqual({ name: 'mobilefacenet-ms1m-128d', because: 'named' });
  });

  test("the device maker's own, once the settings name it, and not before", () => {
    const all = [...withBuiltIn, tiny];
    expect(chooseModels(presets, all).embedding.name).toBe('ours');
    expect(chooseModels(naming({ embedding: 'makers-own' }), all).embedding.name).toBe(
      'makers-own',
    );
  });

  test('the built-in one, where the settings name none', () => {
    expect(chooseModels(presets, withBuiltIn).embedding).toEqual({
      name: 'ours',
      because: 'built-in',
    });
  });

  test("the manifest's first of its task, where none is built in", () => {
    expect(chooseModels(presets, fetched)).toEqual({
      detection: { name: 'yunet-n-dynamic', because: 'first' },
      embedding: { name: 'face-reidentification-retail-0095', because: 'first' },
      pad: [],
      quality: undefined,
    });
  });

  test('none, where the manifest has none', () => {
    expect(() => chooseModels(presets, [])).toThrow(/no model for detection/);
  });
});

test('attack detectors and a quality model are used only if they are named', () => {
  const config = naming({ pad: ['minifasnet-v2', 'minifasnet-v1se'], quality: 'lightqnet-dm025' });
  expect(namesOf(chooseModels(config, withBuiltIn)).slice(2)).toEqual([
    'minifasnet-v2',
    'minifasnet-v1se',
    'lightqnet-dm025',
  ]);
});

describe('of every model it is said whether it is used, and why', () => {
  const use = (name: string, models: object, all = withBuiltIn) => {
    const entry = all.find((each) => each.name === name);
    if (!entry) throw new Error(`no ${name}`);
    return useOf(entry, chooseModels(naming(models), all));
  };

  test.each<[string, object, boolean, string]>([
    ['ours', {}, true, 'built in, models.embedding names none'],
    [
      'face-reidentification-retail-0095',
      {},
      false,
      'ours is built in, models.embedding names none',
    ],
    [
      'ours',
      { embedding: 'mobilefacenet-ms1m-128d' },
      false,
      'mobilefacenet-ms1m-128d is named by models.embedding',
    ],
    [
      'mobilefacenet-ms1m-128d',
      { embedding: 'mobilefacenet-ms1m-128d' },
      true,
      'named by models.embedding',
    ],
    ['minifasnet-v2', {}, false, 'models.pad names none'],
    ['minifasnet-v2', { pad: ['minifasnet-v2'] }, true, 'named by models.pad'],
    ['minifasnet-v1se', { pad: ['minifasnet-v2'] }, false, 'minifasnet-v2 is named by models.pad'],
    ['lightqnet-dm050', {}, false, 'models.quality names none'],
  ])('%s under %j', (name, models, used, why) => {
    expect(use(name, models)).toEqual({ used, why });
  });

  test('the first of the manifest, while none is built in', () => {
    expect(use('yunet-n-dynamic', {}, fetched)).toEqual({
      used: true,
      why: 'the first, models.detection names none and none is built in',
    });
  });
});

test('of the two recognisers that are built in, the int8 one is used only if it is named', () => {
  const int8 = 'doorkeep-recogniser-int8';
  const of = (config: Parameters<typeof chooseModels>[0]) => chooseModels(config, entries);
  const entry = entries.find(({ name }) => name === int8);
  if (!entry) throw new Error(`no ${int8}`);
  expect(of(presets).embedding).toEqual({ name: 'doorkeep-recogniser', because: 'built-in' });
  expect(useOf(entry, of(presets))).toEqual({
    used: false,
    why: 'doorkeep-recogniser is built in, models.embedding names none',
  });
  expect(useOf(entry, of(naming({ embedding: int8 })))).toMatchObject({ used: true });
});

test('the settings that are shown after a pull name the chain that was pulled', () => {
  const chain = entries.filter(({ recommended }) => recommended === true);
  const config = readSettings(JSON.parse(settingsFor(chain)), 'a test');
  expect(namesOf(chooseModels(config, withBuiltIn))).toEqual([
    'yunet-s-640',
    'face-reidentification-retail-0095',
    'minifasnet-v2',
    'minifasnet-v1se',
  ]);
});

test('the files of all built-in models come with doorkeep, and are what the manifest says', async () => {
  const folder = inPackage('agent/models');
  for (const entry of entries) {
    const path = join(folder, entry.file);
    expect([entry.name, existsSync(path)]).toEqual([entry.name, entry.builtin]);
    if (entry.builtin) await readModelBytes(entry, path);
  }
});
