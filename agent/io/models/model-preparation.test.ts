import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sharedModels } from '../../test/fakes/shared-material.ts';
import { tinyModel } from '../../test/fakes/tiny-model.ts';
import { loadManifest } from './manifest.ts';
import { sha256Of } from './model-bytes.ts';
import { choose, prepareModel } from './model-preparation.ts';
import { outputDifference, probeInputs } from './model-probes.ts';
import { rewritePrelu } from './prelu-rewrite.ts';

const dw = { form: 'prelu-dw', sha256: 'd'.repeat(64), fault: undefined } as const;
const max = { form: 'prelu-max', sha256: 'a'.repeat(64), fault: undefined } as const;
const original = '0'.repeat(64);

describe('the form of a model', () => {
  test('is the fastest one', () => {
    expect(choose(original, [dw, max], 10, [5, 4])).toMatchObject({ prepared: 'prelu-max' });
    expect(choose(original, [dw, max], 10, [4, 5])).toMatchObject({ prepared: 'prelu-dw' });
    expect(choose(original, [dw, max], 10, [5, 5])).toMatchObject({ prepared: 'prelu-dw' });
  });

  test('is named with its bytes and its times', () => {
    expect(choose(original, [dw, max], 10, [5, 4])).toEqual({
      prepared: 'prelu-max',
      preparedSha256: max.sha256,
      reason: 'prelu-max 4.00 ms, original 10.00 ms',
      originalMs: 10,
      preparedMs: 4,
    });
  });

  test('is the original if no other saves a twentieth of the time', () => {
    expect(choose(original, [dw], 10, [9.6])).toMatchObject({
      prepared: 'unchanged',
      preparedSha256: original,
      reason: expect.stringContaining('not faster'),
    });
    expect(choose(original, [dw], 10, [9.4])).toMatchObject({ prepared: 'prelu-dw' });
  });

  test('is never one that was refused, however many there are', () => {
    const wrong = { ...dw, fault: 'output code differs by 0.1' };
    expect(choose(original, [wrong, max], 10, [4])).toMatchObject({
      prepared: 'prelu-max',
      reason: expect.stringContaining('prelu-dw refused: output code differs by 0.1'),
    });
    expect(choose(original, [wrong], undefined, [])).toMatchObject({
      prepared: 'unchanged',
      reason: expect.stringContaining('refused'),
    });
  });
});

describe('two outputs are the same', () => {
  const { entry } = tinyModel();
  const wanted = Float32Array.from({ length: 16 }, (_, at) => at - 8);
  const against = (change: (value: number, at: number) => number) =>
    outputDifference(entry, { code: wanted }, { code: wanted.map(change) });

  test('up to rounding', () => {
    expect(against((value) => value)).toBeUndefined();
    expect(against((value) => value * (1 + 5e-5))).toBeUndefined();
  });

  test.each<[string, (value: number, at: number) => number]>([
    ['a value a little off', (value, at) => (at === 3 ? value + 2e-3 : value)],
    ['a value that is not a number', (value, at) => (at === 3 ? Number.NaN : value)],
    ['nothing but zeros', () => 0],
    ['the opposite', (value) => -value],
  ])('but not with %s', (_, change) => {
    expect(against(change)).toMatch(/^output code /);
  });

  test('but not where one is no number, whatever the model is for', () => {
    const pad = loadManifest().entries.find(({ task }) => task === 'pad') ?? entry;
    const [name = ''] = pad.outputs.map((output) => output.name);
    const actual = { [name]: Float32Array.of(1, Number.NaN) };
    expect(outputDifference(pad, { [name]: Float32Array.of(1, 2) }, actual)).toBeDefined();
  });

  test('but not with a value too few', () => {
    const short = outputDifference(entry, { code: wanted }, { code: wanted.subarray(1) });
    expect(short).toBeDefined();
    expect(outputDifference(entry, { code: wanted }, {})).toBeDefined();
  });

  test('and the pictures they are compared on fill the input and differ', () => {
    const probes = probeInputs(entry);
    expect(probes.length).toBeGreaterThan(4);
    expect(new Set(probes.map(({ tensor }) => tensor.join())).size).toBe(probes.length);
    for (const { tensor } of probes) {
      expect(tensor).toHaveLength(3 * 64);
      expect(Math.max(...tensor.map(Math.abs))).toBeLessThanOrEqual(1);
    }
  });
});

test('a model with PRelu is tried in both forms and recorded with the bytes that were tried', async () => {
  const slopes = Array.from({ length: 16 }, (_, channel) => channel / 32);
  const { bytes, entry } = tinyModel({ slopes, side: 64 });
  const result = await prepareModel(entry, bytes, 'tiny.onnx');
  const { prepared } = result;
  const expected = prepared === 'unchanged' ? bytes : rewritePrelu(bytes, prepared).bytes;
  expect(result.preparedSha256).toBe(sha256Of(expected));
  expect(result.originalMs).toBeGreaterThan(0);
  expect(result.reason).not.toContain('refused');
});

test('a model without PRelu stays as it is', async () => {
  const { bytes, entry } = tinyModel({ opset: 8 });
  expect(await prepareModel(entry, bytes, 'tiny.onnx')).toMatchObject({
    prepared: 'unchanged',
    preparedSha256: entry.sha256,
    originalMs: null,
  });
});

test('an entry that does not describe the model is refused before anything is tried', async () => {
  const { bytes, entry } = tinyModel();
  const lying = { ...entry, outputs: [{ name: 'other', shape: [1, 16] }] };
  await expect(prepareModel(lying, bytes, 'tiny.onnx')).rejects.toMatchObject({
    code: 'MODEL_MISMATCH',
  });
});

describe.skipIf(!sharedModels)('with real models', () => {
  const withPrelu = loadManifest().entries.filter(({ name }) => /0095|minifasnet/.test(name));

  test.each(withPrelu.map((entry) => [entry.name, entry] as const))(
    '%s gives the same output in every form',
    async (_, entry) => {
      const bytes = readFileSync(join(sharedModels ?? '', entry.file));
      const result = await prepareModel(entry, bytes, entry.file);
      expect(result.reason).not.toContain('refused');
      expect(result.originalMs).toBeGreaterThan(0);
    },
    120_000,
  );
});
