import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ModelEntry } from '../../ports.ts';
import { sharedModels } from '../../test/fakes/shared-material.ts';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { tinyModel } from '../../test/fakes/tiny-model.ts';
import { loadManifest, parseManifest } from './manifest.ts';
import { readModelBytes } from './model-bytes.ts';

const { entry } = tinyModel({ side: 16 });
const { entries } = loadManifest();
/** What must be fetched. */
const fetched = entries.filter(({ builtin }) => !builtin);

function faultsOf(models: readonly unknown[]): string {
  try {
    parseManifest(JSON.stringify({ models }), 'maker.json');
    return 'none';
  } catch (fault) {
    expect(fault).toMatchObject({ code: 'CONFIG_INVALID' });
    return fault instanceof Error ? fault.message : '';
  }
}

test('S2-11 only models that find, recognise, judge and protect a face are known: none that guesses age, gender or the like', () => {
  const tasks = new Set(entries.map(({ task }) => task));
  expect([...tasks].sort()).toEqual(['detection', 'embedding', 'pad', 'quality']);
  const families = new Set(entries.map(({ family }) => family));
  expect([...families].sort()).toEqual([
    'embedding',
    'face-maps',
    'lightqnet',
    'minifasnet',
    'yunet',
  ]);
  expect(JSON.stringify(entries)).not.toMatch(/\b(age|gender|sex|emotion|race|ethnic|attribute)/i);
});

test('S2-11 a maker cannot declare a model for another task', () => {
  expect(faultsOf([{ ...entry, task: 'age' }])).toContain('task: expected one of detection');
});

test('every model has a licence, a source and, if it can be pulled, an address fixed to one commit', () => {
  for (const { licence, source, url, builtin } of entries) {
    expect(licence).toMatch(/^(Apache-2\.0|MIT)$/);
    if (!builtin) expect(source).toMatch(/commit [0-9a-f]{40}/);
    if (url !== undefined) expect(url).toMatch(/^https:\/\/[^/]+\/.+\/[0-9a-f]{40}\/.+\.onnx$/);
  }
});

test('the recommended chain is a detector, a recogniser and two attack detectors, all of which can be pulled', () => {
  const chain = entries.filter(({ recommended }) => recommended === true);
  expect(chain.map(({ task }) => task)).toEqual(['detection', 'embedding', 'pad', 'pad']);
  const hosts = chain.flatMap(({ url, openvino }) =>
    [url, openvino?.xml.url, openvino?.bin.url].flatMap((each) => each ?? []),
  );
  expect(hosts.map((each) => new URL(each).pathname.split('/').at(-1))).toEqual([
    'face_detection_yunet_2023mar.onnx',
    'face-reidentification-retail-0095.xml',
    'face-reidentification-retail-0095.bin',
    'MiniFASNetV2.onnx',
    'MiniFASNetV1SE.onnx',
  ]);
});

test.skipIf(!sharedModels)('every model file is the one that the manifest describes', async () => {
  for (const known of fetched) {
    await readModelBytes(known, join(sharedModels ?? '', known.file));
  }
  const sums = readFileSync(join(sharedModels ?? '', 'SHA256SUMS'), 'utf8').split('\n');
  const files = sums.filter((line) => line.endsWith('.onnx'));
  expect(files).toHaveLength(fetched.length);
});

describe('a manifest of the device maker', () => {
  const makers = (models: readonly ModelEntry[]) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ models }));
    return loadManifest(folder);
  };

  test('adds its models to ours', () => {
    const manifest = makers([entry]);
    expect(manifest.entries).toEqual([...entries, entry]);
    expect(manifest).toMatchObject({ added: ['tiny'], replaced: [] });
  });

  test('replaces a model of the same name, and that is said', () => {
    const [ours] = entries;
    const theirs = { ...entry, name: ours?.name ?? '' };
    const manifest = makers([theirs]);
    expect(manifest.entries).toHaveLength(entries.length);
    expect(manifest.entries).toContainEqual(theirs);
    expect(manifest.entries).not.toContainEqual(ours);
    expect(manifest).toMatchObject({ added: [], replaced: [ours?.name] });
  });

  test('keeps the place of what it replaces: the first of its task stays the first', () => {
    const [ours] = fetched;
    if (!ours) throw new Error('the manifest is empty');
    const { entries: all } = makers([{ ...ours, licence: 'theirs' }]);
    expect(all.map(({ name }) => name)).toEqual(entries.map(({ name }) => name));
    expect(all).toContainEqual({ ...ours, licence: 'theirs' });
  });

  test('cannot claim that a model is built in', () => {
    expect(() => makers([{ ...entry, builtin: true }])).toThrow(/tiny: builtin: only doorkeep's/);
  });

  test('may be absent', () => {
    expect(loadManifest(temporaryFolder()).entries).toEqual(entries);
  });

  test('that cannot be read is no absent one', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'manifest.json'), '{"models": [');
    expect(() => loadManifest(folder)).toThrow(/manifest\.json: is not JSON/);
  });
});

