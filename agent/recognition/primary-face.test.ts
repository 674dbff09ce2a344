import { expect, test } from 'vitest';
import { frontalFace } from '../test/fakes/fake-model.ts';
import { primaryFace } from './primary-face.ts';

const frame = { width: 640, height: 480 };

test('the nearest visitor is looked at, not the passer-by behind', () => {
  const near = frontalFace(200, 240, 60, 0.7);
  const far = frontalFace(320, 240, 20, 0.95);
  expect(primaryFace([far, near], frame)).toBe(near);
});

test('of two faces of one size the one in the middle', () => {
  const middle = frontalFace(330, 240, 40, 0.7);
  const rim = frontalFace(600, 240, 40, 0.95);
  expect(primaryFace([rim, middle], frame)).toBe(middle);
});

test('of two that are alike in all, the surer one, every time', () => {
  const left = frontalFace(220, 240, 40, 0.9);
  const right = frontalFace(420, 240, 40, 0.8);
  const boxes = [left, { ...right, box: { ...left.box } }];
  expect(primaryFace(boxes, frame)).toBe(left);
});

test('nobody is nobody', () => {
  expect(primaryFace([], frame)).toBeUndefined();
});
