import { expect, test } from 'vitest';
import { frontalFace, yunetOutputs } from '../test/fakes/fake-model.ts';
import { facesOfCells } from './face-cells.ts';
import { faceMapCells } from './face-maps.ts';
import { yunetCells } from './yunet.ts';

const [width, height] = [320, 256];
const tensor = { width, height, scale: 0.5 };
const strides = [8, 16, 32];

function facesIn(outputs: Record<string, Float32Array>, threshold: number, cellsOf = faceMapCells) {
  return facesOfCells(cellsOf(outputs), strides, tensor, threshold);
}

/** The same cells as YuNet would say them, in planes, and with the score before the sigmoid. */
function faceMaps(faces: Parameters<typeof yunetOutputs>[2]): Record<string, Float32Array> {
  const said = yunetOutputs(width, height, faces);
  const maps = strides.map((stride) => {
    const cells = (width / stride) * (height / stride);
    const of = (name: string, size: number, n: number) => (_: unknown, cell: number) =>
      said[`${name}_${stride}`]?.[cell * size + n] ?? Number.NaN;
    const plane = (value: (_: unknown, cell: number) => number) =>
      Array.from({ length: cells }, value);
    const score = plane(of('cls', 1, 0)).map((value) => Math.log(value / (1 - value)));
    const box = [0, 1, 2, 3].flatMap((n) => plane(of('bbox', 4, n)));
    const points = Array.from({ length: 10 }, (_, n) => plane(of('kps', 10, n))).flat();
    return [`faces_${stride}`, Float32Array.from([...score, ...box, ...points])] as const;
  });
  return Object.fromEntries(maps);
}

test('planes of a map become the same faces as the rows of YuNet', () => {
  const faces = [frontalFace(101, 83, 30, 0.81), frontalFace(220, 170, 24, 0.7)];
  const found = facesIn(faceMaps(faces), 0.6);
  const wanted = facesIn(yunetOutputs(width, height, faces), 0.6, yunetCells);
  expect(wanted).toHaveLength(2);
  for (const [i, face] of found.entries()) {
    expect(face.score).toBeCloseTo(wanted[i]?.score ?? Number.NaN, 5);
    expect(face.box.x).toBeCloseTo(wanted[i]?.box.x ?? Number.NaN, 3);
    expect(face.box.height).toBeCloseTo(wanted[i]?.box.height ?? Number.NaN, 3);
    expect(face.landmarks.flat()).toEqual(
      wanted[i]?.landmarks.flat().map((value) => expect.closeTo(value, 3)),
    );
  }
  expect(found).toHaveLength(2);
});

test('a score below the threshold, and one that is no number, is no face', () => {
  const maps = faceMaps([frontalFace(100, 80, 30, 0.7)]);
  expect(facesIn(maps, 0.71)).toEqual([]);
  const cell = maps['faces_8']?.findIndex((score) => score > 0) ?? -1;
  maps['faces_8']?.fill(Number.NaN, cell, cell + 1);
  expect(facesIn(maps, 0.6)).toEqual([]);
});

test('maps of another model are refused by name', () => {
  const maps = faceMaps([]);
  const { faces_16: _, ...lacking } = maps;
  const mismatch = expect.objectContaining({ code: 'MODEL_MISMATCH' });
  expect(() => facesIn(lacking, 0.6)).toThrow(mismatch);
  expect(() => facesIn(lacking, 0.6)).toThrow(/faces_16/);
  const short = { ...maps, faces_32: new Float32Array(7) };
  expect(() => facesIn(short, 0.6)).toThrow(/faces_32 has 7 values, not 1200/);
});