test('all faults are named at once, with their place', () => {
  const { licence: _, ...rest } = { ...entry, sha256: 'ABC', threshold: 2, colour: 'red' };
  const faults = faultsOf([entry, { ...rest, name: 'Second one' }]);
  expect(faults).toMatch(/^maker\.json: /);
  for (const place of ['sha256', 'threshold', 'colour: unknown', 'licence: missing', 'name']) {
    expect(faults).toContain(`models[1].${place}`);
  }
});

describe('an entry is refused for', () => {
  const input = entry.input;
  const source = { url: 'https://example.org/a.xml', sha384: 'a'.repeat(96), sizeBytes: 1 };
  const { family: _, ...withoutFamily } = entry;
  test.each<[string, unknown]>([
    ['a missing family', withoutFamily],
    ['a file in another folder', { ...entry, file: '../tiny.onnx' }],
    ['a hidden file', { ...entry, file: '.onnx' }],
    ['an address that is not https', { ...entry, url: 'http://example.org/tiny.onnx' }],
    ['an address with a password', { ...entry, url: 'https://me:secret@example.org/tiny.onnx' }],
    ['a layout we do not have', { ...entry, input: { ...input, layout: 'NHWC' } }],
    ['two means for three colours', { ...entry, input: { ...input, mean: [1, 2] } }],
    ['a division by zero', { ...entry, input: { ...input, std: [1, 0, 1] } }],
    ['four points', { ...entry, alignment: { size: 16, points: entry.alignment.points.slice(1) } }],
    [
      'points of three numbers',
      {
        ...entry,
        alignment: { size: 16, points: entry.alignment.points.map((point) => [...point, 0]) },
      },
    ],
    ['one grey channel', { ...entry, input: { ...input, shape: [1, 1, 16, 16] } }],
    [
      'a chip of another size than the input',
      { ...entry, alignment: { ...entry.alignment, size: 32 } },
    ],
    ['dimensions that the output does not have', { ...entry, dimensions: 128 }],
    ['two outputs', { ...entry, outputs: [...entry.outputs, { name: 'x', shape: [1] }] }],
    ['no size', { ...entry, sizeBytes: 0 }],
    ['the name that means several', { ...entry, name: 'recommended' }],
    ['half an OpenVINO model', { ...entry, openvino: { xml: source } }],
    [
      'an OpenVINO model under a short digest',
      { ...entry, openvino: { xml: source, bin: { ...source, sha384: 'ab' } } },
    ],
    ['two ways to fetch it', { ...entry, url: source.url, openvino: { xml: source, bin: source } }],
    ['a text', 'tiny'],
  ])('%s', (_, broken) => {
    expect(faultsOf([entry])).toBe('none');
    expect(faultsOf([broken])).not.toBe('none');
  });

  test('a name that is there twice', () => {
    expect(faultsOf([entry, entry])).toContain('tiny: declared twice');
  });

  test.each([
    ['face-maps', 'faces_8'],
    ['yunet', 'cls_8'],
  ])('a detector of the family %s without one of its outputs', (family, output) => {
    const detector = entries.find((each) => each.family === family);
    expect(faultsOf([{ ...detector, outputs: detector?.outputs.slice(1) }])).toContain(
      `outputs: ${output} is missing`,
    );
  });

  test('a bona fide class that the model does not tell', () => {
    const pad = entries.find(({ task }) => task === 'pad');
    expect(faultsOf([{ ...pad, bonaFideClass: 3 }])).toContain('3 is none of the 3 classes');
  });
});
