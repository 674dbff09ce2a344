import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { EmbeddingEntry, Model } from '../../ports.ts';
import { sharedModels } from '../../test/fakes/shared-material.ts';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { tinyModel } from '../../test/fakes/tiny-model.ts';
import { loadManifest } from './manifest.ts';
import { sha256Of } from './model-bytes.ts';
import { rewritePrelu } from './prelu-rewrite.ts';
import { openModel } from './sessions.ts';

const slopes = Array.from({ length: 16 }, (_, channel) => channel / 32);
const tiny = tinyModel({ slopes });
const shape = [1, 3, 8, 8] as const;
const picture = Float32Array.from({ length: 3 * 64 }, (_, at) => Math.sin(at));

function fileOf(bytes: Uint8Array): string {
  const path = join(temporaryFolder(), 'tiny.onnx');
  writeFileSync(path, bytes);
  return path;
}

test('a model computes its outputs by name, and again after the input buffer was reused', async () => {
  const model = await openModel(tiny.entry, fileOf(tiny.bytes));
  const first = await model.run(picture, shape);
  const input = Float32Array.from(picture, (value) => -value);
  const other = await model.run(input, shape);
  input.set(picture);
  const again = await model.run(input, shape);
  expect(first['code']).toHaveLength(16);
  expect(again['code']).toEqual(first['code']);
  expect(other['code']).not.toEqual(first['code']);
  await model.close();
});

test('a rewritten model computes what the original does', async () => {
  const { bytes } = rewritePrelu(tiny.bytes, 'prelu-max');
  const checked = { form: 'prelu-max', sha256: sha256Of(bytes) } as const;
  const path = fileOf(tiny.bytes);
  const original = await openModel(tiny.entry, path);
  const rewritten = await openModel(tiny.entry, path, { checked, threads: 2 });
  const expected = (await original.run(picture, shape))['code'] ?? [];
  const actual = (await rewritten.run(picture, shape))['code'] ?? [];
  expect(Array.from(actual, (value) => value.toFixed(5))).toEqual(
    Array.from(expected, (value) => value.toFixed(5)),
  );
});

test('S3-24 a form of the model other than the one that was checked is refused', async () => {
  const checked = { form: 'prelu-dw', sha256: 'f'.repeat(64) } as const;
  await expect(openModel(tiny.entry, fileOf(tiny.bytes), { checked })).rejects.toMatchObject({
    code: 'MODEL_CORRUPT',
    message: expect.stringContaining('tiny'),
  });
});

describe('S3-24 a tampered model is refused:', () => {
  const flipped = (at: number) => tiny.bytes.with(at, (tiny.bytes[at] ?? 0) ^ 1);
  test.each([
    ['one bit of the graph changed', flipped(40)],
    ['one bit at the end changed', flipped(tiny.bytes.length - 1)],
    ['cut in half', tiny.bytes.subarray(0, tiny.bytes.length / 2)],
    ['empty', new Uint8Array()],
    ['something added', Uint8Array.from([...tiny.bytes, 0])],
    ['another model', tinyModel({ gain: 2 }).bytes],
  ])('%s', async (_, bytes) => {
    const path = fileOf(bytes);
    await expect(openModel(tiny.entry, path)).rejects.toMatchObject({
      code: 'MODEL_CORRUPT',
      message: expect.stringMatching(`^model tiny: ${path} [^\n]+$`),
    });
  });

  test('far too large, without being read', async () => {
    const path = fileOf(tiny.bytes);
    truncateSync(path, 2 ** 40);
    await expect(openModel(tiny.entry, path)).rejects.toMatchObject({ code: 'MODEL_CORRUPT' });
  });
});

test('a model that is not there, or is a folder, is missing', async () => {
  const folder = temporaryFolder();
  for (const path of [join(folder, 'no.onnx'), join(folder, 'no', 'no.onnx')]) {
    await expect(openModel(tiny.entry, path)).rejects.toMatchObject({
      code: 'MODEL_MISSING',
      message: expect.stringContaining(path),
    });
  }
  const size = { ...tiny.entry, sizeBytes: 4096 };
  await expect(openModel(size, folder)).rejects.toMatchObject({
    code: expect.stringMatching(/^MODEL_(MISSING|CORRUPT)$/),
  });
});

test('bytes whose hash is right but which are no model are corrupt', async () => {
  const bytes = new TextEncoder().encode('no model at all');
  const entry = { ...tiny.entry, sha256: sha256Of(bytes), sizeBytes: bytes.length };
  await expect(openModel(entry, fileOf(bytes))).rejects.toMatchObject({ code: 'MODEL_CORRUPT' });
});

