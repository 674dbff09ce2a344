import { setTimeout } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { AgentError } from '../../errors.ts';
import { serveRecognition } from '../../io/recognition/recognition-worker-loop.ts';
import type { Frame } from '../../vision/frame.ts';

/** What the fake tells about a frame. */
export type FakeEvent = {
  readonly width: number;
  readonly sum: number;
  readonly isShared: boolean;
  /** Bytes that are not 0 anywhere in the slot. */
  readonly residue: number;
  /** How often it was told to forget the visitors. */
  readonly forgotten: number;
};

/** A recognition thread whose behaviour a frame asks for by its `sourceId`. */
if (parentPort) {
  await serveRecognition<FakeEvent>(parentPort, async () => {
    if (workerData === 'no-model') throw new AgentError('MODEL_MISSING', 'yunet is not there');
    if (workerData === 'crash-at-start') throwLater();
    return { recognise, forget, close: async () => {} };
  });
}

let forgotten = 0;

function forget(): void {
  forgotten++;
}

async function recognise(frame: Frame): Promise<readonly FakeEvent[]> {
  switch (frame.sourceId) {
    case 'refuse':
      throw new AgentError('MODEL_CORRUPT', 'the model gave NaN');
    case 'mistake':
      throw new TypeError('frame of 3 bytes');
    case 'crash':
      throwLater();
      return new Promise(() => {});
    case 'exit':
      return process.exit(3);
    case 'hang':
      hang(Number(workerData));
      break;
    case 'compute':
      compute(Number(workerData));
      break;
    case 'slow':
      await setTimeout(50);
      break;
    case 'nothing':
      return [];
  }
  const slot = new Uint8Array(frame.data.buffer);
  return [
    {
      width: frame.width,
      sum: frame.data.reduce((sum, byte) => sum + byte, 0),
      isShared: frame.data.buffer instanceof SharedArrayBuffer,
      forgotten,
      residue: slot.reduce((count, byte) => count + (byte === 0 ? 0 : 1), 0),
    },
  ];
}

/** As a model's run does: nothing else happens in this thread meanwhile. */
function hang(forMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, forMs);
}

function throwLater(): void {
  setImmediate(() => {
    throw new Error('the addon fell over');
  });
}

function compute(forMs: number): void {
  const until = performance.now() + forMs;
  while (performance.now() < until);
}
