import fc from 'fast-check';
import { expect, test } from 'vitest';
import { httpDateMs, retryAfterMs } from './retry-after.ts';

const nowMs = Date.UTC(2027, 0, 5, 1, 10);
const dayMs = 86_400_000;

test.each<[string, Record<string, string>, number]>([
  ['nothing', {}, 0],
  ['seconds', { 'retry-after': '120' }, 120_000],
  ['nought', { 'retry-after': '0' }, 0],
  ['a negative number', { 'retry-after': '-5' }, 0],
  ['a million years', { 'retry-after': '1000000000000' }, dayMs],
  ['digits without end', { 'retry-after': '9'.repeat(400) }, 0],
  ['a number as programmers write it', { 'retry-after': '1e12' }, 0],
  ['a fraction', { 'retry-after': '1.5' }, 0],
  ['words', { 'retry-after': 'soon' }, 0],
  ['nothing in it', { 'retry-after': '' }, 0],
  ['a date', { 'retry-after': 'Tue, 05 Jan 2027 01:12:00 GMT' }, 120_000],
  ['a date gone by', { 'retry-after': 'Tue, 05 Jan 2027 01:00:00 GMT' }, 0],
  ['a date in ten years', { 'retry-after': 'Mon, 05 Jan 2037 01:00:00 GMT' }, dayMs],
  ['no date', { 'retry-after': 'Tue, 99 Jan 2027 01:12:00 GMT' }, 0],
  ['a date of programmers', { 'retry-after': '2027-01-05T01:12:00Z' }, 0],
  [
    'a date by the server’s own clock',
    {
      'retry-after': 'Tue, 05 Jan 2027 09:02:00 GMT',
      date: 'Tue, 05 Jan 2027 09:00:00 GMT',
    },
    120_000,
  ],
  ['OSS, in milliseconds', { 'x-oss-qos-delay-time': '141' }, 141],
  ['both', { 'x-oss-qos-delay-time': '90000', 'retry-after': '60' }, 90_000],
  ['OSS, garbage', { 'x-oss-qos-delay-time': '-1' }, 0],
])('%s', (_, headers, ms) => {
  expect(retryAfterMs({ headers }, nowMs)).toBe(ms);
});

test('whatever a header says, it is a time from now to a day', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (retryAfter, delay, date) => {
      const headers = { 'retry-after': retryAfter, 'x-oss-qos-delay-time': delay, date };
      const ms = retryAfterMs({ headers }, nowMs);
      expect(ms >= 0 && ms <= dayMs).toBe(true);
    }),
  );
});

test('a date is only the one form that servers send', () => {
  expect(httpDateMs('Sun, 06 Nov 1994 08:49:37 GMT')).toBe(Date.UTC(1994, 10, 6, 8, 49, 37));
  expect(httpDateMs('Sunday, 06-Nov-94 08:49:37 GMT')).toBeUndefined();
  expect(httpDateMs('6 Nov 1994')).toBeUndefined();
  expect(httpDateMs(undefined)).toBeUndefined();
});
