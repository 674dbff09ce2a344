import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { kernelSets } from '../io/process/native.ts';
import { seededChance } from '../io/process/seeded-chance.ts';
import { createCoder } from '../template/coder.ts';
import { project } from '../template/projection.ts';
import { openReal, readReal } from '../test/fakes/real-material.ts';
import { sharedFaces, sharedModels } from '../test/fakes/shared-material.ts';
import { createAligner } from '../vision/alignment.ts';
import type { Landmarks } from '../vision/face.ts';
import { createTelemetryCodes } from './telemetry-code.ts';

const lfw = sharedFaces === undefined ? undefined : join(sharedFaces, 'lfw');
const day = '2027-03-01';
/** An epoch has at most 128 codes. */
const pictures = 128;
const epochs = 12;

describe.skipIf(!sharedModels || !lfw)('telemetry codes of 128 pictures of real people', () => {
  let faces: Looks = { people: [], values: [] };
  let codesByEpoch: Int8Array[][] = [];

  beforeAll(async () => {
    faces = await embed(lfw ?? '');
    const random = seededChance('lfw');
    codesByEpoch = Array.from({ length: epochs }, () => codesOf(faces, random));
  });

  test('within an epoch two attempts of one visitor are mostly nearer than those of two', () => {
    const within = mean(codesByEpoch.map((codes) => auc(faces.people, codes, codes)));
    expect(within).toBeGreaterThanOrEqual(0.85);
  });

  test('S0-15 across epochs, days or devices, codes of one face are no nearer than those of two', () => {
    const across = codesByEpoch.slice(1).map((codes, i) => {
      return auc(faces.people, codes, codesByEpoch[i] ?? []);
    });
    expect(Math.abs(mean(across) - 0.5)).toBeLessThan(0.02);
  });

  test('S0-15 an enrolled template is no nearer to the codes of its resident than to those of others', () => {
    const coder = createCoder({
      key: seededChance('device')(32),
      dimensions: dimensionsOf(faces),
      bits: 4096,
      kernels: { project },
    });
    const cut = faces.values.map((values) => signsOf(coder.encode(values).code.subarray(0, 3)));
    const linked = codesByEpoch.map((codes) => auc(faces.people, cut, codes));
    expect(Math.abs(mean(linked) - 0.5)).toBeLessThan(0.02);
  });

  test('S0-15 who knows the faces of half the codes of an epoch can guess the rest of it, but of no other', () => {
    const known = pictures / 2;
    const rest = { people: faces.people.slice(known), values: faces.values.slice(known) };
    const guessed = codesByEpoch.map((codes) => {
      const learned = learn(faces.values.slice(0, known), codes.slice(0, known));
      return rest.values.map((values) => learned(values));
    });
    const score = (shift: number) =>
      mean(
        guessed.map((guess, i) => {
          const codes = codesByEpoch[(i + shift) % epochs] ?? [];
          return auc(rest.people, guess, codes.slice(known));
        }),
      );
    // Within the epoch the attack works, all the better as other pictures of the same people are known.
    expect(score(0)).toBeGreaterThan(0.8);
    expect(Math.abs(score(1) - 0.5)).toBeLessThan(0.03);
  });
});

type Looks = { readonly people: readonly string[]; readonly values: readonly Float32Array[] };

/** Embeddings of pictures of people who have several. Each half of them has pictures of nearly everybody. */
async function embed(folder: string): Promise<Looks> {
  const model = await openReal('embedding', 'mobilefacenet-ms1m-128d');
  const kernels = kernelSets().at(-1);
  if (!kernels) throw new Error('no kernels');
  const aligner = createAligner(model.entry.alignment, kernels);
  const { size } = model.entry.alignment;
  const tensor = new Float32Array(3 * size * size);
  const landmarks = landmarksIn(folder);
  const people: string[] = [];
  const values: Float32Array[] = [];
  for (const [person, file] of picturesIn(folder)) {
    const chip = aligner.align(await readReal(`lfw/images/${file}`), landmarks(file));
    if (!chip) throw new Error(`${file}: no chip`);
    kernels.normalise(chip, model.entry.input, tensor);
    const [output] = Object.values(await model.run(tensor, [1, 3, size, size]));
    if (!output) throw new Error(`${file}: no embedding`);
    people.push(person);
    values.push(output);
  }
  await model.close();
  return { people, values };
}

