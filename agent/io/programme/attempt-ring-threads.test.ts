import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { cells, isWhole, startRecording, wideness } from '../../test/fakes/recording-thread.ts';
import { seededChance } from '../process/seeded-chance.ts';
import { createAttemptRing, ringConsumer, ringProducer, ringSlots } from './attempt-ring.ts';
import type { RingAttempt } from './attempt-slots.ts';

/** A ring, and a real thread that fills it as fast as it can. */
function threaded() {
  const ring = createAttemptRing(wideness);
  const shared = new Int32Array(new SharedArrayBuffer(12));
  const consumer = ringConsumer(ring);
  const start = () => {
    const worker = startRecording(ring, shared.buffer);
    onTestFinished(async () => {
      await worker.terminate();
    });
    return worker;
  };
  return { ring, shared, consumer, start };
}

const pause = new Int32Array(new SharedArrayBuffer(4));
const sleep = (ms: number) => void Atomics.wait(pause, 0, 0, ms);
const zeros = Buffer.alloc(createAttemptRing(wideness).byteLength - 64);
const isZero = (ring: SharedArrayBuffer) => Buffer.from(ring, 64).equals(zeros);

async function stopped(worker: Worker, shared: Int32Array): Promise<void> {
  const exit = once(worker, 'exit');
  Atomics.store(shared, cells.stop, 1);
  await exit;
}

test('S0-30 recorded by one thread, taken and wiped by another: nothing torn, doubled, or of an earlier grant', async () => {
  const { ring, shared, consumer, start } = threaded();
  const random = seededChance('two threads');
  const worker = start();
  await once(worker, 'online');
  const rounds = 150;
  let taken = 0;
  let wipes = 0;
  let last = 0;
  const check = (attempt: RingAttempt) => {
    if (!isWhole(attempt)) throw new Error(`attempt ${attempt.wallMs} is torn`);
    if (attempt.wallMs <= last) throw new Error(`${attempt.wallMs} came after ${last}`);
    if (attempt.overheadMs !== shared[cells.grant]) throw new Error('of an earlier grant');
    last = attempt.wallMs;
    taken++;
  };
  for (let round = 1; round <= rounds; round++) {
    Atomics.store(shared, cells.grant, round);
    consumer.listen(true);
    const [visits = 0, most = 0, long = 0] = random(3);
    for (let visit = 0; visit < visits % 8; visit++) {
      consumer.take(8 * most, check);
      if (long < 20) sleep(1);
    }
    // Sometimes off and on again without a wipe: what was recorded before is still taken, and is whole.
    if (long % 4 === 0) {
      consumer.listen(false);
      consumer.take(ringSlots, check);
    }
    if (!consumer.wipe()) continue;
    wipes++;
    if (!isZero(ring)) throw new Error(`wipe ${wipes} left something`);
    if (long % 16 === 0) sleep(1);
    if (!isZero(ring)) throw new Error(`something was written after wipe ${wipes}`);
  }
  await stopped(worker, shared);
  expect(wipes).toBeGreaterThan(rounds / 2);
  expect(taken).toBeGreaterThan(rounds);
});

test('a consumer that never reads: the thread goes on, drops and counts', async () => {
  const { shared, consumer, start } = threaded();
  consumer.listen(true);
  const worker = start();
  while (consumer.dropped() < 10_000) sleep(1);
  await stopped(worker, shared);
  const numbers: number[] = [];
  consumer.take(2 * ringSlots, (attempt) => {
    expect(isWhole(attempt)).toBe(true);
    numbers.push(attempt.wallMs);
  });
  expect(numbers).toEqual(Array.from({ length: ringSlots }, (_, i) => i + 1));
});

test('a recognition thread that falls over in the midst of a write: the next one goes on with the same ring', async () => {
  const { ring, shared, consumer, start } = threaded();
  consumer.listen(true);
  Atomics.store(shared, cells.fallAt, 3);
  const [status] = await once(start(), 'exit');
  expect(status).toBe(3);
  // The third lies in the ring but for its last word, and nobody will get it.
  expect(new Float32Array(ring).filter((value) => value === 3).length).toBe(wideness + 1);
  const taken: number[] = [];
  const take = () => consumer.take(ringSlots, ({ wallMs }) => taken.push(wallMs));
  take();
  expect(taken).toEqual([1, 2]);
  ringProducer(ring);
  expect(isZero(ring)).toBe(true);
  Atomics.store(shared, cells.fallAt, 0);
  const next = start();
  while (taken.length < 100) take();
  await stopped(next, shared);
  expect(taken.slice(2, 5)).toEqual([1, 2, 3]);
});

test('S0-29 what such a thread left behind is wiped too, although its end never comes', async () => {
  const { ring, shared, consumer, start } = threaded();
  consumer.listen(true);
  Atomics.store(shared, cells.fallAt, 3);
  await once(start(), 'exit');
  expect(isZero(ring)).toBe(false);
  expect(consumer.wipe()).toBe(false);
  expect(isZero(ring)).toBe(true);
  const producer = ringProducer(ring);
  expect(consumer.wipe()).toBe(true);
  expect(producer.isListening()).toBe(false);
});

test('a thread that falls over when the ring has just become full spoils nothing of it', () => {
  const ring = createAttemptRing(4);
  const consumer = ringConsumer(ring);
  consumer.listen(true);
  const producer = ringProducer(ring);
  const attempt: RingAttempt = {
    wallMs: 1,
    monotonicMs: 1,
    overheadMs: 1,
    bestScore: 1,
    result: 'success',
    reason: null,
    stagesMs: { total: 1 },
    values: Float32Array.of(1, 2, 3, 4),
  };
  for (let n = 0; n < ringSlots; n++) producer.offer(attempt);
  // As it is left between the publication and the word that says that the writing is over.
  Atomics.store(new Int32Array(ring), 3, 1);
  ringProducer(ring);
  expect(consumer.take(ringSlots, (each) => expect(each).toEqual(attempt))).toBe(ringSlots);
});
