import { expect, test } from 'vitest';
import type { Acquisition } from '../gallery/acquisition.ts';
import { loadKernels } from '../io/process/native.ts';
import { seededChance } from '../io/process/seeded-chance.ts';
import { clusteredFaces, clusteredModel } from '../test/fakes/clustered-faces.ts';
import { divideFaces } from './attack-success.ts';
import { type AttackId, codeOf, runAttacks } from './attacks.ts';
import { createBlindAligner } from './blind-alignment.ts';
import { bitOf, signsOf } from './codes.ts';
import { createDraws } from './draws.ts';
import { decodeByKnownPairs, facePrior } from './known-pairs.ts';
import { facesOfIdentities } from './labelled-faces.ts';
import { learnDecoder } from './learned-decoder.ts';
import { cosine, dot, type Matrix, matrix, rowOf, solvePositive } from './linear-algebra.ts';
import { backProject, openKey, satisfySigns } from './opened-key.ts';
import { productTemplates } from './scheme.ts';

const dimensions = 64;
const draws = createDraws(seededChance('attacks'));
const { kernels } = loadKernels();
const scheme = productTemplates({ sha256: clusteredModel, dimensions }, 1, kernels);
const protector = scheme.protect(draws.bytes(32));

test('who has the key finds out, by making codes, what every bit is the sign of', () => {
  const opened = openKey(protector, dimensions);
  for (const face of people(5)) {
    const code = codeOf(protector, face);
    const predicted = Array.from(opened.inverted, (inverted, bit) => {
      return (dot(rowOf(opened.directions, bit), face) >= 0 ? 1 : 0) ^ inverted;
    });
    // Codes are made of the embedding rounded to 8 bits: hardly any sign depends on it.
    const wrong = predicted.filter((value, bit) => value !== bitOf(code, bit)).length;
    expect(wrong).toBeLessThan(40);
  }
});

test.each([64, 128, 256])('who has the key gets the embedding of %i numbers back', (size) => {
  const entry = { sha256: clusteredModel, dimensions: size };
  const device = productTemplates(entry, 1, kernels).protect(draws.bytes(32));
  const opened = openKey(device, size);
  for (const face of people(3, size)) {
    const code = codeOf(device, face);
    expect(cosine(backProject(opened, code), face)).toBeGreaterThan(0.94);
    expect(cosine(satisfySigns(opened, code), face)).toBeGreaterThan(0.98);
  }
});

test('a learned decoder is the ridge regression that its formula says', () => {
  const signs = Array.from({ length: 25 }, () => draws.bytes(2));
  const answers = signs.map(() => Float64Array.from({ length: 3 }, draws.normal));
  const probe = draws.bytes(2);
  const learned = learnDecoder(signs, answers)(probe);
  const candidates = [1e-4, 1e-3, 1e-2, 1e-1].map((ridge) => primal(signs, answers, probe, ridge));
  const nearest = Math.min(...candidates.map((answer) => distance(answer, learned)));
  expect(nearest).toBeLessThan(1e-6);
});

test('the faces behind some codes give away the others: one hardly anything, as many as dimensions all', () => {
  const strangers = people(300);
  const prior = facePrior(strangers);
  const targets = people(20);
  const reached = [1, 10, 64, 200].map((count) => {
    const known = strangers.slice(0, count).map((face) => ({
      face,
      code: codeOf(protector, face),
    }));
    const decode = decodeByKnownPairs(prior, known);
    const all = targets.map((face) => cosine(decode(codeOf(protector, face)), face));
    return all.reduce((sum, value) => sum + value, 0) / all.length;
  });
  expect(reached[0]).toBeLessThan(0.3);
  expect(reached[1]).toBeGreaterThan(reached[0] ?? 1);
  expect(reached[2]).toBeGreaterThan(0.7);
  expect(reached[3]).toBeGreaterThan(0.95);
});

test('a lopsided crowd is recognised from its codes alone, an even one is not', () => {
  const lopsided = () => {
    const tail = () => -Math.log((draws.below(1e6) + 0.5) / 1e6) - 1;
    return Float32Array.from({ length: dimensions }, (_, axis) => 0.5 ** axis * tail());
  };
  const align = (faces: Float32Array[], strangers: Float32Array[]) => {
    const guesses = createBlindAligner(strangers)(faces.map((face) => codeOf(protector, face)));
    const all = faces.map((face, i) => cosine(guesses[i] ?? [], face));
    return all.reduce((sum, value) => sum + value, 0) / all.length;
  };
  const some = (make: () => Float32Array, count: number) => Array.from({ length: count }, make);
  expect(align(some(lopsided, 120), some(lopsided, 400))).toBeGreaterThan(0.8);
  expect(Math.abs(align(people(120), people(400)))).toBeLessThan(0.1);
});

