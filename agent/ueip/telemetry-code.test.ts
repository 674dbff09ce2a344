import { describe, expect, test } from 'vitest';
import { seededChance } from '../io/process/seeded-chance.ts';
import { project } from '../template/projection.ts';
import { chiSquare, chiSquareLimit } from '../test/fakes/chi-square.ts';
import { anotherLook, randomFaces } from '../test/fakes/random-faces.ts';
import { watchedRandom } from '../test/fakes/seeded-random.ts';
import { codesPerEpoch, createTelemetryCodes, type TelemetryBits } from './telemetry-code.ts';

const dimensions = 128;
const day = '2027-03-01';
const [face, other] = randomFaces(2, dimensions, seededChance('faces'));
if (!face || !other) throw new Error('two faces were asked for');

/**
 * The hardest face to hide: most of its projections are 0, which counts as plus, so that without the pad
 * three of four of its bits would be 1.
 */
const flat = { values: new Float32Array(dimensions).fill(1, 0, 2), modelSha256: face.modelSha256 };

describe.each([
  [24, 'an ordinary face', face],
  [24, 'the face that is hardest to hide', flat],
  [16, 'the face that is hardest to hide', flat],
] as const)('one code of %i bits of %s', (bits, _, { values }) => {
  test('S0-18 one code says nothing of the face: over many keys each value of each byte is equally likely', () => {
    const trials = 6000;
    const bytes = Array.from({ length: bits / 8 }, () => new Uint32Array(256));
    // Each byte alone, and bits of the first byte against bits of the last.
    const across = new Uint32Array(256);
    const random = seededChance(`theorem ${bits}`);
    for (let i = 0; i < trials; i++) {
      const code = codeOf(bits, values, random);
      code.forEach((byte, at) => {
        const counts = bytes[at];
        if (counts) counts[byte] = (counts[byte] ?? 0) + 1;
      });
      const mixed = ((code[0] ?? 0) & 15) | ((code.at(-1) ?? 0) & 240);
      across[mixed] = (across[mixed] ?? 0) + 1;
    }
    for (const counts of [...bytes, across]) {
      expect(chiSquare(counts, () => trials / 256)).toBeLessThan(chiSquareLimit(255));
    }
  });
});

test('S0-15 the same face on the same date after a second start has an unrelated code', () => {
  const trials = 2000;
  const random = seededChance('second start');
  let bitsApart = 0;
  for (let i = 0; i < trials; i++) {
    bitsApart += distance(codeOf(24, face.values, random), codeOf(24, face.values, random));
  }
  // Mean of 24 fair coins, six standard errors.
  expect(Math.abs(bitsApart / trials - 12)).toBeLessThan((6 * Math.sqrt(6)) / Math.sqrt(trials));
});

test('two looks of one visitor on one day are nearer to each other than two visitors', () => {
  const random = seededChance('resemblance');
  const trials = 400;
  let same = 0;
  let different = 0;
  for (let i = 0; i < trials; i++) {
    const codes = createTelemetryCodes({ bits: 24, dimensions, kernels: { project }, random });
    const first = markOf(codes, face.values);
    same += distance(first, markOf(codes, anotherLook(face, 0.6, random).values));
    different += distance(first, markOf(codes, other.values));
    codes.end();
  }
  // 24·acos(0.6)/π = 7.1 and about 12.
  expect(same / trials).toBeGreaterThan(6);
  expect(same / trials).toBeLessThan(8);
  expect(different / trials).toBeGreaterThan(10);
});

test('within an epoch the same embedding has the same code: the length of an epoch is what protects', () => {
  const codes = createTelemetryCodes({
    bits: 24,
    dimensions,
    kernels: { project },
    random: seededChance('same'),
  });
  expect(markOf(codes, face.values)).toEqual(markOf(codes, face.values));
});

