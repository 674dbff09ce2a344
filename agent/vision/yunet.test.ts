import { expect, test } from 'vitest';
import { frontalFace, yunetOutputs } from '../test/fakes/fake-model.ts';
import { facesOfCells } from './face-cells.ts';
import { yunetCells } from './yunet.ts';

const tensor = { width: 320, height: 256, scale: 0.5 };

function facesIn(outputs: ReturnType<typeof yunetOutputs>, threshold: number) {
  return facesOfCells(yunetCells(outputs), [8, 16, 32], tensor, threshold);
}

test('a cell becomes box, landmarks and score in frame coordinates', () => {
  const face = frontalFace(101, 83, 30, 0.81);
  const [found, ...others] = facesIn(yunetOutputs(320, 256, [face]), 0.6);
  expect(others).toEqual([]);
  expect(found?.score).toBeCloseTo(0.81, 5);
  expect(found?.box.x).toBeCloseTo(face.box.x * 2, 3);
  expect(found?.box.y).toBeCloseTo(face.box.y * 2, 3);
  expect(found?.box.width).toBeCloseTo(face.box.width * 2, 3);
  expect(found?.box.height).toBeCloseTo(face.box.height * 2, 3);
  for (const [i, [x, y]] of face.landmarks.entries()) {
    expect(found?.landmarks[i]?.[0]).toBeCloseTo(x * 2, 3);
    expect(found?.landmarks[i]?.[1]).toBeCloseTo(y * 2, 3);
  }
});

test('the score is the root of class times object, each kept within 0 and 1', () => {
  const outputs = yunetOutputs(320, 256, [frontalFace(100, 80)]);
  const cell = outputs['cls_8']?.findIndex((value) => value > 0) ?? -1;
  outputs['cls_8']?.fill(4, cell, cell + 1);
  outputs['obj_8']?.fill(0.49, cell, cell + 1);
  expect(facesIn(outputs, 0.6)[0]?.score).toBeCloseTo(0.7, 5);
  expect(facesIn(outputs, 0.71)).toEqual([]);
});

test.each([
  ['a score that is no number', 'cls_8', 0, Number.NaN],
  ['a width without end', 'bbox_8', 2, 1000],
  ['a width beyond all measure', 'bbox_8', 2, 6],
  ['a height of nothing', 'bbox_8', 3, Number.NEGATIVE_INFINITY],
  ['a centre that is no number', 'bbox_8', 0, Number.NaN],
  ['a landmark that is no number', 'kps_8', 7, Number.NaN],
  ['a landmark at infinity', 'kps_8', 0, Number.POSITIVE_INFINITY],
])('a cell with %s is no face, the others still are', (_, name, offset, value) => {
  const faces = [frontalFace(100, 80, 30), frontalFace(200, 180, 30)];
  const outputs = yunetOutputs(320, 256, faces);
  expect(facesIn(outputs, 0.6)).toHaveLength(2);
  const cell = outputs['cls_8']?.findIndex((score) => score > 0) ?? -1;
  const perCell = (outputs[name]?.length ?? 0) / (40 * 32);
  outputs[name]?.fill(value, cell * perCell + offset, cell * perCell + offset + 1);
  const found = facesIn(outputs, 0.6);
  expect(found).toHaveLength(1);
  expect(found[0]?.box.x).toBeCloseTo((faces[1]?.box.x ?? 0) * 2, 3);
});

test('outputs of another model are refused by name', () => {
  const outputs = yunetOutputs(320, 256, []);
  const { kps_16: _, ...lacking } = outputs;
  const mismatch = expect.objectContaining({ code: 'MODEL_MISMATCH' });
  expect(() => facesIn(lacking, 0.6)).toThrow(/kps_16/);
  expect(() => facesIn(lacking, 0.6)).toThrow(mismatch);
  const short = { ...outputs, bbox_32: new Float32Array(7) };
  expect(() => facesIn(short, 0.6)).toThrow(/bbox_32 has 7 values, not 320/);
});
