import { describe, expect, test } from 'vitest';
import { failureReasons } from '../../ueip/attempt.ts';
import {
  createAttemptRing,
  type RingConsumer,
  type RingProducer,
  ringConsumer,
  ringProducer,
  ringSlots,
} from './attempt-ring.ts';
import type { RingAttempt } from './attempt-slots.ts';

const dimensions = 4;

/** A ring that listens, both ends in one thread. */
function open(size = dimensions) {
  const buffer = createAttemptRing(size);
  const producer = ringProducer(buffer);
  const consumer = ringConsumer(buffer);
  consumer.listen(true);
  return { buffer, producer, consumer };
}

function attempt(n: number, more: Partial<RingAttempt> = {}): RingAttempt {
  return {
    wallMs: 1_800_000_000_000.25 + n,
    monotonicMs: 5_000_000.125 + n,
    overheadMs: n + 0.0625,
    bestScore: 0.1 + n,
    result: 'success',
    reason: null,
    stagesMs: { detect: n, embed: 0.5, total: n + 1 },
    values: Float32Array.of(n, -n, 0.5, 1),
    ...more,
  };
}

/** What is in the ring, with embeddings of its own memory. */
function takeAll(consumer: RingConsumer, most = Number.POSITIVE_INFINITY): RingAttempt[] {
  const taken: RingAttempt[] = [];
  consumer.take(most, (each) => taken.push({ ...each, values: each.values?.slice() }));
  return taken;
}

function offerAll(producer: RingProducer, from: number, to: number): void {
  for (let n = from; n < to; n++) producer.offer(attempt(n));
}

/** Bytes of the slots that are not 0. */
const residue = (buffer: SharedArrayBuffer) =>
  new Uint8Array(buffer, 64).reduce((count, byte) => count + (byte === 0 ? 0 : 1), 0);

test('an attempt comes out as it went in', () => {
  const { producer, consumer } = open();
  const attempts = [
    attempt(1),
    attempt(2, { bestScore: null, values: undefined, stagesMs: { total: 3 } }),
    ...failureReasons.map((reason, n) => attempt(n, { result: 'failure', reason })),
    attempt(3, { values: Float32Array.of(1, 2) }),
  ];
  for (const each of attempts) producer.offer(each);
  expect(takeAll(consumer)).toEqual(attempts);
  expect(takeAll(consumer)).toEqual([]);
});

test('stages are told to a millionth of themselves', () => {
  const { producer, consumer } = open();
  producer.offer(attempt(1, { stagesMs: { detect: 3.86123, align: 0.22345, total: 13.41234 } }));
  expect(takeAll(consumer)[0]?.stagesMs).toEqual({
    detect: expect.closeTo(3.86123, 5),
    align: expect.closeTo(0.22345, 5),
    total: expect.closeTo(13.41234, 5),
  });
});

test('an embedding is copied when it is offered, and its memory in the ring is zeros after it was taken', () => {
  const { buffer, producer, consumer } = open();
  const values = Float32Array.of(1, 2, 3, 4);
  producer.offer(attempt(1, { values }));
  values.fill(0);
  let held: Float32Array | undefined;
  consumer.take(1, (each) => {
    expect([...(each.values ?? [])]).toEqual([1, 2, 3, 4]);
    expect(residue(buffer)).toBe(0);
    held = each.values;
  });
  expect([...(held ?? [1])]).toEqual([0, 0, 0, 0]);
});

test('where nobody listens nothing is written, nor even read', () => {
  const buffer = createAttemptRing(dimensions);
  const producer = ringProducer(buffer);
  const untouched = new Uint8Array(buffer).slice();
  const asked = {
    ...attempt(1),
    get values(): Float32Array {
      throw new Error('it was read');
    },
  };
  producer.offer(asked);
  expect(producer.isListening()).toBe(false);
  expect(new Uint8Array(buffer)).toEqual(untouched);
  const consumer = ringConsumer(buffer);
  expect([takeAll(consumer), consumer.dropped()]).toEqual([[], 0]);
});