test('384 codes in one day: no key makes more than 128', () => {
  const { codes } = watched();
  const runs = new Map<string, number>();
  for (let i = 0; i < 384; i++) {
    const { epoch } = codes.mark(day, face.values);
    runs.set(epoch, (runs.get(epoch) ?? 0) + 1);
  }
  expect([...runs.values()]).toEqual([codesPerEpoch, codesPerEpoch, codesPerEpoch]);
  expect(codesPerEpoch).toBe(128);
});

test('attempts without a face have no code and use up nothing', () => {
  const { codes } = watched();
  const { epoch } = codes.mark(day, face.values);
  for (let i = 0; i < 200; i++) {
    expect(codes.mark(day, undefined)).toEqual({ kind: 'code', epoch, code: null });
  }
  expect(codes.mark(day, face.values).epoch).toBe(epoch);
});

describe('S0-15 what a code could be made with again is zeroed in memory', () => {
  test.each<[string, (codes: Codes) => void]>([
    ['at midnight, before anybody else comes', (codes) => codes.keepOnly('2027-03-02')],
    ['when the clock goes back to yesterday', (codes) => codes.keepOnly('2027-02-28')],
    ['with the first code of another date', (codes) => void codes.mark('2027-03-02', face.values)],
    ['at the end: opt-out, or the process stops', (codes) => codes.end()],
    [
      'with the 128th code, not with the one after',
      (codes) => {
        for (let i = 1; i < 128; i++) codes.mark(day, face.values);
      },
    ],
  ])('%s', (_, rotate) => {
    const { codes, given, seen } = watched();
    codes.mark(day, face.values);
    const [memory] = seen;
    if (!memory) throw new Error('no projection was made');
    expect(memory.signs.some((byte) => byte !== 0)).toBe(true);
    expect(given[0]?.was.some((byte) => byte !== 0)).toBe(true);
    rotate(codes);
    for (const bytes of [given[0]?.memory, memory.signs, memory.q, memory.y]) {
      expect(bytes?.every((value) => value === 0)).toBe(true);
    }
  });

  test('but not before: 127 codes are of one epoch', () => {
    const { codes, seen } = watched();
    for (let i = 0; i < 127; i++) codes.mark(day, face.values);
    expect(seen[0]?.signs.some((byte) => byte !== 0)).toBe(true);
  });

  test('and what was computed from the face is zeroed with every code', () => {
    const { codes, seen } = watched();
    codes.mark(day, face.values);
    expect(seen[0]?.q.every((value) => value === 0)).toBe(true);
    expect(seen[0]?.y.every((value) => value === 0)).toBe(true);
  });
});

type Codes = ReturnType<typeof createTelemetryCodes>;

/** Codes with a view of the memory that the key and the signs stand in. */
function watched() {
  const { random, given } = watchedRandom('watched');
  const seen: { signs: Uint8Array; q: Int8Array; y: Int32Array }[] = [];
  const kernels: Parameters<typeof createTelemetryCodes>[0]['kernels'] = {
    project(signs, q, y) {
      seen.push({ signs, q, y });
      project(signs, q, y);
    },
  };
  return { codes: createTelemetryCodes({ bits: 24, dimensions, kernels, random }), given, seen };
}

function codeOf(bits: TelemetryBits, values: Float32Array, random: (n: number) => Uint8Array) {
  const codes = createTelemetryCodes({ bits, dimensions, kernels: { project }, random });
  const code = markOf(codes, values);
  expect(code).toHaveLength(bits / 8);
  codes.end();
  return code;
}

function markOf(codes: Codes, values: Float32Array): Uint8Array {
  const mark = codes.mark(day, values);
  if (mark.kind !== 'code' || mark.code === null) throw new Error('a face has a code');
  return mark.code;
}

function distance(a: Uint8Array, b: Uint8Array): number {
  let bits = 0;
  for (const [i, byte] of a.entries()) {
    for (let rest = byte ^ (b[i] ?? 0); rest > 0; rest >>= 1) bits += rest & 1;
  }
  return bits;
}
