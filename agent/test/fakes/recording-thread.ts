import { parentPort, Worker, workerData } from 'node:worker_threads';
import { ringProducer } from '../../io/programme/attempt-ring.ts';
import type { RingAttempt } from '../../io/programme/attempt-slots.ts';

/** What test and thread share: which grant this is, and when to fall over in the midst of a write (0: never). */
export const cells = { grant: 0, fallAt: 1, stop: 2 } as const;

type Data = { readonly ring: SharedArrayBuffer; readonly shared: SharedArrayBuffer };

/** A thread that records attempts without a pause, until it is told to stop or to fall over. */
export function startRecording(ring: SharedArrayBuffer, shared: SharedArrayBuffer): Worker {
  const data: Data = { ring, shared };
  return new Worker(new URL(import.meta.url), { workerData: data });
}

/** Is every part of it of the attempt of that number, and none of another? */
export function isWhole({ wallMs: n, values, ...attempt }: RingAttempt): boolean {
  return (
    attempt.monotonicMs === n &&
    attempt.bestScore === n &&
    attempt.stagesMs.total === Math.fround(n) &&
    values?.length === wideness &&
    values.every((value) => value === Math.fround(n))
  );
}

export const wideness = 512;

if (parentPort && isData(workerData)) {
  const shared = new Int32Array(workerData.shared);
  const ring = ringProducer(workerData.ring);
  const values = new Float32Array(wideness);
  for (let n = 1; Atomics.load(shared, cells.stop) === 0; n++) {
    values.fill(n);
    ring.offer(numbered(n, values, shared));
  }
  parentPort.postMessage('stopped');
}

/** `overheadMs` is read in the midst of the write: it is the grant of that moment. */
function numbered(n: number, values: Float32Array, shared: Int32Array): RingAttempt {
  return {
    wallMs: n,
    monotonicMs: n,
    bestScore: n,
    get overheadMs() {
      return Atomics.load(shared, cells.grant);
    },
    result: 'success',
    get reason() {
      // The last thing that is read: everything else is in the slot.
      if (n === Atomics.load(shared, cells.fallAt)) process.exit(3);
      return null;
    },
    stagesMs: { total: n },
    values,
  };
}

function isData(data: unknown): data is Data {
  return typeof data === 'object' && data !== null && 'ring' in data && 'shared' in data;
}
