import { expect, test } from 'vitest';
import type { Kernels, PixelSpec } from '../../ports.ts';
import { pixelFormats } from '../../vision/frame.ts';
import { frameOf, letterbox, noise, plainRgb, solid, warped } from './kernels-inputs.ts';

/** Worked out by hand. */
export function knownAnswers(set: Kernels): void {
  test.each(pixelFormats)('red stays red, black black and white white in %s', (format) => {
    const colours =
      format === 'grey'
        ? { black: [0, 0, 0], white: [255, 255, 255] }
        : { black: [0, 0, 0], white: [255, 255, 255], red: [255, 0, 0] };
    for (const [name, rgb] of Object.entries(colours)) {
      const frame = solid(format, 20, 18, name);
      const tensor = letterbox(set, frame, plainRgb, 10, 9);
      const chip = warped(set, frame, [1, 0, 3, 0, 1, 3], 4, 4);
      for (let colour = 0; colour < 3; colour++) {
        expect(new Set(tensor.slice(colour * 90, colour * 90 + 90))).toEqual(
          new Set([rgb[colour]]),
        );
      }
      expect([...chip]).toEqual(Array.from({ length: 16 }, () => rgb).flat());
    }
  });

  test('a picture of half the size holds the means of four pixels, rounded', () => {
    const data = Uint8Array.of(10, 20, 1, 2, 30, 41, 3, 0, 255, 255, 0, 0, 255, 255, 0, 1);
    const tensor = letterbox(set, frameOf('grey', 4, 4, data), plainRgb, 2, 2);
    // 101/4 = 25.25, 6/4 = 1.5, 255, 1/4
    expect([...tensor]).toEqual([25, 2, 255, 0, 25, 2, 255, 0, 25, 2, 255, 0]);
  });

  test('a picture shrunk by a third takes each pixel by the part of it that is covered', () => {
    const data = Uint8Array.of(90, 30, 60);
    const tensor = letterbox(set, frameOf('grey', 3, 1, data), plainRgb, 2, 1);
    // (90 + 30/2) / 1.5 = 70, (30/2 + 60) / 1.5 = 50
    expect([...tensor.slice(0, 2)]).toEqual([70, 50]);
  });

  test('the picture stands at the top left, the rest is black before mean and std', () => {
    const spec: PixelSpec = { colour: 'BGR', mean: [1, 2, 3], std: [2, 4, 8] };
    const frame = solid('rgb24', 8, 4, 'white');
    const tensor = new Float32Array(3 * 4 * 4);
    expect(set.letterbox(frame, spec, 4, 4, tensor)).toBe(0.5);
    const rows = (full: number, empty: number) => [...Array(8).fill(full), ...Array(8).fill(empty)];
    expect([...tensor]).toEqual([
      ...rows(127, -0.5),
      ...rows(253 / 4, -0.5),
      ...rows(252 / 8, -3 / 8),
    ]);
  });

  test('a small picture is never enlarged', () => {
    const tensor = new Float32Array(3 * 32 * 32);
    expect(set.letterbox(noise('nv12', 16, 16, 5), plainRgb, 32, 32, tensor)).toBe(1);
  });

  test('warping by nothing gives the picture back', () => {
    const frame = noise('rgb24', 33, 17, 7);
    expect(warped(set, frame, [1, 0, 0, 0, 1, 0], 33, 17)).toEqual(frame.data);
  });

  test('between two pixels lies their mean, and beyond the edge lies black', () => {
    const frame = frameOf('grey', 2, 1, Uint8Array.of(100, 201));
    const chip = warped(set, frame, [0.5, 0, -1, 0, 1, 0], 7, 1);
    const grey = [0, 50, 100, 151, 201, 101, 0];
    expect([...chip]).toEqual(grey.flatMap((value) => [value, value, value]));
  });

  test('a chip becomes a tensor in the colour order of the model', () => {
    const chip = { width: 2, height: 1, data: Uint8Array.of(10, 20, 30, 40, 50, 60) };
    const tensor = new Float32Array(6);
    set.normalise(chip, { colour: 'BGR', mean: [10, 10, 10], std: [2, 1, 4] }, tensor);
    expect([...tensor]).toEqual([10, 25, 10, 40, 0, 7.5]);
  });

  test('equal distances and equal scores are ordered by lower row', () => {
    const rows = new Uint32Array(3);
    const distances = new Uint32Array(3);
    const codes = Uint8Array.of(3, 1, 0, 2, 1);
    expect(set.hammingTopK(codes, 5, Uint8Array.of(0), rows, distances)).toBe(3);
    expect([...rows]).toEqual([2, 1, 3]);
    expect([...distances]).toEqual([0, 1, 1]);
    const scores = new Float32Array(3);
    const vectors = Float32Array.of(0.5, 1, 1, 0.25, 1);
    expect(set.dotTopK(vectors, 5, Float32Array.of(1), rows, scores)).toBe(3);
    expect([...rows]).toEqual([1, 2, 4]);
    expect([...scores]).toEqual([1, 1, 1]);
  });

  test('fewer rows than asked for are all returned, and none from an empty gallery', () => {
    const rows = new Uint32Array(4).fill(9);
    const distances = new Uint32Array(4).fill(9);
    const probe = Uint8Array.of(255);
    expect(set.hammingTopK(Uint8Array.of(0, 255), 2, probe, rows, distances)).toBe(2);
    expect([...rows]).toEqual([1, 0, 9, 9]);
    expect(set.hammingTopK(new Uint8Array(), 0, probe, rows, distances)).toBe(0);
    expect(set.hammingTopK(probe, 1, probe, new Uint32Array(), new Uint32Array())).toBe(0);
    const scores = new Float32Array(4);
    expect(set.dotTopK(new Float32Array(), 0, Float32Array.of(1), rows, scores)).toBe(0);
  });

  test('a damaged vector comes last, whatever it would have scored', () => {
    const vectors = Float32Array.of(Number.NaN, -1, Number.POSITIVE_INFINITY, 1);
    const rows = new Uint32Array(4);
    const scores = new Float32Array(4);
    expect(set.dotTopK(vectors, 4, Float32Array.of(1), rows, scores)).toBe(4);
    expect([...rows]).toEqual([2, 3, 1, 0]);
    expect(scores[3]).toBe(Number.NEGATIVE_INFINITY);
  });
}
