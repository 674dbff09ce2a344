import fc from 'fast-check';
import { expect, test } from 'vitest';
import { meanEmbedding } from './mean-embedding.ts';

const embedding = (...values: number[]) => ({
  modelSha256: 'aa',
  values: Float32Array.from(values),
});

test('two looks at one face become the direction between them', () => {
  const mean = meanEmbedding([embedding(1, 0), embedding(0, 5)]);
  expect([...(mean?.values ?? [])]).toEqual([Math.fround(Math.SQRT1_2), Math.fround(Math.SQRT1_2)]);
});

test('one look stays as it is, none gives none, and opposite looks cancel out', () => {
  const one = embedding(0.6, 0.8);
  expect(meanEmbedding([one])).toBe(one);
  expect(meanEmbedding([])).toBeUndefined();
  expect(meanEmbedding([embedding(0.6, 0.8), embedding(-0.6, -0.8)])).toBeUndefined();
});

test('the mean has length 1 and does not depend on how long the looks are, nor on their order', () => {
  const value = fc.double({ min: 0.1, max: 1, noNaN: true });
  const looks = fc.array(fc.tuple(value, value, value), { minLength: 2, maxLength: 5 });
  fc.assert(
    fc.property(looks, fc.double({ min: 0.5, max: 8, noNaN: true }), (list, factor) => {
      const mean = meanEmbedding(list.map((look) => embedding(...look)));
      const scaled = meanEmbedding(
        list
          .toReversed()
          .map((look, i) => embedding(...look.map((x) => (i === 0 ? factor * x : x)))),
      );
      expect(Math.hypot(...(mean?.values ?? []))).toBeCloseTo(1, 6);
      mean?.values.forEach((x, i) => {
        expect(scaled?.values[i]).toBeCloseTo(x, 5);
      });
    }),
  );
});

test('looks through different models have no mean', () => {
  const other = { ...embedding(1, 0), modelSha256: 'bb' };
  expect(() => meanEmbedding([embedding(1, 0), other])).toThrow(TypeError);
  expect(() => meanEmbedding([embedding(1, 0), embedding(1, 0, 0)])).toThrow(TypeError);
});
