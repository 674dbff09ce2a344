import { expect, test } from 'vitest';
import { startStopwatch } from './stopwatch.ts';

test('a stage lasts from the end of the one before it, the total from the start', () => {
  let nowMs = 100;
  const watch = startStopwatch({ monotonicMs: () => nowMs });
  nowMs = 103;
  watch.lap('detect');
  nowMs = 110;
  watch.lap('quality');
  nowMs = 111;
  expect(watch.times()).toEqual({ detect: 3, quality: 7, total: 11 });
});

test('each of several faces keeps what was measured before and its own stages', () => {
  let nowMs = 0;
  const watch = startStopwatch({ monotonicMs: () => nowMs });
  nowMs = 5;
  watch.lap('detect');
  const first = watch.fork();
  nowMs = 7;
  first.lap('embed');
  const second = watch.fork();
  nowMs = 10;
  second.lap('embed');
  expect(first.times()).toEqual({ detect: 5, embed: 2, total: 10 });
  expect(second.times()).toEqual({ detect: 5, embed: 3, total: 10 });
});
