import fc from 'fast-check';
import { expect, test } from 'vitest';
import { proportion } from './proportion.ts';

test('no false acceptance among 1,000 strangers still allows up to 0.38 %', () => {
  const none = proportion(0, 1000);
  expect(none).toMatchObject({ share: 0, low95: 0 });
  // Wilson's upper bound at zero events is z² / (n + z²).
  const z2 = 1.959963984540054 ** 2;
  expect(none.high95).toBeCloseTo(z2 / (1000 + z2), 12);
});

test('the interval is the published one of Wilson for 81 of 263 and 15 of 148', () => {
  // Newcombe (1998), Statistics in Medicine 17, 857: table I, method 3.
  const many = proportion(81, 263);
  expect([many.low95, many.high95].map((x) => x.toFixed(4))).toEqual(['0.2553', '0.3662']);
  const few = proportion(15, 148);
  expect([few.low95, few.high95].map((x) => x.toFixed(4))).toEqual(['0.0624', '0.1605']);
});

test('nothing tried says nothing: no share, and an interval from 0 to 1', () => {
  expect(proportion(0, 0)).toEqual({ events: 0, trials: 0, share: null, low95: 0, high95: 1 });
});

test('the interval holds the share, lies within 0…1, mirrors its complement and narrows with more trials', () => {
  const counts = fc
    .tuple(fc.integer({ min: 1, max: 1e7 }), fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([trials, share]) => [Math.round(share * trials), trials] as const);
  fc.assert(
    fc.property(counts, ([events, trials]) => {
      const { share, low95, high95 } = proportion(events, trials);
      expect(share).toBe(events / trials);
      expect(low95).toBeGreaterThanOrEqual(0);
      expect(high95).toBeLessThanOrEqual(1);
      expect(low95).toBeLessThanOrEqual(share ?? Number.NaN);
      expect(high95).toBeGreaterThanOrEqual(share ?? Number.NaN);
      expect(proportion(trials - events, trials).low95).toBeCloseTo(1 - high95, 9);
      const more = proportion(4 * events, 4 * trials);
      expect(more.high95 - more.low95).toBeLessThan(high95 - low95);
    }),
  );
});

test.each([
  [3, 2],
  [-1, 2],
  [0.5, 2],
  [Number.NaN, 2],
  [1, Number.POSITIVE_INFINITY],
])('%d of %d is a programming mistake', (events, trials) => {
  expect(() => proportion(events, trials)).toThrow(TypeError);
});