describe('an entry that does not describe the model is refused, and every difference named:', () => {
  const input = tiny.entry.input;
  const lies: [string, Partial<EmbeddingEntry>, RegExp][] = [
    [
      'name of the input',
      { input: { ...input, name: 'image' } },
      /input image is not there; input picture is not declared/,
    ],
    [
      'size of the input',
      { input: { ...input, shape: [1, 3, 9, 8] } },
      /input picture is \[1, 3, 8, 8\], not \[1, 3, 9, 8\]/,
    ],
    [
      'free side of the input',
      { input: { ...input, shape: [1, 3, 'height', 8] } },
      /not \[1, 3, height, 8\]/,
    ],
    [
      'name of the output',
      { outputs: [{ name: 'embedding', shape: [1, 16] }] },
      /output embedding is not there/,
    ],
    [
      'size of the output',
      { outputs: [{ name: 'code', shape: [1, 17] }] },
      /output code is \[1, 16\]/,
    ],
    [
      'rank of the output',
      { outputs: [{ name: 'code', shape: [16] }] },
      /output code is \[1, 16\]/,
    ],
    ['number of outputs', { outputs: [] }, /output code is not declared/],
  ];
  test.each(lies)('%s', async (_, lie, message) => {
    await expect(openModel({ ...tiny.entry, ...lie }, fileOf(tiny.bytes))).rejects.toMatchObject({
      code: 'MODEL_MISMATCH',
      message: expect.stringMatching(message),
    });
  });
});

test('a recogniser whose output is not a number is refused when it runs', async () => {
  const { bytes, entry } = tinyModel({ gain: Number.POSITIVE_INFINITY });
  const model = await openModel(entry, fileOf(bytes));
  await expect(model.run(picture, shape)).rejects.toMatchObject({ code: 'MODEL_CORRUPT' });
});

describe('a caller that hands in the wrong thing gets a TypeError:', () => {
  const attempts: [string, (model: Model) => Promise<unknown>][] = [
    ['too few values', (model) => model.run(picture.subarray(1), shape)],
    ['too many values', (model) => model.run(new Float32Array(3 * 65), shape)],
    ['another shape', (model) => model.run(picture, [1, 3, 4, 16])],
    ['no values', (model) => model.run(new Float32Array(), [1, 3, 0, 8])],
  ];
  test.each(attempts)('%s', async (_, attempt) => {
    const model = await openModel(tiny.entry, fileOf(tiny.bytes));
    await expect(attempt(model)).rejects.toThrow(TypeError);
  });

  test('a model that was closed', async () => {
    const model = await openModel(tiny.entry, fileOf(tiny.bytes));
    await model.close();
    await model.close();
    await expect(model.run(picture, shape)).rejects.toThrow(TypeError);
  });
});

const ownModel = (file: string) => fileURLToPath(new URL(`../../models/${file}`, import.meta.url));

describe.skipIf(!sharedModels)('with real models', () => {
  const { entries } = loadManifest();
  const path = (file: string) => join(sharedModels ?? '', file);

  test.each(entries.map((entry) => [entry.name, entry] as const))(
    '%s is what the manifest says',
    async (_, entry) => {
      const model = await openModel(entry, entry.builtin ? ownModel(entry.file) : path(entry.file));
      const [, , height, width] = entry.input.shape.map((side) =>
        typeof side === 'number' ? side : 64,
      );
      const input = new Float32Array(3 * Number(height) * Number(width));
      const outputs = await model.run(input, [1, 3, Number(height), Number(width)]);
      expect(Object.keys(outputs)).toEqual(entry.outputs.map(({ name }) => name));
      await model.close();
    },
  );

  test('S3-24 a detector in the place of the recogniser is refused, even if the manifest lies about its hash', async () => {
    const recogniser = entries.find(({ task }) => task === 'embedding') ?? tiny.entry;
    const detector = path('yunet_n_dynamic.onnx');
    await expect(openModel(recogniser, detector)).rejects.toMatchObject({ code: 'MODEL_CORRUPT' });
    const bytes = readFileSync(detector);
    const lying = { ...recogniser, sha256: sha256Of(bytes), sizeBytes: bytes.length };
    await expect(openModel(lying, detector)).rejects.toMatchObject({ code: 'MODEL_MISMATCH' });
  });

  test('a free side must be a multiple of what the detector can take', async () => {
    const detector = entries.find(({ name }) => name === 'yunet-n-dynamic') ?? tiny.entry;
    const model = await openModel(detector, path(detector.file));
    await expect(model.run(new Float32Array(3 * 48 * 64), [1, 3, 48, 64])).rejects.toThrow(
      'multiples of 32',
    );
  });
});
