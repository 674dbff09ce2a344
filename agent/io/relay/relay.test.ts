import { expect, test } from 'vitest';
import { createFakeHolder } from '../../test/fakes/fake-holder.ts';
import { createManualTime } from '../../test/fakes/manual-time.ts';
import type { RelayFault } from './relay.ts';
import { startRelay } from './relay.ts';

test('a pulse opens the door as soon as the holder says so', async () => {
  const { relay, holder } = aRelay();
  holder.say('ready');
  const pulse = relay.pulse(3_000);
  expect(holder.told).toEqual(['start', 'pulse 3000']);
  holder.say('high');
  expect(await pulse).toEqual({ kind: 'opened' });
});

test('while the door is open, or about to be, it is not opened again; afterwards it is', async () => {
  const { relay, holder } = aRelay();
  holder.say('ready');
  const first = relay.pulse(3_000);
  expect(await relay.pulse(3_000)).toEqual({ kind: 'already-open' });
  holder.say('high');
  await first;
  expect(await relay.pulse(3_000)).toEqual({ kind: 'already-open' });
  holder.say('low');
  const second = relay.pulse(3_000);
  holder.say('busy');
  expect(await second).toEqual({ kind: 'already-open' });
  expect(holder.told.filter((order) => order.startsWith('pulse'))).toHaveLength(2);
});

test('an order that nobody can carry out now is over: the door does not open later', async () => {
  const { relay, holder } = aRelay();
  expect(await relay.pulse(3_000)).toEqual({ kind: 'failed', reason: 'not-ready' });
  holder.say('ready');
  const pulse = relay.pulse(3_000);
  holder.end({ exitCode: 71 });
  expect(await pulse).toEqual({ kind: 'failed', reason: 'ended' });
  expect(await relay.pulse(3_000)).toEqual({ kind: 'failed', reason: 'not-ready' });
  expect(holder.told).toEqual(['start', 'pulse 3000']);
});

test('a holder that is gone is started again: at once, then after growing waits, without end', () => {
  const { holder, time, faults } = aRelay();
  const waits: (number | undefined)[] = [];
  for (let attempt = 1; attempt <= 12; attempt++) {
    holder.end({ exitCode: 75, reason: 'busy' });
    const wait = time.pendingMs[0] ?? -1;
    waits.push(wait);
    time.advance(wait);
  }
  expect(waits).toEqual([0, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000, 10_000]);
  expect(holder.told).toEqual(Array.from({ length: 13 }, () => 'start'));
  expect(faults.at(-1)).toEqual({ exitCode: 75, reason: 'busy', attempt: 12 });
});

test('a holder that lived for a minute had recovered', () => {
  const { holder, time, faults } = aRelay();
  holder.end();
  time.advance(0);
  holder.say('ready');
  time.advance(60_000);
  holder.end();
  expect(faults.map(({ attempt }) => attempt)).toEqual([1, 1]);
});

test('a holder that does not answer is ended, politely, then not: another lets go of the line', async () => {
  const { relay, holder, time } = aRelay();
  holder.say('ready');
  const pulse = relay.pulse(3_000);
  time.advance(2_000);
  expect(await pulse).toEqual({ kind: 'failed', reason: 'no-answer' });
  expect(holder.told.at(-1)).toBe('SIGTERM');
  time.advance(100);
  expect(holder.told.at(-1)).toBe('SIGKILL');
  holder.end();
  time.advance(0);
  expect(holder.told.at(-1)).toBe('start');
});

test('a holder that does not say that the door is closed again is ended', async () => {
  const { relay, holder, time } = aRelay();
  holder.say('ready');
  const pulse = relay.pulse(3_000);
  holder.say('high');
  await pulse;
  time.advance(3_249);
  expect(holder.told.at(-1)).toBe('pulse 3000');
  time.advance(1);
  expect(holder.told.at(-1)).toBe('SIGTERM');
});

test('a holder that said so is left alone', async () => {
  const { relay, holder, time } = aRelay();
  holder.say('ready');
  const pulse = relay.pulse(3_000);
  holder.say('high');
  await pulse;
  holder.say('low');
  expect(time.pendingMs).toEqual([]);
});

test('a holder that never becomes ready is ended', () => {
  const { holder, time } = aRelay();
  time.advance(4_999);
  expect(holder.told).toEqual(['start']);
  time.advance(1);
  expect(holder.told).toEqual(['start', 'SIGTERM']);
});

test('closing waits until the holder has let go, opens nothing more and starts nothing more', async () => {
  const { relay, holder, time, faults } = aRelay();
  holder.say('ready');
  let isClosed = false;
  const closed = relay.close().then(() => {
    isClosed = true;
  });
  expect(await relay.pulse(3_000)).toEqual({ kind: 'failed', reason: 'not-ready' });
  expect(isClosed).toBe(false);
  expect(holder.told).toEqual(['start', 'release']);
  holder.end({ exitCode: 0 });
  await closed;
  await relay.close();
  expect(time.pendingMs).toEqual([]);
  expect(faults).toEqual([]);
});

test('closing ends a holder that does not let go', () => {
  const { relay, holder, time } = aRelay();
  holder.say('ready');
  void relay.close();
  time.advance(2_000);
  time.advance(100);
  expect(holder.told).toEqual(['start', 'release', 'SIGTERM', 'SIGKILL']);
});

test('closing while the holder is gone waits for nobody, and nobody is started', async () => {
  const { relay, holder, time } = aRelay();
  holder.end();
  await relay.close();
  time.advance(20_000);
  expect(holder.told).toEqual(['start']);
});

function aRelay() {
  const time = createManualTime();
  const holder = createFakeHolder();
  const faults: RelayFault[] = [];
  const relay = startRelay({
    startHolder: holder.startHolder,
    clock: time.clock,
    timers: time.timers,
    onFault: (fault) => faults.push(fault),
  });
  return { relay, holder, time, faults };
}
