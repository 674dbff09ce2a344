import { describe, expect, test } from 'vitest';
import { createManualTime } from '../test/fakes/manual-time.ts';
import { createProgrammeTime } from './programme-time.ts';

const builtMs = Date.UTC(2026, 10, 1);
const dayMs = 86_400_000;
const beginMs = Date.UTC(2027, 2, 1);

function started(options: { wallMs?: number; confirmedMs?: number } = {}) {
  const manual = createManualTime(0.25);
  const world = { wallMs: options.wallMs ?? beginMs, isSynchronised: false };
  const clock = {
    monotonicMs: manual.clock.monotonicMs,
    wallMs: () => Math.floor(world.wallMs + manual.clock.monotonicMs()),
  };
  const { confirmedMs } = options;
  const time = createProgrammeTime(
    { clock, isSynchronised: () => world.isSynchronised },
    {
      builtMs,
      memory: confirmedMs === undefined ? null : { confirmedMs },
    },
  );
  return { time, world, advance: manual.advance };
}

test('a moment is believed once a time server has confirmed it', () => {
  const { time, world } = started();
  expect(time.moment().clockTrusted).toBe(false);
  expect(time.standing()).toBe('plausible');
  world.isSynchronised = true;
  expect(time.moment()).toMatchObject({ wallMs: beginMs, clockTrusted: true });
});

test('what a server has corrected comes in whole milliseconds, as everything does that is written down', () => {
  const { time, advance } = started({ wallMs: beginMs - 10 * dayMs });
  time.watched.serverSaid(beginMs);
  advance(1_000.5);
  expect(time.standing()).toBe('corrected');
  expect(time.moment().wallMs).toBe(beginMs + 1_001);
  expect(Number.isInteger(time.watched.memory().confirmedMs)).toBe(true);
});

test('a policy that was once in force stays so, whatever the clock shows after a boot', () => {
  const { time } = started({ wallMs: 0, confirmedMs: beginMs });
  expect(time.moment().wallMs).toBe(0);
  expect(time.latestMs()).toBe(beginMs);
  expect(started().time.latestMs()).toBe(beginMs);
});

describe('the count of days', () => {
  test('begins in a new store with what the clock shows, where nothing speaks against it', () => {
    const { time, advance } = started();
    time.resume(0);
    advance(2 * dayMs);
    expect(time.runDay()).toBeCloseTo(beginMs / dayMs + 2, 6);
  });

  test('begins at 0 where the clock was never set', () => {
    const { time, advance } = started({ wallMs: 0 });
    time.resume(0);
    advance(dayMs);
    expect(time.runDay()).toBeCloseTo(1, 6);
  });

  test('goes on with what a store has kept, and follows a clock that is believed', () => {
    const { time, world, advance } = started();
    time.resume(20_000);
    advance(dayMs / 2);
    expect(time.runDay()).toBeCloseTo(20_000.5, 6);
    world.isSynchronised = true;
    expect(time.runDay()).toBeCloseTo(beginMs / dayMs + 0.5, 6);
    expect(time.now()).toMatchObject({ clockTrusted: true, runDay: time.runDay() });
  });
});
