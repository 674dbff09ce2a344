import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { systemClock, systemTimers } from './clock.ts';

test('a capture time stamped by another process, or in another thread, can be compared', async () => {
  const url = JSON.stringify(new URL('./clock.ts', import.meta.url).href);
  const told = `const { systemClock } = await import(${url}); console.log(systemClock.monotonicMs())`;
  const beforeMs = systemClock.monotonicMs();
  const elsewhereMs = Number(execFileSync(process.execPath, ['--input-type=module', '-e', told]));
  const inWorker = `import(${url}).then(({ systemClock }) =>
    require('node:worker_threads').parentPort.postMessage(systemClock.monotonicMs()))`;
  const worker = new Worker(inWorker, { eval: true });
  const [inWorkerMs] = await once(worker, 'message');
  const times = [beforeMs, elsewhereMs, inWorkerMs, systemClock.monotonicMs()];
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  await worker.terminate();
});

test('the monotonic clock never goes back', () => {
  let last = 0;
  for (let i = 0; i < 10_000; i++) {
    const now = systemClock.monotonicMs();
    expect(now).toBeGreaterThanOrEqual(last);
    last = now;
  }
});

test('what is cancelled does not happen', async () => {
  const done: string[] = [];
  const cancel = systemTimers.after(1, () => done.push('cancelled'));
  cancel();
  cancel();
  await new Promise<void>((resolve) => systemTimers.after(5, resolve));
  expect(done).toEqual([]);
});
