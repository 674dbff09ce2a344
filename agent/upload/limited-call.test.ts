import { expect, test } from 'vitest';
import { createManualTime } from '../test/fakes/manual-time.ts';
import type { Call } from './cloud-port.ts';
import { callLimitMs, limitedCall } from './limited-call.ts';

function setUp() {
  const time = createManualTime();
  const outer = new AbortController();
  const options = { signal: outer.signal, timers: time.timers, onRequest: () => {} };
  return { outer, options, time };
}

test('an answer in time is the answer, and leaves no timer behind', async () => {
  const { options, time } = setUp();
  expect(await limitedCall(async () => 'yes', options)).toBe('yes');
  expect(time.pendingMs).toEqual([]);
});

test('after 30 s it is given up, and the adapter is told', async () => {
  const { options, time } = setUp();
  let given: Call | undefined;
  const call = limitedCall((each) => {
    given = each;
    return new Promise(() => {});
  }, options);
  time.advance(callLimitMs - 1);
  expect(given?.signal.aborted).toBe(false);
  time.advance(1);
  expect(await call).toEqual({ kind: 'no-reply', fault: 'timeout' });
  expect(given?.signal.aborted).toBe(true);
});

test('a withdrawal ends it at once, whether or not the adapter notices', async () => {
  const { options, outer } = setUp();
  let given: Call | undefined;
  const call = limitedCall((each) => {
    given = each;
    return new Promise(() => {});
  }, options);
  outer.abort();
  expect(given?.signal.aborted).toBe(true);
  expect(await call).toEqual({ kind: 'no-reply', fault: 'aborted' });
});

test('after a withdrawal it is not even begun', async () => {
  const { options, outer } = setUp();
  outer.abort();
  let begun = 0;
  const make = async () => {
    begun += 1;
  };
  expect(await limitedCall(make, options)).toEqual({ kind: 'no-reply', fault: 'aborted' });
  expect(begun).toBe(0);
});

test('an adapter that fails after it was given up ends nothing', async () => {
  const { options, outer } = setUp();
  const late = Promise.withResolvers<string>();
  const call = limitedCall(() => late.promise, options);
  outer.abort();
  await call;
  late.reject(new Error('too late'));
  await new Promise(setImmediate);
});

test('what an adapter should not do, reject, comes through', async () => {
  const { options } = setUp();
  const mistake = new TypeError('a mistake of the programmer');
  await expect(limitedCall(() => Promise.reject(mistake), options)).rejects.toBe(mistake);
});
