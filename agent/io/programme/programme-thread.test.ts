import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../test/fakes/eventually.ts';
import { createManualTime } from '../../test/fakes/manual-time.ts';
import { cells, type FakeProgrammeData } from '../../test/fakes/programme-worker.ts';
import { systemTimers } from '../process/clock.ts';
import { superviseProgramme } from './programme-thread.ts';

const workerUrl = new URL('../../test/fakes/programme-worker.ts', import.meta.url);
const nobody = async () => {};

function supervised(data: Partial<FakeProgrammeData> = {}, { timers = systemTimers } = {}) {
  const shared = new SharedArrayBuffer(64);
  const cell = (name: keyof typeof cells) => Atomics.load(new Int32Array(shared), cells[name]);
  const restarts: string[] = [];
  const world = { ends: 0 };
  const { isNeeded = false } = data;
  const thread = superviseProgramme({
    workerUrl,
    workerData: { shared, isNeeded, ...data } satisfies FakeProgrammeData,
    isNeeded,
    timers,
    onRestart: ({ code }) => restarts.push(code),
    onEnd: () => {
      world.ends += 1;
    },
  });
  onTestFinished(() => thread.close());
  return { thread, cell, restarts, world };
}

test('S0-1 where nothing is to be done there is no thread', async () => {
  const { thread, cell } = supervised();
  thread.doorFault('camera-lost');
  thread.refused(1);
  await thread.close();
  expect(cell('started')).toBe(0);
});

test('a command starts one, which ends when it has answered and nothing is left to do', async () => {
  const { thread, cell, world, restarts } = supervised();
  expect(await thread.ask('tell', { a: 1 }, nobody)).toEqual({ a: 1 });
  await eventually(() => world.ends === 1);
  expect([cell('closed'), cell('atWork')]).toEqual([1, 0]);
  expect(restarts).toEqual([]);
});

test('while something is to be done it stays, and hears of the door', async () => {
  const { thread, cell } = supervised();
  await thread.ask('need', true, nobody);
  for (let n = 0; n < 20; n++) expect(await thread.ask('tell', n, nobody)).toBe(n);
  expect(cell('started')).toBe(1);
  thread.doorFault('model-failed');
  thread.refused(null);
  await eventually(() => cell('faults') === 101);
  await thread.ask('need', false, nobody);
  await eventually(() => cell('atWork') === 0);
});

test('S0-26 a command that comes while the thread is ending is carried out by the next one, never beside it', async () => {
  const { thread, cell, world } = supervised({ closeMs: 30 });
  for (let n = 0; n < 6; n++) {
    expect(await thread.ask('tell', n, nobody)).toBe(n);
    // The last one is about to be told to end, or is ending.
    await new Promise((resolve) => setTimeout(resolve, n * 4));
  }
  const many = Array.from({ length: 10 }, (_, n) => thread.ask('tell', n, nobody));
  expect(await Promise.all(many)).toEqual(many.map((_, n) => n));
  await eventually(() => world.ends === cell('started'));
  expect(cell('started')).toBeGreaterThan(1);
  expect(cell('most')).toBe(1);
});

test('what a command throws is told as it was', async () => {
  const { thread } = supervised();
  await expect(thread.ask('refuse', {}, nobody)).rejects.toMatchObject({
    code: 'CONSENT_REFUSED',
    message: 'no',
  });
});

test('pieces are handed on one after the other, as fast as they are taken', async () => {
  const { thread } = supervised();
  const taken: number[] = [];
  let isTaking = false;
  const write = async (bytes: Uint8Array) => {
    expect(isTaking).toBe(false);
    isTaking = true;
    await new Promise(setImmediate);
    taken.push(bytes[0] ?? -1);
    isTaking = false;
  };
  expect(await thread.ask('pieces', 20, write)).toBe('all');
  expect(taken).toEqual(Array.from({ length: 20 }, (_, n) => n));
});

test('S0-26 where the one who asked has gone, the command ends, and others are answered', async () => {
  const { thread, cell } = supervised({ isNeeded: true });
  const gone = async () => {
    throw new Error('the client has gone');
  };
  await expect(thread.ask('pieces', 1e9, gone)).rejects.toMatchObject({ code: 'CONTROL_INVALID' });
  expect(await thread.ask('tell', 1, nobody)).toBe(1);
  await eventually(() => cell('ended') === 1);
  expect(cell('atWork')).toBe(1);
});

test('S0-34 a thread that falls over is started again, with growing pauses; commands under way are told', async () => {
  const time = createManualTime();
  const { thread, cell, restarts, world } = supervised({ isNeeded: true }, { timers: time.timers });
  const crash = async () => {
    await expect(thread.ask('crash', {}, nobody)).rejects.toMatchObject({ code: 'INTERNAL' });
    const [pauseMs = 0] = time.pendingMs;
    time.advance(pauseMs);
    expect(await thread.ask('tell', 1, nobody)).toBe(1);
    return pauseMs;
  };
  expect([await crash(), await crash(), await crash()]).toEqual([1_000, 2_000, 4_000]);
  expect([cell('started'), world.ends]).toEqual([4, 3]);
  expect(restarts).toEqual(Array(3).fill('INTERNAL'));
  // A thread that has lived for a minute has recovered.
  time.advance(60_000);
  expect(await crash()).toBe(1_000);
});

test('one that cannot open says why, and is tried again less and less often', async () => {
  const time = createManualTime();
  const data = { isNeeded: true, fallsAtStart: 3 };
  const { thread, cell, restarts } = supervised(data, { timers: time.timers });
  const pauses: number[] = [];
  for (let n = 1; n <= 3; n++) {
    await eventually(() => restarts.length === n);
    pauses.push(...time.pendingMs);
    time.advance(60_000);
  }
  expect(pauses).toEqual([1_000, 2_000, 4_000]);
  expect(await thread.ask('tell', 1, nobody)).toBe(1);
  expect(restarts).toEqual(Array(3).fill('INPUT_INVALID'));
  expect(cell('started')).toBe(4);
});

test('a command does not wait for the pause', async () => {
  const time = createManualTime();
  const { thread, restarts, cell } = supervised({ isNeeded: true }, { timers: time.timers });
  await expect(thread.ask('crash', {}, nobody)).rejects.toThrow(/fell over/);
  expect(restarts).toHaveLength(1);
  expect(await thread.ask('tell', 1, nobody)).toBe(1);
  time.advance(60_000);
  expect([cell('started'), cell('most')]).toEqual([2, 1]);
});

test('closed, it lets the thread store what it may, and nothing is asked any more', async () => {
  const { thread, cell } = supervised({ isNeeded: true, closeMs: 20 });
  await thread.ask('tell', 1, nobody);
  const closing = thread.close();
  await expect(thread.ask('tell', 2, nobody)).rejects.toMatchObject({ code: 'AGENT_SILENT' });
  await closing;
  expect([cell('closed'), cell('atWork')]).toEqual([1, 0]);
  await thread.close();
});

test('one that does not end in time is waited for no longer', async () => {
  const time = createManualTime();
  const { thread, cell } = supervised({ isNeeded: true, closeMs: 1e9 }, { timers: time.timers });
  await thread.ask('tell', 1, nobody);
  const closing = thread.close();
  expect(time.pendingMs).toContain(5_000);
  time.advance(5_000);
  await closing;
  expect(cell('closed')).toBe(0);
});
