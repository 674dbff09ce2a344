import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Kernels } from '../../ports.ts';
import {
  bytes,
  differingBits,
  expectClose,
  frames,
  letterbox,
  matrices,
  noise,
  plainRgb,
  seed,
  side,
  specs,
  unitRows,
  warped,
} from './kernels-inputs.ts';

/** Against the TypeScript kernels, and where the definition is short, against that. */
export function sameAsTruth(set: Kernels, truth: Kernels): void {
  test('letterbox gives the same tensor, whatever the frame', () => {
    fc.assert(
      fc.property(frames, specs, fc.boolean(), side, side, (frame, spec, round, w, h) => {
        // Often a whole part of the frame, where there are short cuts.
        const part = 1 << (w % 4);
        const width = round ? Math.max(1, Math.floor(frame.width / part)) : w;
        const height = round ? Math.max(1, Math.floor(frame.height / part)) : h;
        const wanted = new Float32Array(3 * width * height);
        const got = new Float32Array(wanted.length);
        const scale = truth.letterbox(frame, spec, width, height, wanted);
        expect(set.letterbox(frame, spec, width, height, got)).toBe(scale);
        expectClose(got, wanted);
      }),
    );
  });

  test('warp gives the same bytes, whatever the matrix', () => {
    fc.assert(
      fc.property(frames, matrices, side, side, (frame, matrix, width, height) => {
        const wanted = warped(truth, frame, matrix, width, height);
        expect(warped(set, frame, matrix, width, height)).toEqual(wanted);
      }),
    );
  });

  test('normalise gives the same tensor', () => {
    fc.assert(
      fc.property(side, side, specs, seed, (width, height, spec, from) => {
        const chip = { width, height, data: noise('rgb24', width, height, from).data };
        const wanted = new Float32Array(3 * width * height);
        const got = new Float32Array(wanted.length);
        truth.normalise(chip, spec, wanted);
        set.normalise(chip, spec, got);
        expectClose(got, wanted);
      }),
    );
  });

  test('dotTopK gives the same scores, in order', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 0, max: 20 }),
        seed,
        (dimensions, count, k, from) => {
          const values = unitRows(dimensions, count + 1, from);
          const probe = values.slice(count * dimensions);
          const wanted = new Float32Array(k);
          const got = new Float32Array(k);
          const rows = new Uint32Array(k);
          const found = truth.dotTopK(values, count, probe, new Uint32Array(k), wanted);
          expect(set.dotTopK(values, count, probe, rows, got)).toBe(found);
          expectClose(got, wanted);
          expect(new Set(rows.subarray(0, found)).size).toBe(found);
          for (let i = 0; i < found; i++) {
            const row = values.subarray((rows[i] ?? 0) * dimensions);
            expect(probe.reduce((sum, value, j) => sum + value * (row[j] ?? 0), 0)).toBeCloseTo(
              got[i] ?? 0,
              5,
            );
          }
        },
      ),
    );
  });

  test('a frame may lie anywhere in memory, shared or not', () => {
    const { data, ...rest } = noise('i420', 41, 23, 11);
    const shared = new Uint8Array(new SharedArrayBuffer(data.length + 3), 3);
    shared.set(data);
    const wanted = letterbox(truth, { ...rest, data }, plainRgb, 20, 20);
    expect(letterbox(set, { ...rest, data: shared }, plainRgb, 20, 20)).toEqual(wanted);
  });
}

export function sameAsDefinition(set: Kernels): void {
  test('project adds every number with the sign of its bit', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 1, max: 90 }), fc.constantFrom(128, 256, 512, 1024)),
        fc.integer({ min: 0, max: 50 }),
        seed,
        (dimensions, bits, from) => {
          const signs = bytes(Math.ceil((dimensions * bits) / 8), from);
          const q = new Int8Array(bytes(dimensions, from + 1).buffer);
          const y = new Int32Array(bits);
          set.project(signs, q, y);
          const wanted = Array.from({ length: bits }, (_, i) =>
            q.reduce((sum, value, j) => {
              const bit = i * dimensions + j;
              return ((signs[bit >> 3] ?? 0) >> (bit & 7)) & 1 ? sum + value : sum - value;
            }, 0),
          );
          expect([...y]).toEqual(wanted);
        },
      ),
    );
  });

  test('project holds at the largest numbers', () => {
    const y = new Int32Array(2);
    const signs = new Uint8Array(256).fill(255, 0, 128);
    set.project(signs, new Int8Array(1024).fill(-128), y);
    expect([...y]).toEqual([-131_072, 131_072]);
  });

  test('hammingTopK finds what sorting all rows finds', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 1, max: 80 }), fc.constantFrom(512, 1000, 1100)),
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 0, max: 20 }),
        fc.integer({ min: 0, max: 5 }),
        fc.constantFrom('noise', 'the same', 'the opposite'),
        seed,
        (length, count, k, offset, kind, from) => {
          const probe = bytes(length, from);
          const codes = bytes(count * length + offset, from + 1).subarray(offset);
          if (kind !== 'noise') {
            const flip = kind === 'the same' ? 0 : 255;
            codes.set(Uint8Array.from(codes, (_, i) => (probe[i % length] ?? 0) ^ flip));
            for (let row = 0; row < count; row += 3) codes[row * length] = 129;
          }
          const rows = new Uint32Array(k);
          const distances = new Uint32Array(k);
          const found = set.hammingTopK(codes, count, probe, rows, distances);
          const sorted = Array.from({ length: count }, (_, row) => ({
            row,
            bits: differingBits(codes.subarray(row * length), probe),
          })).sort((a, b) => a.bits - b.bits || a.row - b.row);
          expect(found).toBe(Math.min(k, count));
          expect([...rows.subarray(0, found)]).toEqual(sorted.slice(0, k).map(({ row }) => row));
          expect([...distances.subarray(0, found)]).toEqual(
            sorted.slice(0, k).map(({ bits }) => bits),
          );
        },
      ),
    );
  });
}
