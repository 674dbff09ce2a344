import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sharedModels } from '../../test/fakes/shared-material.ts';
import { tinyModel } from '../../test/fakes/tiny-model.ts';
import { firstDifference, probeInputs } from './model-probes.ts';
import { readOnnx, replaceNodes } from './onnx-graph.ts';
import { preluForms, rewritePrelu } from './prelu-rewrite.ts';
import { openModelBytes } from './sessions.ts';

const each = (slope: (channel: number) => number) =>
  Array.from({ length: 16 }, (_, channel) => slope(channel));
const gentle = each((channel) => channel / 32);
const steep = each((channel) => channel / 2 - 1);
const source = { file: 'a test', threads: 1 };

const operators = (bytes: Uint8Array) => readOnnx(bytes).nodes.map(({ op }) => op);

describe.each(['prelu-dw', 'prelu-max'] as const)('in the form %s', (form) => {
  test.each([
    ['one slope', [0.25]],
    ['one slope above 1', [7.5]],
    ['a slope below 0', [-0.5]],
    ['the same slope for every channel', each(() => 0.125)],
    ['slopes up to 1', gentle],
    ['slopes from below 0 to 6.5', steep],
  ])('a model with %s computes what it did', async (_, slopes) => {
    const { bytes, entry } = tinyModel({ slopes });
    const result = rewritePrelu(bytes, form);
    expect(result.rewritten).toBe(1);
    expect(operators(result.bytes)).not.toContain('PRelu');
    const original = await openModelBytes(entry, bytes, source);
    const rewritten = await openModelBytes(entry, result.bytes, source);
    expect(await firstDifference(original, rewritten, probeInputs(entry))).toBeUndefined();
  });

  test.each(['constant', 'half-and-cast'] as const)(
    'slopes that the file keeps as %s are found',
    async (slopesAs) => {
      const { bytes, entry } = tinyModel({ slopes: steep, slopesAs });
      const result = rewritePrelu(bytes, form);
      expect(result.rewritten).toBe(1);
      const original = await openModelBytes(entry, bytes, source);
      const rewritten = await openModelBytes(entry, result.bytes, source);
      expect(await firstDifference(original, rewritten, probeInputs(entry))).toBeUndefined();
    },
  );

  test('the same model gives the same bytes every time', () => {
    const { bytes } = tinyModel({ slopes: gentle });
    expect(rewritePrelu(bytes, form).bytes).toEqual(rewritePrelu(bytes, form).bytes);
  });

  test.each([
    ['slopes that are given only when it runs', { slopesAs: 'input' }],
    ['an operator set from before PRelu and Mul agreed', { opset: 8 }],
    ['a slope that is not finite', { slopes: [Number.POSITIVE_INFINITY] }],
  ] as const)('a model with %s stays as it is', (_, options) => {
    const { bytes } = tinyModel(options);
    const result = rewritePrelu(bytes, form);
    expect(result.rewritten).toBe(0);
    expect(result.bytes).toBe(bytes);
  });
});

test('one slope for all channels becomes LeakyRelu in every form, with the same bytes', async () => {
  const { bytes } = tinyModel({ slopes: [7.5] });
  const results = preluForms.map((form) => rewritePrelu(bytes, form));
  for (const result of results) {
    expect(operators(result.bytes)).toContain('LeakyRelu');
    expect(result.bytes).toEqual(results[0]?.bytes);
  }
});

test('slopes that differ by channel are nothing for LeakyRelu', () => {
  const { bytes } = tinyModel({ slopes: gentle });
  expect(rewritePrelu(bytes, 'leaky-relu')).toEqual({ bytes, rewritten: 0 });
});

test('slopes by channel become convolutions or maxima, as the form says', () => {
  const { bytes } = tinyModel({ slopes: gentle });
  const dw = operators(rewritePrelu(bytes, 'prelu-dw').bytes);
  const max = operators(rewritePrelu(bytes, 'prelu-max').bytes);
  expect(dw.filter((op) => op === 'Conv')).toHaveLength(3);
  expect(max).toContain('Max');
});

test('replacing nothing changes no byte', () => {
  const { bytes } = tinyModel({ slopes: gentle });
  expect(replaceNodes(readOnnx(bytes), new Map())).toEqual(bytes);
});

test('bytes that are no ONNX model are refused', () => {
  for (const bytes of [new Uint8Array(), Uint8Array.from([0xff, 0xff]), new Uint8Array(100)]) {
    expect(() => rewritePrelu(bytes, 'prelu-dw')).toThrow(RangeError);
  }
});

describe.skipIf(!sharedModels)('with real models', () => {
  test.each([
    ['face-reidentification-retail-0095.onnx', 48],
    ['MiniFASNetV2.onnx', 33],
    ['MiniFASNetV1SE.onnx', 33],
    ['mobilefacenet_ms1m_128d.onnx', 0],
    ['yunet_n_dynamic.onnx', 0],
    ['lightqnet-dm025.onnx', 0],
  ])('%s has %i PRelu nodes, none is left, and everything else keeps its bytes', (file, count) => {
    const bytes = new Uint8Array(readFileSync(join(sharedModels ?? '', file)));
    const before = readOnnx(bytes);
    expect(before.nodes.filter(({ op }) => op === 'PRelu')).toHaveLength(count);
    const result = rewritePrelu(bytes, 'prelu-max');
    const after = readOnnx(result.bytes);
    expect(result.rewritten).toBe(count);
    expect(after.nodes.filter(({ op }) => op === 'PRelu')).toEqual([]);
    const kept = (model: typeof before) =>
      model.graph.filter(({ number }) => number !== 1).map(({ raw }) => raw);
    expect(kept(after)).toEqual(kept(before));
  });
});
