import { describe, expect, test } from 'vitest';
import { loadKernels } from '../io/process/native.ts';
import { seededChance } from '../io/process/seeded-chance.ts';
import { clusteredFaces, clusteredModel } from '../test/fakes/clustered-faces.ts';
import { wrongTelemetry, wrongTemplates } from '../test/fakes/wrong-schemes.ts';
import { createDraws } from './draws.ts';
import { facesOfIdentities } from './labelled-faces.ts';
import type { Verdict } from './limits.ts';
import { evaluateProtection, type ProtectionSizes } from './protection-evaluation.ts';
import { productTelemetry, productTemplates } from './scheme.ts';

const dimensions = 128;
const { kernels } = loadKernels();
const parts = { modelSha256: clusteredModel, dimensions, kernels };
const right = productTemplates({ sha256: clusteredModel, dimensions }, 1, kernels);

const large = crowd(400, 3);
const small = crowd(150, 2);
const largeSizes = {
  keys: 2,
  targets: 60,
  examples: 200,
  aligned: 60,
  constrained: 1,
  knownPairs: [1, 100],
  epochs: 60,
};
/** What is surely wrong needs few faces. */
const smallSizes = { ...largeSizes, targets: 30, examples: 60, aligned: 20 };

test('what the product does keeps every limit', () => {
  const { random, draws } = chance('right');
  const telemetry = ([24, 16] as const).map((bits) =>
    productTelemetry(bits, dimensions, kernels, random),
  );
  let nowMs = 0;
  const found = evaluate(large, largeSizes, {
    telemetry,
    draws,
    clock: { monotonicMs: () => (nowMs += 3) },
  });
  const judged = found.verdicts.filter(({ verdict }) => verdict !== 'published only');
  expect(judged.map(({ id }) => id)).toEqual([
    ...['P1', 'P2', 'P3', 'U1', 'U2', 'U3', 'I1', 'I2'],
    ...['T1', 'T2', 'T3', 'T4', 'T5', 'T6', 'T1', 'T2', 'T3', 'T4', 'T5', 'T6'],
  ]);
  expect(judged.filter(({ verdict }) => verdict !== 'pass')).toEqual([]);
  expect(found.cost).toEqual({
    bits: 4096,
    transformMs: 3 / 1200,
    hammingMs: 3 / 1200,
    softScoreMs: 3 / 1200,
  });
  expect(found.faces).toEqual({ pictures: 1200, persons: 400, targets: 60, strangers: 1020 });
});

test('the same chance gives the same figures', () => {
  const again = () => evaluate(small, smallSizes, { draws: chance('again').draws });
  expect(again()).toEqual(again());
});

describe('templates that look right and are not fail their rows, and no others', () => {
  const wrong = wrongTemplates(parts);

  test.each([
    ['of a device that ignores its key', wrong.unkeyed, ['U1', 'U2', 'I1']],
    ['that are the embedding itself', wrong.plain, ['P1', 'P2', 'U1', 'U2', 'I1']],
    ['of 64 bits', wrong.short, ['P1', 'P2']],
    ['whose signs are the same on every device', wrong.padOnly, ['U1']],
    ['of a device that forgets its key', wrong.forgetful, ['P3']],
    ['of which half the bits are the same for all', wrong.unbalanced, ['U2', 'U3']],
  ])('%s', (_, templates, expected) => {
    const { draws } = chance(templates.name);
    const { verdicts } = evaluate(small, smallSizes, { templates, draws });
    expect(failed(verdicts)).toEqual(expected);
  });
});

describe('telemetry codes that look right and are not fail their rows, and no others', () => {
  const wrong = wrongTelemetry(parts);

  test.each([
    ['whose keys of the day follow from the root key', wrong.derivedDay, ['T3', 'T5']],
    ['of one key for ever', wrong.derivedForEver, ['T3', 'T4', 'T5', 'T6']],
    ['that are a piece of the enrolled template', wrong.truncated, ['T3', 'T4', 'T5', 'T6']],
    ['of an epoch without end', wrong.unbounded, ['T6']],
    ['of an epoch that only changes its name', wrong.unboundedRenamed, ['T6']],
    ['of 64 bits', wrong.long, ['T1']],
    ['that are made by lot', wrong.noise, ['T2']],
  ])('%s', (_, telemetry, expected) => {
    const { draws } = chance(telemetry.name);
    const { verdicts } = evaluate(small, smallSizes, { telemetry: [telemetry], draws });
    expect(failed(verdicts.filter(({ id }) => id.startsWith('T')))).toEqual(expected);
  });
});

test('too few faces, or pairs of two persons, are refused and not guessed from', () => {
  const { draws } = chance('few');
  expect(() => evaluate(crowd(15, 2), smallSizes, { draws })).toThrow(
    expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringMatching(/8 persons/) }),
  );
  const few = { ...small, faces: { ...small.faces, trials: small.faces.pairs } };
  expect(() => evaluate(few, smallSizes, { draws })).toThrow(/too few pairs of two persons/);
});

type Crowd = ReturnType<typeof crowd>;

function crowd(persons: number, pictures: number) {
  const { draws } = chance(`crowd of ${persons}`);
  const shape = { persons, pictures, dimensions, cosine: 0.7 };
  const { labels, acquired } = clusteredFaces(shape, draws);
  return { acquired, faces: facesOfIdentities(labels, [], acquired, draws, 2000) };
}

function evaluate(
  { acquired, faces }: Crowd,
  sizes: Partial<ProtectionSizes>,
  other: Partial<Parameters<typeof evaluateProtection>[0]> &
    Pick<Parameters<typeof evaluateProtection>[0], 'draws'>,
) {
  return evaluateProtection({
    faces,
    acquired,
    templates: right,
    telemetry: [],
    kernels,
    clock: { monotonicMs: () => 0 },
    sizes,
    ...other,
  });
}

function chance(seed: string) {
  const random = seededChance(seed);
  return { random, draws: createDraws(random) };
}

function failed(verdicts: readonly Verdict[]): string[] {
  return verdicts.filter(({ verdict }) => verdict === 'fail').map(({ id }) => id);
}
