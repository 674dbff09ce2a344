import { expect, test } from 'vitest';
import { AgentError } from '../../errors.ts';
import { createManualTime } from '../../test/fakes/manual-time.ts';
import type { Frame } from '../../vision/frame.ts';
import { deferred } from '../process/deferred.ts';
import type { RecognitionThread } from './recognition-thread.ts';
import { superviseRecognition } from './supervised-recognition.ts';

const frame: Frame = {
  format: 'grey',
  width: 16,
  height: 16,
  data: new Uint8Array(256),
  capturedAtMs: 0,
  sourceId: 'x',
};

test('after a crash the next frame waits for a new thread', async () => {
  const { time, threads, supervised, restarts } = setUp();
  await crash(threads);
  expect(restarts).toEqual([1]);
  const answer = supervised.recognise(frame);
  time.advance(499);
  expect(threads.length).toBe(1);
  time.advance(1);
  expect(await answer).toEqual(['thread 2']);
});

test('a thread that keeps crashing is started again after growing waits, then given up', async () => {
  const { time, threads, supervised } = setUp();
  for (const waitMs of [500, 1_000, 2_000]) {
    await crash(threads);
    expect(time.pendingMs).toEqual([waitMs]);
    time.advance(waitMs);
  }
  await crash(threads);
  expect((await supervised.exited)?.message).toBe('crash of thread 4');
  expect(time.pendingMs).toEqual([]);
  await expect(supervised.recognise(frame)).rejects.toThrow('crash of thread 4');
});

test('a thread that lived long counts as recovered', async () => {
  const { time, threads, restarts } = setUp();
  for (let i = 0; i < 6; i++) {
    time.advance(60_000);
    await crash(threads);
    time.advance(500);
  }
  expect(restarts).toEqual([1, 1, 1, 1, 1, 1]);
});

test('models that are missing at the first start do not come back by trying', async () => {
  const { time, threads, supervised, restarts } = setUp({ isReady: false });
  await crash(threads);
  expect((await supervised.exited)?.message).toBe('crash of thread 1');
  expect([restarts, time.pendingMs]).toEqual([[], []]);
});

test('a thread that hangs is replaced; a second one that hangs beside it is the end', async () => {
  const { time, threads, supervised, restarts } = setUp();
  await crash(threads, 'hangs');
  time.advance(500);
  expect(await supervised.recognise(frame)).toEqual(['thread 2']);
  await crash(threads, 'hangs');
  expect((await supervised.exited)?.message).toBe('crash of thread 2');
  expect([restarts, time.pendingMs]).toEqual([[1], []]);
});

test('a thread that hung and came back no longer counts', async () => {
  const { time, threads, restarts } = setUp();
  await crash(threads, 'hangs');
  time.advance(500);
  threads[0]?.comeBack();
  await crash(threads, 'hangs');
  time.advance(1000);
  expect([restarts, threads.length]).toEqual([[1, 2], 3]);
});

test('beside a thread that hangs, one may crash', async () => {
  const { time, threads, restarts } = setUp();
  await crash(threads, 'hangs');
  time.advance(500);
  await crash(threads);
  time.advance(1000);
  expect([restarts, threads.length]).toEqual([[1, 2], 3]);
});

test('closing while a new thread is awaited starts none', async () => {
  const { time, threads, supervised } = setUp();
  await crash(threads);
  await supervised.close();
  time.advance(60_000);
  expect(threads.length).toBe(1);
  expect(await supervised.exited).toBeUndefined();
});

function setUp({ isReady = true } = {}) {
  const time = createManualTime();
  const threads: FakeThread[] = [];
  const restarts: number[] = [];
  const supervised = superviseRecognition({
    start: () => {
      const thread = fakeThread(threads.length + 1, isReady);
      threads.push(thread);
      return thread;
    },
    clock: time.clock,
    timers: time.timers,
    restarts: 3,
    onRestart: ({ attempt }) => restarts.push(attempt),
  });
  return { time, threads, supervised, restarts };
}

type FakeThread = RecognitionThread<string> & { crash(hangs: boolean): void; comeBack(): void };

function fakeThread(number: number, isReady: boolean): FakeThread {
  const exited = deferred<AgentError | undefined>();
  const error = new AgentError('INTERNAL', `crash of thread ${number}`);
  const ready = deferred<void>();
  if (isReady) ready.resolve();
  let isDown = false;
  let isLeft = false;
  return {
    ready: ready.promise,
    exited: exited.promise,
    forget: () => {},
    recognise: async () => {
      if (isDown) throw error;
      return [`thread ${number}`];
    },
    close: async () => exited.resolve(undefined),
    isLeft: () => isLeft,
    comeBack: () => {
      isLeft = false;
    },
    crash: (hangs) => {
      isDown = true;
      isLeft = hangs;
      ready.reject(error);
      exited.resolve(error);
    },
  };
}

async function crash(threads: readonly FakeThread[], how?: 'hangs'): Promise<void> {
  await settled();
  threads.at(-1)?.crash(how === 'hangs');
  await settled();
}

/** Long enough for promises that follow each other; nothing here waits for real time. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}
