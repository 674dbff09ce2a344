import { expect, test } from 'vitest';
import { nightAfter } from './once-a-night.ts';

const last = { localDate: '2027-01-05', runDay: 20_824.05 };

test.each([
  ['the first night of all', null, '2027-01-05', 20_824.05, 'another'],
  ['the next night', last, '2027-01-06', 20_825.05, 'another'],
  ['after a month without power', last, '2027-02-05', 20_824.1, 'another'],
  ['the same hour once more', last, '2027-01-05', 20_824.09, 'same'],
  ['the same date, a day later by the count', last, '2027-01-05', 20_825.2, 'same'],
  ['the clock a day back, an hour later', last, '2027-01-04', 20_824.1, 'same'],
  ['the clock a day back, 19 hours later', last, '2027-01-04', 20_824.05 + 19 / 24, 'same'],
  ['the clock ten years back, and a day has gone by', last, '2017-01-06', 20_825.05, 'another'],
  ['clock and count both back', last, '2027-01-04', 20_800, 'unknown'],
] as const)('S0-10 %s', (_, before, localDate, runDay, night) => {
  expect(nightAfter(before, { localDate, runDay })).toBe(night);
});
