import { expect, test } from 'vitest';
import { seededChance } from '../io/process/seeded-chance.ts';
import { chiSquare, chiSquareLimit } from '../test/fakes/chi-square.ts';
import { discreteLaplace } from './discrete-laplace.ts';

test.each([1, 2, 6])(
  'noise of scale %i is as likely as the formula says, value by value',
  (scale) => {
    const random = seededChance(`laplace ${scale}`);
    const trials = 40_000;
    // Values beyond the edge are rare: they are counted at the edge.
    const edge = 4 * scale;
    const counts = new Array<number>(2 * edge + 1).fill(0);
    for (let i = 0; i < trials; i++) {
      const value = Math.max(-edge, Math.min(edge, discreteLaplace(scale, random)));
      counts[value + edge] = (counts[value + edge] ?? 0) + 1;
    }
    const expected = (index: number) => trials * probability(index - edge, scale, edge);
    expect(chiSquare(counts, expected)).toBeLessThan(chiSquareLimit(2 * edge));
  },
);

test('the scale of the counters has the standard deviation that the documents state', () => {
  const random = seededChance('deviation');
  const trials = 20_000;
  let squares = 0;
  for (let i = 0; i < trials; i++) squares += discreteLaplace(6, random) ** 2;
  expect(Math.sqrt(squares / trials)).toBeCloseTo(8.48, 0);
});

test.each([0, -1, 0.5, Number.NaN, 70_000])('a scale of %s is refused', (scale) => {
  expect(() => discreteLaplace(scale, seededChance('scale'))).toThrow(TypeError);
});

/** P(x) = (1 - a) / (1 + a) · a^|x| with a = e^(-1/scale); at the edge with all beyond it. */
function probability(x: number, scale: number, edge: number): number {
  const a = Math.exp(-1 / scale);
  return Math.abs(x) === edge ? a ** edge / (1 + a) : ((1 - a) / (1 + a)) * a ** Math.abs(x);
}
