import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Acquisition } from '../gallery/acquisition.ts';
import { loadKernels } from '../io/process/native.ts';
import { seededChance } from '../io/process/seeded-chance.ts';
import { createFaceEncoder } from '../recognition/face-encoder.ts';
import { openReal, readReal } from '../test/fakes/real-material.ts';
import { sharedFaces, sharedModels } from '../test/fakes/shared-material.ts';
import type { Landmarks } from '../vision/face.ts';
import type { AttackId } from './attacks.ts';
import { createDraws } from './draws.ts';
import { facesOfIdentities } from './labelled-faces.ts';
import { evaluateProtection, type ProtectionEvaluation } from './protection-evaluation.ts';
import { productTelemetry, productTemplates } from './scheme.ts';

const lfw = sharedFaces === undefined ? '' : join(sharedFaces, 'lfw');

describe.skipIf(!sharedModels || !sharedFaces)('on pictures of 100 real people', () => {
  let found: ProtectionEvaluation | undefined;

  beforeAll(async () => {
    found = await evaluateReal();
  });

  test('S0-18 without its key a code does not give back the face it was made of', () => {
    for (const id of ['other-key', 'blind'] as const) {
      expect(attack(id).meanCosine).toBeLessThan(0.1);
      expect(attack(id).typeI.share).toBeLessThanOrEqual(0.01);
    }
  });

  test('with its key a code does, and so do many known faces: nobody shall believe otherwise', () => {
    for (const id of ['back-projection', 'sign-constraints', 'learned'] as const) {
      expect(attack(id).meanCosine).toBeGreaterThan(0.9);
    }
    expect(attack('known-pairs-100').meanCosine).toBeGreaterThan(0.7);
  });

  test('S0-15 codes of one picture under two keys, or of two days, are not known to be of one', () => {
    const verdicts = found?.verdicts.filter(({ id }) =>
      ['U2', 'U3', 'T3', 'T4', 'T5'].includes(id),
    );
    expect(verdicts).toHaveLength(5);
    expect(verdicts?.filter(({ verdict }) => verdict !== 'pass')).toEqual([]);
  });

  function attack(id: AttackId) {
    const success = found?.attacks.find((each) => each.id === id)?.success;
    if (!success) throw new Error(`no attack ${id}`);
    return success;
  }
});

/** Residents of the LFW split with two pictures and more, embedded by the 128-d model. */
async function evaluateReal(): Promise<ProtectionEvaluation> {
  const { kernels } = loadKernels();
  const model = await openReal('embedding', 'mobilefacenet-ms1m-128d');
  const encoder = createFaceEncoder(model, kernels);
  const landmarksOf = readLandmarks();
  const labels = readResidents();
  const acquired = new Map<string, Acquisition>();
  for (const { picture } of labels) {
    const face = {
      box: { x: 0, y: 0, width: 0, height: 0 },
      landmarks: landmarksOf(picture),
      score: 1,
    };
    const frame = await readReal(`lfw/images/${picture}`);
    const embedding = await encoder.encode(frame, face, () => {});
    if (!embedding) throw new Error(`${picture}: no embedding`);
    acquired.set(picture, { kind: 'acquired', embedding });
  }
  await model.close();
  const random = seededChance('real');
  const draws = createDraws(random);
  const { dimensions } = model.entry;
  return evaluateProtection({
    faces: facesOfIdentities(labels, [], acquired, draws, 2000),
    acquired,
    templates: productTemplates(model.entry, 1, kernels),
    telemetry: [productTelemetry(24, dimensions, kernels, random)],
    kernels,
    clock: { monotonicMs: () => 0 },
    draws,
    sizes: {
      keys: 3,
      targets: 40,
      examples: 150,
      aligned: 60,
      constrained: 3,
      knownPairs: [100],
      epochs: 100,
    },
  });
}

function readResidents(): { readonly identity: string; readonly picture: string }[] {
  const rows = readFileSync(join(lfw, 'ident.csv'), 'utf8').trim().split('\n').slice(1);
  const residents = rows
    .map((row) => row.split(','))
    .filter(([role]) => role !== 'nonmated')
    .map(([, identity = '', picture = '']) => ({ identity, picture }));
  const people = [...new Set(residents.map(({ identity }) => identity))].slice(0, 100);
  return residents.filter(({ identity }) => people.includes(identity));
}

function readLandmarks(): (file: string) => Landmarks {
  const rows = readFileSync(join(lfw, 'yunet_n_landmarks.csv'), 'utf8').trim().split('\n');
  const byFile = new Map(rows.map((row) => [row.slice(0, row.indexOf(',')), row.split(',')]));
  return (file) => {
    const [, , , , , , , ...points] = byFile.get(file) ?? [];
    const at = (i: number) => [Number(points[2 * i]), Number(points[2 * i + 1])] as const;
    return [at(0), at(1), at(2), at(3), at(4)];
  };
}
