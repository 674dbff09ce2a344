import { expect, test } from 'vitest';
import { quantisationFaults } from './recogniser-figures.ts';

const float32 = { accuracy: 0.9423 };

test('int8 weights that lose three tenths of a point are still shipped', () => {
  expect(quantisationFaults(float32, { accuracy: 0.9393 }, 1_300_000)).toEqual([]);
  expect(quantisationFaults(float32, { accuracy: 0.96 }, 1)).toEqual([]);
});

test('int8 weights that lose more, or weigh too much, are refused, with the reason', () => {
  expect(quantisationFaults(float32, { accuracy: 0.9392 }, 1_300_001)).toEqual([
    'int8 loses 0.31 points of accuracy, more than 0.3',
    'int8 has 1300001 bytes, more than 1300000',
  ]);
});

test('a recogniser whose accuracy is not a number is refused', () => {
  expect(quantisationFaults(float32, { accuracy: Number.NaN }, 1)).toHaveLength(1);
});
