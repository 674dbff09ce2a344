import { expect, onTestFinished, test, vi } from 'vitest';
import { eventually } from '../../test/fakes/eventually.ts';
import type { FakeEvent } from '../../test/fakes/recognition-worker.ts';
import type { Frame } from '../../vision/frame.ts';
import { moduleBeside, startRecognitionThread, type ThreadOptions } from './recognition-thread.ts';

const workerUrl = moduleBeside(import.meta.url, '../../test/fakes/recognition-worker');

test('a frame goes to the thread and its events come back', async () => {
  const thread = start();
  await thread.ready;
  const [event] = await thread.recognise(frameOf(200));
  expect(event).toMatchObject({ width: 16, sum: 200 * 256 });
  expect(await thread.recognise(frameOf(1, 'nothing'))).toEqual([]);
});

test('a frame may come before the models are loaded: it waits', async () => {
  expect((await start().recognise(frameOf(2)))[0]?.sum).toBe(512);
});

test('pixels pass through shared memory; the frame may change as soon as it was handed over', async () => {
  const thread = start();
  const frame = frameOf(3);
  const answer = thread.recognise(frame);
  frame.data.fill(9);
  expect((await answer)[0]).toMatchObject({ sum: 3 * 256, isShared: true });
});

test('S0-18 the thread forgets the visitors when it is told to, after the frame at work', async () => {
  const thread = start();
  const atWork = thread.recognise(frameOf(1));
  thread.forget();
  expect((await atWork)[0]?.forgotten).toBe(0);
  expect((await thread.recognise(frameOf(1)))[0]?.forgotten).toBe(1);
  await thread.close();
  expect(() => thread.forget()).not.toThrow();
});

test('S0-18 after a large frame and its answer, nothing of it is left in the slot', async () => {
  const thread = start({ maxFrameBytes: 4096 });
  const canary = { ...frameOf(0), width: 64, height: 64, data: new Uint8Array(4096).fill(0xca) };
  expect((await thread.recognise(canary))[0]?.residue).toBe(4096);
  expect((await thread.recognise(frameOf(7)))[0]?.residue).toBe(256);
  await expect(thread.recognise({ ...canary, sourceId: 'refuse' })).rejects.toThrow();
  expect((await thread.recognise(frameOf(7)))[0]?.residue).toBe(256);
});

test('S0-18 the frame over which a thread fell is overwritten all the same', async () => {
  const slots: SharedArrayBuffer[] = [];
  class WatchedBuffer extends SharedArrayBuffer {
    constructor(sizeBytes: number) {
      super(sizeBytes);
      slots.push(this);
    }
  }
  vi.stubGlobal('SharedArrayBuffer', WatchedBuffer);
  const thread = start();
  vi.unstubAllGlobals();
  await thread.ready;
  const answer = expect(thread.recognise(frameOf(0xca, 'crash'))).rejects.toThrow();
  expect(slots.map((slot) => new Uint8Array(slot)[255])).toEqual([0xca]);
  await answer;
  expect(slots.map((slot) => new Uint8Array(slot).includes(0xca))).toEqual([false]);
});

test("the recogniser's error comes back with its code, and the thread goes on", async () => {
  const thread = start();
  await expect(thread.recognise(frameOf(1, 'refuse'))).rejects.toMatchObject({
    name: 'AgentError',
    code: 'MODEL_CORRUPT',
    message: 'the model gave NaN',
  });
  await expect(thread.recognise(frameOf(1, 'mistake'))).rejects.toMatchObject({
    code: 'INTERNAL',
    message: 'frame of 3 bytes',
  });
  expect((await thread.recognise(frameOf(2)))[0]?.sum).toBe(512);
});

test('models that cannot be loaded are told, to whoever waits and to whoever sends a frame', async () => {
  const thread = start({ workerData: 'no-model' });
  const missing = { name: 'AgentError', code: 'MODEL_MISSING' };
  await expect(thread.recognise(frameOf(1))).rejects.toMatchObject(missing);
  await expect(thread.ready).rejects.toMatchObject(missing);
  await expect(thread.recognise(frameOf(1))).rejects.toMatchObject(missing);
  const error = await thread.exited;
  expect([error?.code, error?.message]).toEqual(['MODEL_MISSING', 'yunet is not there']);
});

