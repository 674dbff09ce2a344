import { expect, test } from 'vitest';
import { frontalFace } from '../test/fakes/fake-model.ts';
import { iou, suppressOverlaps } from './suppression.ts';

test('two boxes on one face become the better one', () => {
  const faint = frontalFace(100, 100, 40, 0.7);
  const clear = frontalFace(104, 101, 40, 0.9);
  expect(suppressOverlaps([faint, clear], 0.3, 10)).toEqual([clear]);
});

test('neighbours who hardly overlap are both kept, the surer first', () => {
  const left = frontalFace(100, 100, 40, 0.7);
  const right = frontalFace(170, 100, 40, 0.9);
  expect(suppressOverlaps([left, right], 0.3, 10)).toEqual([right, left]);
});

test('of 500 boxes the best are kept, no more than asked for', () => {
  const boxes = Array.from({ length: 500 }, (_, i) =>
    frontalFace(50 + (i % 25) * 100, 50 + Math.floor(i / 25) * 140, 40, 0.6 + (i % 97) / 1000),
  );
  const kept = suppressOverlaps([...boxes], 0.3, 16);
  expect(kept).toHaveLength(16);
  expect(kept.map(({ score }) => score)).toEqual(
    boxes
      .map(({ score }) => score)
      .sort((a, b) => b - a)
      .slice(0, 16),
  );
});

test('overlap is intersection by union', () => {
  const box = { x: 0, y: 0, width: 10, height: 10 };
  expect(iou(box, box)).toBe(1);
  expect(iou(box, { ...box, x: 5 })).toBeCloseTo(50 / 150);
  expect(iou(box, { ...box, x: 10 })).toBe(0);
  expect(iou({ ...box, width: 0 }, { ...box, width: 0 })).toBe(0);
});
