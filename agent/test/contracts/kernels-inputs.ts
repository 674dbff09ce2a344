import fc from 'fast-check';
import { expect } from 'vitest';
import type { Affine, Chip, Kernels, PixelSpec } from '../../ports.ts';
import { type Frame, frameSizeBytes, type PixelFormat, pixelFormats } from '../../vision/frame.ts';

export const plainRgb: PixelSpec = { colour: 'RGB', mean: [0, 0, 0], std: [1, 1, 1] };

export const seed = fc.integer({ min: 1, max: 0x7fffffff });
export const side = fc.integer({ min: 1, max: 70 });
export const frames = fc
  .record({
    format: fc.constantFrom(...pixelFormats),
    width: fc.integer({ min: 1, max: 150 }),
    height: fc.integer({ min: 1, max: 90 }),
    from: seed,
  })
  .map(({ format, width, height, from }) => noise(format, width, height, from));
/** Evenly spread: `fc.double` is spread evenly over exponents, so nearly all of it is nearly 0. */
const real = (min: number, max: number) =>
  fc.integer({ min: 0, max: 1_000_000 }).map((part) => min + (part / 1_000_000) * (max - min));
const three = (min: number, max: number) => {
  const value = real(min, max);
  return fc.tuple(value, value, value);
};
export const specs = fc.record({
  colour: fc.constantFrom('RGB', 'BGR'),
  mean: three(-10, 200),
  std: three(0.5, 200),
});
/** Turned, mirrored, flat, far outside, and beyond every limit. */
export const matrices: fc.Arbitrary<Affine> = fc.oneof(
  matrix(real(-2, 2), real(-20, 90)),
  matrix(real(-0.01, 0.01), real(-5, 90)),
  matrix(real(-60, 60), real(-3000, 3000)),
  matrix(fc.double({ noNaN: true, noDefaultInfinity: true }), real(-20, 90)),
  fc.constant([0, 0, 3.5, 0, 0, 2.25] as const),
);

function matrix(slope: fc.Arbitrary<number>, shift: fc.Arbitrary<number>): fc.Arbitrary<Affine> {
  return fc.tuple(slope, slope, shift, slope, slope, shift);
}

export function letterbox(
  set: Kernels,
  frame: Frame,
  spec: PixelSpec,
  width: number,
  height: number,
) {
  const tensor = new Float32Array(3 * width * height);
  set.letterbox(frame, spec, width, height, tensor);
  return tensor;
}

export function warped(set: Kernels, frame: Frame, matrix: Affine, width: number, height: number) {
  const chip: Chip = { width, height, data: new Uint8Array(3 * width * height).fill(77) };
  set.warp(frame, matrix, chip);
  return chip.data;
}

export function frameOf(
  format: PixelFormat,
  width: number,
  height: number,
  data: Uint8Array,
): Frame {
  return { format, width, height, data, capturedAtMs: 0, sourceId: 'test' };
}

/** With noise before and behind it in memory: a pixel read beyond the frame shows. */
export function noise(format: PixelFormat, width: number, height: number, from: number): Frame {
  const size = frameSizeBytes(format, width, height);
  const data = bytes(size + 2048, from).subarray(1024, 1024 + size);
  return frameOf(format, width, height, data);
}

export function solid(format: PixelFormat, width: number, height: number, name: string): Frame {
  // BT.601 in the limited range; red is 81, 90, 240.
  const [y, u, v] = name === 'red' ? [81, 90, 240] : [name === 'white' ? 235 : 16, 128, 128];
  const rgb = name === 'red' ? [255, 0, 0] : Array(3).fill(name === 'white' ? 255 : 0);
  const data = new Uint8Array(frameSizeBytes(format, width, height));
  const luma = width * height;
  const patterns = {
    rgb24: () => rgb,
    bgr24: () => rgb.toReversed(),
    grey: () => rgb,
    yuyv: () => [y, u, y, v],
    nv12: (i: number) => (i < luma ? [y] : [u, v]),
    i420: (i: number) => (i < luma ? [y] : i < luma * 1.25 ? [u] : [v]),
  };
  data.forEach((_, i) => {
    const pattern = patterns[format](i);
    data[i] = pattern[i % pattern.length];
  });
  return frameOf(format, width, height, data);
}

/** xorshift32: arbitrary, and the same each time. */
export function bytes(length: number, from: number): Uint8Array<ArrayBuffer> {
  let state = from | 1;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 9;
  });
}

export function unitRows(dimensions: number, count: number, from: number): Float32Array {
  const norm = 128 * Math.sqrt(dimensions);
  return Float32Array.from(bytes(dimensions * count, from), (byte) => (byte - 127.5) / norm);
}

export function differingBits(a: Uint8Array, b: Uint8Array): number {
  let bits = 0;
  for (let i = 0; i < b.length; i++) {
    for (let rest = (a[i] ?? 0) ^ (b[i] ?? 0); rest > 0; rest &= rest - 1) bits++;
  }
  return bits;
}

export function detached(length: number): Uint8Array {
  const data = new Uint8Array(length);
  structuredClone(data.buffer, { transfer: [data.buffer] });
  return data;
}

export function expectClose(got: Float32Array, wanted: Float32Array): void {
  expect(got.length).toBe(wanted.length);
  const bad = wanted.findIndex((value, i) => !(Math.abs((got[i] ?? Number.NaN) - value) <= 1e-5));
  if (bad >= 0) expect([bad, got[bad]]).toEqual([bad, wanted[bad]]);
}