test('each attack reaches what it should: all with the key, nothing without it', () => {
  const shape = { persons: 120, pictures: 2, dimensions, cosine: 0.7 };
  const { labels, acquired } = clusteredFaces(shape, draws);
  const { samples } = facesOfIdentities(labels, [], acquired, draws, 0);
  const faces = divideFaces(samples, 30, 500, draws);
  const protectors = [protector, scheme.protect(draws.bytes(32))];
  const sizes = { examples: 100, aligned: 60, constrained: 5, knownPairs: [1, 100, 9999] };
  const attacks = runAttacks(faces, protectors, 0.45, sizes, draws);
  const of = (id: AttackId) => {
    const found = attacks.find((attack) => attack.id === id)?.success;
    if (!found) throw new Error(`no attack ${id}`);
    return found;
  };
  expect(of('embedding').typeI.share).toBe(1);
  for (const id of ['back-projection', 'sign-constraints', 'learned'] as const) {
    expect(of(id).meanCosine).toBeGreaterThan(0.9);
    expect(of(id).typeII.share).toBeGreaterThan(0.9);
  }
  for (const id of ['nothing', 'other-key', 'blind'] as const) {
    expect(Math.abs(of(id).meanCosine)).toBeLessThan(0.1);
    expect(of(id).typeI.events).toBe(0);
  }
  expect(of('other-key').typeI.trials).toBe(2 * 30);
  expect(of('sign-constraints').typeI.trials).toBe(5);
  expect(of('known-pairs-100').typeI.share).toBeGreaterThan(0.9);
  expect(attacks.some(({ id }) => id === 'known-pairs-9999')).toBe(false);
  // Of nobody among the strangers is it the same person, but the nearest is nearer than a stranger by lot.
  expect(of('dictionary').meanCosine).toBeGreaterThan(0.2);
});

test('nobody who is attacked is among the strangers, and a leaked picture is not the other one', () => {
  const acquired = new Map<string, Acquisition>();
  const labels = Array.from({ length: 90 }, (_, i) => {
    const values = Float32Array.of(Math.floor(i / 3), i);
    acquired.set(`${i}`, { kind: 'acquired', embedding: { values, modelSha256: '' } });
    return { identity: `p${Math.floor(i / 3)}`, picture: `${i}` };
  });
  const { samples } = facesOfIdentities(labels, [], acquired, draws, 0);
  const { targets, strangers } = divideFaces(samples, 1000, 1000, draws);
  expect(targets).toHaveLength(15);
  expect(strangers).toHaveLength(45);
  const attacked = new Set(targets.map(({ leaked }) => leaked[0]));
  expect(strangers.some(([person]) => attacked.has(person))).toBe(false);
  for (const { leaked, other } of targets) {
    expect(leaked[0]).toBe(other[0]);
    expect(leaked[1]).not.toBe(other[1]);
  }
});

function people(count: number, size = dimensions): Float32Array[] {
  const shape = { persons: count, pictures: 1, dimensions: size, cosine: 0.7 };
  return [...clusteredFaces(shape, draws).acquired.values()].flatMap((found) =>
    found.kind === 'acquired' ? [found.embedding.values] : [],
  );
}

/** mean + x·(XᵀX/m + ridge·n·I)⁻¹·Xᵀ(Y - mean)/m, written out. */
function primal(
  codes: readonly Uint8Array[],
  answers: readonly Float64Array[],
  probe: Uint8Array,
  ridge: number,
): Float64Array {
  const rows = codes.map(signsOf);
  const [n, bits, size] = [rows.length, 16, 3];
  const mean = Float64Array.from({ length: size }, (_, k) => {
    return answers.reduce((sum, answer) => sum + (answer[k] ?? 0), 0) / n;
  });
  const a: Matrix = matrix(bits, bits);
  const b: Matrix = matrix(bits, size);
  for (let i = 0; i < bits; i++) {
    for (let j = 0; j < bits; j++) {
      const sum = rows.reduce((total, row) => total + (row[i] ?? 0) * (row[j] ?? 0), 0);
      a.values[i * bits + j] = sum / bits + (i === j ? ridge * n : 0);
    }
    for (let k = 0; k < size; k++) {
      b.values[i * size + k] = rows.reduce((total, row, at) => {
        return total + ((row[i] ?? 0) * ((answers[at]?.[k] ?? 0) - (mean[k] ?? 0))) / bits;
      }, 0);
    }
  }
  const weights = solvePositive(a, b);
  const x = signsOf(probe);
  return mean.map((value, k) => {
    return x.reduce((sum, sign, i) => sum + sign * (weights.values[i * size + k] ?? 0), value);
  });
}

function distance(a: Float64Array, b: Float64Array): number {
  return Math.hypot(...a.map((value, i) => value - (b[i] ?? 0)));
}
