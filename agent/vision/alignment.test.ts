import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Affine } from '../ports.ts';
import { paintedFrame, scriptKernels } from '../test/fakes/fake-frame.ts';
import { embeddingEntry, frontalFace } from '../test/fakes/fake-model.ts';
import { createAligner, fitChip } from './alignment.ts';
import type { Landmarks, Point } from './face.ts';

const { points } = embeddingEntry.alignment;

test('landmarks that are the turned, scaled and shifted points are hit exactly', () => {
  fc.assert(
    fc.property(
      fc.double({ min: -3.1, max: 3.1, noNaN: true }),
      fc.double({ min: 0.1, max: 20, noNaN: true }),
      fc.double({ min: -500, max: 5000, noNaN: true }),
      fc.double({ min: -500, max: 5000, noNaN: true }),
      (angle, scale, dx, dy) => {
        const a = scale * Math.cos(angle);
        const b = scale * Math.sin(angle);
        const placed = points.map(([x, y]): Point => [a * x - b * y + dx, b * x + a * y + dy]);
        const fit = fitChip(placed, points);
        for (const [i, point] of points.entries()) {
          const [x, y] = map(fit, point);
          expect(x).toBeCloseTo(placed[i]?.[0] ?? 0, 5);
          expect(y).toBeCloseTo(placed[i]?.[1] ?? 0, 5);
        }
      },
    ),
  );
});

/** A face turned to the side fits no similarity exactly: here the two directions part. */
test('the fit is frame to chip: the squared error in the chip is the least there is', () => {
  const turned: Landmarks = [
    [100, 100],
    [118, 101],
    [128, 120],
    [104, 142],
    [119, 143],
  ];
  const fit = fitChip(turned, points);
  const best = errorInChip(fit, turned);
  const other = inverse(fitChip(points, turned));
  expect(best).toBeLessThan(errorInChip(other, turned) * 0.97);
  for (const nudge of [0.98, 0.99, 1.01, 1.02]) {
    expect(errorInChip(scaled(fit, nudge, turned), turned)).toBeGreaterThan(best);
  }
});

test('a mirrored face is not mirrored back', () => {
  const mirrored = points.map(([x, y]): Point => [112 - x, y]);
  const [a, b, , d, e] = fitChip(mirrored, points) ?? [];
  expect((a ?? 0) * (e ?? 0) - (b ?? 0) * (d ?? 0)).toBeGreaterThan(0);
});

test('landmarks on one spot, or none that are numbers, give nothing', () => {
  const spot = points.map((): Point => [50, 60]);
  expect(fitChip(spot, points)).toBeUndefined();
  const broken = points.map((_, i): Point => [i === 2 ? Number.NaN : i * 10, i * i]);
  expect(fitChip(broken, points)).toBeUndefined();
});

test('the chip shows the eyes where the model wants them, and is overwritten on demand', () => {
  const face = frontalFace(200, 150, 60);
  const [eye] = face.landmarks;
  const isEye = (x: number, y: number) => Math.hypot(x - eye[0], y - eye[1]) < 4;
  const frame = paintedFrame(400, 300, (x, y) => (isEye(x, y) ? 250 : 20));
  const aligner = createAligner(embeddingEntry.alignment, scriptKernels());
  const chip = aligner.align(frame, face.landmarks);
  const pixel = (x: number, y: number) => chip?.data[(y * 112 + x) * 3];
  expect(pixel(38, 52)).toBe(250);
  expect(pixel(73, 52)).toBe(20);
  expect(aligner.align(frame, face.landmarks)?.data).toBe(chip?.data);
  aligner.wipe();
  expect(chip?.data.every((value) => value === 0)).toBe(true);
});

function map(fit: Affine | undefined, [x, y]: readonly [number, number]): Point {
  const [a, b, c, d, e, f] = fit ?? [0, 0, 0, 0, 0, 0];
  return [a * x + b * y + c, d * x + e * y + f];
}

function inverse(fit: Affine | undefined): Affine {
  const [a, b, c, d, e, f] = fit ?? [1, 0, 0, 0, 1, 0];
  const det = a * e - b * d;
  return [e / det, -b / det, (b * f - c * e) / det, -d / det, a / det, (c * d - a * f) / det];
}

/** Sum of squared distances, in the chip, of the landmarks from their points. */
function errorInChip(chipToFrame: Affine | undefined, landmarks: readonly Point[]): number {
  const frameToChip = inverse(chipToFrame);
  return landmarks.reduce((sum, landmark, i) => {
    const [x, y] = map(frameToChip, landmark);
    return sum + (x - (points[i]?.[0] ?? 0)) ** 2 + (y - (points[i]?.[1] ?? 0)) ** 2;
  }, 0);
}

/** The fit with another scale about the middle of the landmarks. */
function scaled(fit: Affine | undefined, by: number, landmarks: readonly Point[]): Affine {
  const [a, b, c, d, e, f] = fit ?? [1, 0, 0, 0, 1, 0];
  const cx = landmarks.reduce((sum, [x]) => sum + x, 0) / landmarks.length;
  const cy = landmarks.reduce((sum, [, y]) => sum + y, 0) / landmarks.length;
  return [a * by, b * by, (c - cx) * by + cx, d * by, e * by, (f - cy) * by + cy];
}