function picturesIn(folder: string): readonly (readonly [person: string, file: string])[] {
  const rows = readFileSync(join(folder, 'ident.csv'), 'utf8').trim().split('\n').slice(1);
  const enrolled = rows
    .map((row) => row.split(','))
    .filter(([role]) => role !== 'nonmated')
    .map(([, person = '', file = '']) => [person, file] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, pictures);
  return [0, 1].flatMap((half) => enrolled.filter((_, i) => i % 2 === half));
}

function landmarksIn(folder: string): (file: string) => Landmarks {
  const rows = readFileSync(join(folder, 'yunet_n_landmarks.csv'), 'utf8').trim().split('\n');
  const byFile = new Map(rows.map((row) => [row.slice(0, row.indexOf(',')), row.split(',')]));
  return (file) => {
    const [, , , , , , , ...points] = byFile.get(file) ?? [];
    const at = (i: number) => [Number(points[2 * i]), Number(points[2 * i + 1])] as const;
    return [at(0), at(1), at(2), at(3), at(4)];
  };
}

function codesOf({ values }: Looks, random: (sizeBytes: number) => Uint8Array): Int8Array[] {
  const dimensions = values[0]?.length ?? 0;
  const codes = createTelemetryCodes({ bits: 24, dimensions, kernels: { project }, random });
  const made = values.map((face) => codes.mark(day, face));
  expect(new Set(made.map(({ epoch }) => epoch)).size).toBe(1);
  return made.map((mark) =>
    signsOf((mark.kind === 'code' ? mark.code : null) ?? new Uint8Array(0)),
  );
}

function signsOf(code: Uint8Array): Int8Array {
  return Int8Array.from({ length: code.length * 8 }, (_, i) => {
    return ((code[i >> 3] ?? 0) >> (i & 7)) & 1 ? 1 : -1;
  });
}

/** For each bit the direction that parts the known faces of 1 from those of -1. */
function learn(values: readonly Float32Array[], codes: readonly Int8Array[]) {
  const unit = values.map(normalised);
  const directions = Array.from({ length: 24 }, (_, bit) => {
    const direction = new Float64Array(unit[0]?.length ?? 0);
    for (const [i, face] of unit.entries()) {
      const sign = codes[i]?.[bit] ?? 0;
      for (const [j, value] of face.entries()) direction[j] = (direction[j] ?? 0) + sign * value;
    }
    return direction;
  });
  return (face: Float32Array): Int8Array =>
    Int8Array.from(directions, (direction) => {
      const projection = direction.reduce((sum, value, j) => sum + value * (face[j] ?? 0), 0);
      return Math.sign(projection);
    });
}

function normalised(values: Float32Array): Float32Array {
  const norm = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return values.map((value) => value / norm);
}

/** Chance that a pair of one person agrees in more bits than a pair of two; equal counts as half. */
function auc(
  people: readonly string[],
  left: readonly Int8Array[],
  right: readonly Int8Array[],
): number {
  const same: number[] = [];
  const different: number[] = [];
  for (const [i, a] of left.entries()) {
    for (const [j, b] of right.entries()) {
      if (left === right && j <= i) continue;
      let agreement = 0;
      for (const [bit, value] of a.entries()) agreement += value * (b[bit] ?? 0);
      (people[i] === people[j] ? same : different).push(agreement);
    }
  }
  different.sort((a, b) => a - b);
  const below = (limit: number, orEqual: boolean) => {
    let low = 0;
    let high = different.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const value = different[middle] ?? 0;
      if (value < limit || (orEqual && value === limit)) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const wins = same.map((value) => (below(value, false) + below(value, true)) / 2);
  return mean(wins) / different.length;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function dimensionsOf({ values }: Looks): number {
  return values[0]?.length ?? 0;
}
