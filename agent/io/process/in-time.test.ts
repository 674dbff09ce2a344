import { expect, onTestFinished, test } from 'vitest';
import { createManualTime } from '../../test/fakes/manual-time.ts';
import { deferred } from './deferred.ts';
import { inTime } from './in-time.ts';

test('what comes in time is what comes, and nothing waits for its end any more', async () => {
  const time = createManualTime();
  expect(await inTime(Promise.resolve(7), 1_000, time.timers)).toBe(7);
  const fault = new Error('no');
  await expect(inTime(Promise.reject(fault), 1_000, time.timers)).rejects.toBe(fault);
  expect(time.pendingMs).toEqual([]);
});

test('what fails when nobody waits for it any more is no crash', async () => {
  const unheard: unknown[] = [];
  const hear = (reason: unknown) => unheard.push(reason);
  process.on('unhandledRejection', hear);
  onTestFinished(() => void process.off('unhandledRejection', hear));
  const time = createManualTime();
  let fail = (_reason: unknown) => {};
  const work = new Promise<number>((_resolve, reject) => {
    fail = reject;
  });
  const outcome = inTime(work, 1_000, time.timers);
  time.advance(1_000);
  expect(await outcome).toBe('too-late');
  fail(new Error('too late'));
  const settled = deferred<void>();
  setImmediate(() => settled.resolve());
  await settled.promise;
  expect(unheard).toEqual([]);
});
