import { expect, test } from 'vitest';
import { bucketSlackDays, ttlClasses, ttlDaysOf, ttlPrefix } from './age-class.ts';
import { dayMs } from './month.ts';

test.each([
  ['a whole month left', 30, 28],
  ['a little less', 29.99, 27],
  ['more than there can be', 300, 28],
  ['three days', 3, 1],
  ['less than three days: not sent any more', 2.99, 0],
  ['nothing', 0, 0],
  ['the month is over', -5, 0],
  ['nobody knows how old it is', Number.NEGATIVE_INFINITY, 0],
])('S0-14 with %s the bucket is told so many days', (_, leftDays, ttlDays) => {
  expect(ttlDaysOf(leftDays * dayMs)).toBe(ttlDays);
});

test('there is a prefix for every class, ttl28/ to ttl01/', () => {
  expect(ttlClasses.map(ttlPrefix)).toEqual([
    ...Array.from({ length: 19 }, (_, i) => `ttl${28 - i}/`),
    ...Array.from({ length: 9 }, (_, i) => `ttl0${9 - i}/`),
  ]);
  expect(bucketSlackDays).toBe(2);
});