test.each([
  ['crash', 'the recognition thread failed: the addon fell over'],
  ['exit', 'the recognition thread ended with status 3'],
])(
  'a thread that falls over (%s) fails the frame at work and every later one',
  async (how, message) => {
    const thread = start();
    await thread.ready;
    for (const sourceId of [how, 'sum']) {
      const expected = { name: 'AgentError', code: 'INTERNAL', message };
      await expect(thread.recognise(frameOf(1, sourceId))).rejects.toMatchObject(expected);
    }
    expect((await thread.exited)?.message).toBe(message);
  },
);

test('a thread that does not answer is left to itself, and ends when it comes back', async () => {
  const thread = start({ hangMs: 20, workerData: 300 });
  await thread.ready;
  await expect(thread.recognise(frameOf(1, 'hang'))).rejects.toThrow(
    'did not answer within 0.02 s',
  );
  expect((await thread.exited)?.code).toBe('INTERNAL');
  expect(thread.isLeft()).toBe(true);
  await expect(thread.recognise(frameOf(1))).rejects.toThrow('did not answer');
  await eventually(() => !thread.isLeft());
});

test('a thread that falls over before it is ready says so', async () => {
  const thread = start({ workerData: 'crash-at-start' });
  expect((await thread.exited)?.message).toBe('the recognition thread failed: the addon fell over');
});

test('a worker file that is not there is told', async () => {
  const thread = start({ workerUrl: new URL('./no-such-worker.ts', import.meta.url) });
  await expect(thread.ready).rejects.toMatchObject({ code: 'INTERNAL' });
});

test('closing lets the frame at work finish', async () => {
  const thread = start();
  await thread.ready;
  const answer = thread.recognise(frameOf(5, 'slow'));
  await thread.close();
  expect((await answer)[0]?.sum).toBe(5 * 256);
  expect(await thread.exited).toBeUndefined();
});

test('closing does not wait for a thread that hangs', async () => {
  const thread = start({ closeMs: 20, workerData: 300 });
  await thread.ready;
  const answer = expect(thread.recognise(frameOf(5, 'hang'))).rejects.toThrow('is closed');
  await thread.close();
  await answer;
  expect(thread.isLeft()).toBe(true);
  await eventually(() => !thread.isLeft());
});

test('after closing, which may be done twice, a frame is refused', async () => {
  const thread = start();
  await thread.close();
  await thread.close();
  await expect(thread.recognise(frameOf(5))).rejects.toThrow('is closed');
});

test('two frames at once are a programming mistake; the first is answered all the same', async () => {
  const thread = start();
  const first = thread.recognise(frameOf(6));
  await expect(thread.recognise(frameOf(7))).rejects.toThrow(TypeError);
  expect((await first)[0]?.sum).toBe(6 * 256);
});

test('a frame larger than the slot is refused and the thread goes on', async () => {
  const thread = start();
  const large = { ...frameOf(1), data: new Uint8Array(4096) };
  await expect(thread.recognise(large)).rejects.toMatchObject({ code: 'IMAGE_TOO_LARGE' });
  expect((await thread.recognise(frameOf(2)))[0]?.sum).toBe(512);
});

test.each([
  ['file:///opt/doorkeep/agent/agent.ts', 'file:///opt/doorkeep/agent/worker.ts'],
  ['file:///opt/doorkeep/dist/agent.js', 'file:///opt/doorkeep/dist/worker.js'],
])('from %s the worker is %s', (from, to) => {
  expect(moduleBeside(from, './worker').href).toBe(to);
});

function start(options: Partial<ThreadOptions> = {}) {
  const preset = { workerUrl, workerData: undefined, maxFrameBytes: 256 };
  const thread = startRecognitionThread<FakeEvent>({ ...preset, ...options });
  onTestFinished(() => thread.close());
  return thread;
}

function frameOf(value: number, sourceId = 'sum'): Frame {
  const data = new Uint8Array(256).fill(value);
  return { format: 'grey', width: 16, height: 16, data, capturedAtMs: 1, sourceId };
}