test('after listening has stopped no attempt comes; those before it are still there', () => {
  const { producer, consumer } = open();
  producer.offer(attempt(1));
  consumer.listen(false);
  producer.offer(attempt(2));
  consumer.listen(true);
  producer.offer(attempt(3));
  consumer.listen(false);
  expect(takeAll(consumer)).toEqual([attempt(1), attempt(3)]);
});

test('its memory is not used before somebody listens, and is all there then: no attempt waits for a page', () => {
  const usedBytes = process.memoryUsage.rss;
  const before = usedBytes();
  const consumer = ringConsumer(createAttemptRing(1024));
  const made = usedBytes();
  consumer.listen(true);
  const listening = usedBytes();
  expect(made - before).toBeLessThan(2 ** 20);
  expect(listening - made).toBeGreaterThan(3 * 2 ** 20);
});

test('a full ring drops the newest and counts them; what is in it is whole', () => {
  const { producer, consumer } = open();
  offerAll(producer, 0, ringSlots + 10);
  expect(consumer.dropped()).toBe(10);
  expect(takeAll(consumer)).toEqual(Array.from({ length: ringSlots }, (_, n) => attempt(n)));
});

test('it goes round and round: order, contents and room stay right', () => {
  const { producer, consumer } = open();
  let next = 0;
  for (let n = 0; n < 5 * ringSlots; n += 300) {
    offerAll(producer, n, n + 300);
    for (const each of takeAll(consumer, 300)) expect(each).toEqual(attempt(next++));
  }
  expect([next, consumer.dropped()]).toEqual([18 * 300, 0]);
});

test('no more are taken than were asked for', () => {
  const { producer, consumer } = open();
  offerAll(producer, 0, 3);
  expect(consumer.take(2, () => {})).toBe(2);
  expect(consumer.take(2, () => {})).toBe(1);
  expect(consumer.take(2, () => {})).toBe(0);
});

test('an embedding longer than the ring is made for is dropped and counted, and hurts no neighbour', () => {
  const { buffer, producer, consumer } = open();
  producer.offer(attempt(2, { values: new Float32Array(5).fill(9) }));
  expect(residue(buffer)).toBe(0);
  producer.offer(attempt(1));
  producer.offer(attempt(2, { values: new Float32Array(5).fill(9) }));
  producer.offer(attempt(3));
  expect(takeAll(consumer)).toEqual([attempt(1), attempt(3)]);
  expect(consumer.dropped()).toBe(2);
});

test.each([1, 3, 128, 256, 512, 1024])('embeddings of %i numbers', (size) => {
  const { producer, consumer } = open(size);
  const values = Float32Array.from({ length: size }, (_, i) => i + 0.5);
  for (let n = 0; n < ringSlots; n++) producer.offer(attempt(n, { values }));
  expect(takeAll(consumer).every((each) => each.values?.join() === values.join())).toBe(true);
});

test('what a visitor throws comes through; the attempt is gone and the next one comes', () => {
  const { buffer, producer, consumer } = open();
  offerAll(producer, 1, 3);
  let held: Float32Array | undefined;
  const failing = (each: RingAttempt) => {
    held = each.values;
    throw new Error('the store is full');
  };
  expect(() => consumer.take(9, failing)).toThrow('full');
  expect([...(held ?? [1])]).toEqual([0, 0, 0, 0]);
  expect(takeAll(consumer)).toEqual([attempt(2)]);
  expect(residue(buffer)).toBe(0);
});

