import { expect, test } from 'vitest';
import { scaleToUnit } from './unit-vector.ts';

test('a vector keeps its direction and gets length 1', () => {
  const values = Float32Array.of(3, 0, -4);
  expect(scaleToUnit(values)).toBe(true);
  expect([...values]).toEqual([expect.closeTo(0.6), 0, expect.closeTo(-0.8)]);
});

test.each([
  ['nothing', [0, 0, 0]],
  ['a value that is no number', [1, Number.NaN, 0]],
  ['a value without end', [1, Number.POSITIVE_INFINITY, 0]],
  ['a length without end', [3e38, 3e38, 3e38]],
])('%s has no direction, or is told from it', (name, values) => {
  const vector = Float32Array.from(values);
  const isDirection = scaleToUnit(vector);
  // The squares are summed in double: what a float32 can hold has a length.
  expect(isDirection).toBe(name === 'a length without end');
  if (!isDirection) expect([...vector]).toEqual([0, 0, 0]);
});
