import { expect, test } from 'vitest';
import type { Chip } from '../ports.ts';
import { createChipMeter, measuringChip } from './chip-measures.ts';

const { size } = measuringChip;

function chipOf(paint: (x: number, y: number) => readonly [number, number, number]): Chip {
  const data = new Uint8Array(size * size * 3);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) data.set(paint(x, y), (y * size + x) * 3);
  }
  return { width: size, height: size, data };
}

const grey = (value: number) => [value, value, value] as const;
/** Stripes of 4 pixels: detail that is there before and after halving. */
const striped = (x: number, y: number) => grey((x + y) % 8 < 4 ? 60 : 180);
const measure = createChipMeter();

test('brightness and highlights are those of the face', () => {
  const measures = measure(chipOf((x) => grey(x < 70 ? 50 : 200)));
  expect(measures.luma).toBeGreaterThan(50);
  expect(measures.luma).toBeLessThan(100);
  expect(measures.highlights).toBe(200);
});

test('a soft picture is less sharp than a crisp one, whatever its contrast', () => {
  const wave = (period: number, height: number) =>
    measure(chipOf((x) => grey(128 + height * Math.sin((2 * Math.PI * x) / period)))).sharpness;
  expect(wave(24, 60)).toBeLessThan(wave(8, 60) / 10);
  expect(wave(8, 60)).toBeCloseTo(wave(8, 100), 1);
});

test('a plain cover over the mouth takes its texture, over the eyes theirs', () => {
  const open = measure(chipOf(striped));
  const masked = measure(chipOf((x, y) => (y > 62 ? grey(120) : striped(x, y))));
  const glasses = measure(chipOf((x, y) => (y > 34 && y < 54 ? grey(20) : striped(x, y))));
  expect(open.mouthTexture).toBeGreaterThan(0.8);
  expect(masked.mouthTexture).toBeLessThan(0.1);
  expect(masked.eyeTexture).toBeGreaterThan(0.3);
  expect(glasses.eyeTexture).toBeLessThan(0.1);
  expect(open.eyeTexture).toBeGreaterThan(0.3);
});

test('a blue cover on skin is pale, a grey picture has no colour to lose', () => {
  const skin = [200, 150, 120] as const;
  expect(measure(chipOf(() => skin)).mouthPallor).toBeCloseTo(0);
  expect(measure(chipOf((_, y) => (y > 62 ? [60, 110, 160] : skin))).mouthPallor).toBeGreaterThan(
    1,
  );
  expect(measure(chipOf((_, y) => grey(y > 62 ? 30 : 150))).mouthPallor).toBeCloseTo(0);
});

test('a chip of any other size is a mistake of the caller', () => {
  expect(() => measure({ width: 4, height: 4, data: new Uint8Array(48) })).toThrow(TypeError);
});