describe('a wipe', () => {
  test('S0-29 leaves zeros in every slot, no count, and nobody listening', () => {
    const { buffer, producer, consumer } = open();
    offerAll(producer, 0, ringSlots + 1);
    expect(residue(buffer)).toBeGreaterThan(ringSlots * 40);
    expect(consumer.wipe()).toBe(true);
    expect([residue(buffer), consumer.dropped(), producer.isListening()]).toEqual([0, 0, false]);
    producer.offer(attempt(1));
    expect([takeAll(consumer), residue(buffer)]).toEqual([[], 0]);
  });

  test('is followed by a new beginning', () => {
    const { producer, consumer } = open();
    offerAll(producer, 0, 700);
    consumer.wipe();
    consumer.listen(true);
    offerAll(producer, 0, ringSlots);
    expect(takeAll(consumer)).toHaveLength(ringSlots);
    expect(consumer.dropped()).toBe(0);
  });

  test('during a visit ends the taking', () => {
    const { buffer, producer, consumer } = open();
    offerAll(producer, 0, 9);
    expect(consumer.take(9, () => consumer.wipe())).toBe(1);
    expect(residue(buffer)).toBe(0);
  });
});

/** An attempt in the midst of whose copying something happens. */
function interruptedBy(happening: () => void, n = 1): RingAttempt {
  return {
    ...attempt(n),
    get bestScore() {
      happening();
      return 0.5;
    },
  };
}

describe('in the midst of a write', () => {
  test('S0-30 a wipe wins: the attempt never gets out, and its slot is zeros', () => {
    const { buffer, producer, consumer } = open();
    const outcomes: boolean[] = [];
    producer.offer(interruptedBy(() => outcomes.push(consumer.wipe())));
    expect(outcomes).toEqual([false]);
    expect([residue(buffer), takeAll(consumer)]).toEqual([0, []]);
    expect(consumer.wipe()).toBe(true);
  });

  test('a listener who stops gets nothing any more', () => {
    const { buffer, producer, consumer } = open();
    producer.offer(interruptedBy(() => consumer.listen(false)));
    expect([residue(buffer), takeAll(consumer), consumer.dropped()]).toEqual([0, [], 0]);
  });

  test('S0-30 who stops and begins anew gets nothing of before, and all that follows', () => {
    const { buffer, producer, consumer } = open();
    producer.offer(
      interruptedBy(() => {
        consumer.wipe();
        consumer.listen(true);
      }),
    );
    expect([residue(buffer), takeAll(consumer)]).toEqual([0, []]);
    offerAll(producer, 0, 3);
    expect(takeAll(consumer)).toEqual([attempt(0), attempt(1), attempt(2)]);
  });

  test('others may be taken', () => {
    const { producer, consumer } = open();
    offerAll(producer, 0, ringSlots - 1);
    let taken: RingAttempt[] = [];
    producer.offer(
      interruptedBy(() => {
        taken = takeAll(consumer);
      }, 5),
    );
    expect(taken).toHaveLength(ringSlots - 1);
    expect(takeAll(consumer)).toEqual([attempt(5, { bestScore: 0.5 })]);
  });

  test('an attempt that cannot be read is dropped and counted; nothing is thrown, nothing left', () => {
    const { buffer, producer, consumer } = open();
    producer.offer(
      interruptedBy(() => {
        throw new Error('no such score');
      }),
    );
    expect([residue(buffer), takeAll(consumer), consumer.dropped()]).toEqual([0, [], 1]);
    expect(consumer.wipe()).toBe(true);
  });
});

test.each([
  ['nothing', 0],
  ['a header only', 64],
  ['half a header', 10],
  ['a frame', 460_800],
])('%s is not taken for a ring', (_, sizeBytes) => {
  const buffer = new SharedArrayBuffer(sizeBytes);
  expect(() => ringProducer(buffer)).toThrow(TypeError);
  expect(() => ringConsumer(buffer)).toThrow(TypeError);
});

test.each([-8, 8])('a ring that is %i bytes too long is none', (bytes) => {
  const ring = createAttemptRing(dimensions);
  const other = new SharedArrayBuffer(ring.byteLength + bytes);
  new Uint8Array(other).set(new Uint8Array(ring, 0, Math.min(ring.byteLength, other.byteLength)));
  expect(() => ringProducer(other)).toThrow(TypeError);
});

test.each([0, -1, 1025, 2.5, Number.NaN])(
  'there is no ring for embeddings of %d numbers',
  (size) => {
    expect(() => createAttemptRing(size)).toThrow(TypeError);
  },
);
