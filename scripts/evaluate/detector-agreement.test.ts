import { expect, test } from 'vitest';
import type { Face, Landmarks } from '../../agent/vision/face.ts';
import {
  agreement,
  annotatedFaces,
  errorQuantile,
  heightSeen,
  type SeenTwice,
  thresholdAllowing,
} from './detector-agreement.ts';

/** A face of 100 x 120 whose eyes are 40 apart, its landmarks moved by `off`. */
function face(x: number, { score = 0.9, off = 0 } = {}): Face {
  const at = (px: number, py: number) => [x + px + off, py] as const;
  const landmarks: Landmarks = [at(30, 50), at(70, 50), at(50, 70), at(35, 90), at(65, 90)];
  return { box: { x, y: 0, width: 100, height: 120 }, landmarks, score };
}

const seen = (reference: Face[], candidate: Face[], scale = 1): SeenTwice => ({
  reference,
  candidate,
  scale,
});

test('a face is found where the boxes overlap by half, and counted once', () => {
  const pictures = [
    seen([face(0), face(500)], [face(33), face(1000)]),
    seen([face(0)], [face(34)]),
  ];
  expect(agreement(pictures, 0.5)).toMatchObject({ wanted: 3, found: 1, others: 2 });
});

test('boxes below the threshold neither find a face nor count as others', () => {
  const pictures = [seen([face(0)], [face(0, { score: 0.49 }), face(500, { score: 0.3 })])];
  expect(agreement(pictures, 0.5)).toMatchObject({ wanted: 1, found: 0, others: 0 });
  expect(agreement(pictures, 0.49)).toMatchObject({ wanted: 1, found: 1, others: 0 });
});

test('landmarks are measured in distances between the eyes, on the nearest box', () => {
  const near = face(1, { off: 3 });
  const found = agreement([seen([face(0)], [near, face(20)])], 0.5);
  expect(found.landmarkErrors).toEqual([4 / 40]);
  expect(agreement([seen([face(0)], [face(20), near])], 0.5).landmarkErrors).toEqual([4 / 40]);
  const many = { ...found, landmarkErrors: [0.1, 0.4, 0.2, 0.3] };
  expect([errorQuantile(many, 0.5), errorQuantile(many, 0.9)]).toEqual([0.2, 0.4]);
});

test('only the faces that are asked for are counted, by their size in the tensor', () => {
  const pictures = [seen([face(0)], [face(0)], 0.5), seen([face(0)], [face(0)], 0.1)];
  const large = agreement(pictures, 0.5, (each, picture) => heightSeen(each, picture) >= 60);
  expect(large).toMatchObject({ wanted: 1, found: 1, others: 0 });
});

test('on annotated pictures a box without a nose in it is a false one', () => {
  const faces = [face(0), face(200, { score: 0.7 }), face(400, { score: 0.8 })];
  const pictures = [
    { noses: [[50, 70] as const, [950, 70] as const], faces },
    { noses: [], faces: [face(0, { score: 0.2 })] },
  ];
  expect(annotatedFaces(pictures)).toEqual({ noses: 2, found: 1, falseScores: [0.7, 0.8, 0.2] });
});

test('the threshold for a number of false boxes is the lowest at which no more pass', () => {
  const scores = [0.2, 0.8, 0.5];
  const passing = (threshold: number) => scores.filter((score) => score >= threshold).length;
  for (const allowed of [0, 1, 2]) {
    const threshold = thresholdAllowing(scores, allowed, 0.1);
    expect(passing(threshold)).toBe(allowed);
    expect(passing(threshold - 1e-9)).toBe(allowed + 1);
  }
  expect(thresholdAllowing(scores, 3, 0.1)).toBe(0.1);
  expect(thresholdAllowing(scores, 2, 0.3)).toBe(0.3);
});
