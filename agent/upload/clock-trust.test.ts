import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ClockEvent,
  type ClockMemory,
  clockMemoryOf,
  judgeClock,
  mayAskCloud,
  maySendBy,
  observeClock,
  startClockTrust,
} from './clock-trust.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;
const builtMs = Date.UTC(2026, 10, 1);
const nowMs = Date.UTC(2027, 0, 5, 1, 10);

/** A device's clock and what is thought of it; both clocks go on by what a step says. */
function device(wallMs: number, known: { memory?: ClockMemory } = {}) {
  const reading = { wallMs, monotonicMs: 1_000 };
  const { memory = null } = known;
  let trust = startClockTrust({ builtMs, memory }, reading);
  const self = {
    reading,
    get trust() {
      return trust;
    },
    pass(ms: number) {
      reading.wallMs += ms;
      reading.monotonicMs += ms;
      return self;
    },
    jump(ms: number) {
      reading.wallMs += ms;
      return self;
    },
    tell(event: ClockEvent) {
      trust = observeClock(trust, event, reading);
      return self;
    },
    look: (ntpSynchronised = false) => self.tell({ kind: 'looked', ntpSynchronised }),
    server: (serverMs: number) => self.tell({ kind: 'server-date', serverMs }),
    standing: () => judgeClock(trust, reading).standing,
    wallMs: () => judgeClock(trust, reading).wallMs,
  };
  return self;
}

describe('S0-11 whether the clock is to be believed', () => {
  test('before the agent was built it is not set, and nobody is asked', () => {
    const clock = device(Date.UTC(1970, 0, 1)).look();
    expect(clock.standing()).toBe('unset');
    expect(mayAskCloud('unset')).toBe(false);
    expect(maySendBy('unset')).toBe(false);
  });

  test('after that it is plausible: the cloud may be asked, but nothing is sent', () => {
    expect(device(nowMs).look().pass(dayMs).look().standing()).toBe('plausible');
    expect(mayAskCloud('plausible')).toBe(true);
    expect(maySendBy('plausible')).toBe(false);
  });

  test('the date of a verified server confirms it', () => {
    const clock = device(nowMs).server(nowMs + 2_000);
    expect(clock.standing()).toBe('confirmed');
    expect(
      clock
        .pass(30 * dayMs)
        .look()
        .standing(),
    ).toBe('confirmed');
    expect(clock.wallMs()).toBe(clock.reading.wallMs);
    expect(maySendBy('confirmed')).toBe(true);
  });

  test('the time server of the host confirms it, and a step that it makes is none', () => {
    const clock = device(nowMs).look(true);
    expect(clock.standing()).toBe('confirmed');
    expect(
      clock
        .jump(8 * 3_600_000)
        .look(true)
        .standing(),
    ).toBe('confirmed');
  });

  test('the first minute of a device without a battery: 1970, and then the time server', () => {
    const clock = device(1_000).look();
    expect(clock.jump(nowMs).standing()).toBe('doubtful');
    expect(clock.look().standing()).toBe('plausible');
    expect(clock.look(true).standing()).toBe('confirmed');
  });

  test.each([
    [5 * minuteMs, 'confirmed'],
    [5 * minuteMs + 1, 'doubtful'],
    [-5 * minuteMs, 'confirmed'],
    [-5 * minuteMs - 1, 'doubtful'],
    [10 * 365 * dayMs, 'doubtful'],
    [-40 * dayMs, 'doubtful'],
    [-58 * 365 * dayMs, 'unset'],
  ])('a jump of %i ms: %s', (ms, standing) => {
    expect(device(nowMs).server(nowMs).pass(minuteMs).jump(ms).look().standing()).toBe(standing);
  });

  test('many small steps are one large one', () => {
    const clock = device(nowMs).server(nowMs);
    for (let step = 0; step < 3; step++)
      clock
        .pass(minuteMs)
        .jump(2 * minuteMs)
        .look();
    expect(clock.standing()).toBe('doubtful');
  });

  test('a doubt ends when the clock is as it was, or a server has spoken', () => {
    const back = device(nowMs).server(nowMs).jump(dayMs).look();
    expect(back.standing()).toBe('doubtful');
    expect(back.jump(-dayMs).look().standing()).toBe('confirmed');
    const told = device(nowMs).server(nowMs).jump(dayMs).look();
    expect(told.server(told.reading.wallMs).standing()).toBe('confirmed');
  });

  test.each([-1, 1])(
    'wrong by %i days, the server’s date corrects it for as long as it is wrong by that',
    (days) => {
      const clock = device(nowMs + days * dayMs).server(nowMs);
      expect(clock.standing()).toBe('corrected');
      expect(clock.wallMs()).toBe(nowMs);
      clock.pass(6 * 3_600_000).look();
      expect(clock.standing()).toBe('corrected');
      expect(clock.wallMs()).toBe(nowMs + 6 * 3_600_000);
      expect(maySendBy('corrected')).toBe(true);
      // Set right.
      expect(
        device(nowMs + days * dayMs)
          .server(nowMs)
          .jump(-days * dayMs)
          .standing(),
      ).toBe('confirmed');
      // Slept, or set again: how wrong it is now, nobody knows.
      expect(
        clock
          .jump(20 * minuteMs)
          .look()
          .standing(),
      ).toBe('doubtful');
    },
  );

  test('two witnesses that contradict each other are none', () => {
    const clock = device(nowMs)
      .look(true)
      .server(nowMs + dayMs);
    expect(clock.standing()).toBe('doubtful');
    expect(clock.look(true).standing()).toBe('doubtful');
    expect(clock.server(nowMs).standing()).toBe('confirmed');
  });

  test.each([
    ['that lives before the agent was built', builtMs - dayMs],
    ['that names no date', Number.NaN],
  ])('a server %s is no witness', (_, serverMs) => {
    expect(device(nowMs).server(serverMs).standing()).toBe('plausible');
  });
});

describe('what it cannot be earlier than', () => {
  test('the latest moment that was believed before', () => {
    const clock = device(nowMs, { memory: { confirmedMs: nowMs + dayMs } }).look();
    expect(clock.standing()).toBe('doubtful');
    expect(clock.jump(dayMs).look().standing()).toBe('plausible');
  });

  test('what a verified server has said before the restart, and what the clock showed since', () => {
    const before = device(nowMs).server(nowMs).pass(dayMs).look();
    const memory = clockMemoryOf(before.trust);
    expect(memory).toEqual({ confirmedMs: nowMs + dayMs });
    expect(device(nowMs, { memory }).standing()).toBe('doubtful');
    expect(device(nowMs + dayMs, { memory }).standing()).toBe('plausible');
  });

  test('a clock that nobody confirmed raises nothing, nor does the unsigned word of a time server', () => {
    const ahead = Date.UTC(2040, 0, 1);
    expect(clockMemoryOf(device(ahead).look().trust)).toEqual({ confirmedMs: 0 });
    expect(clockMemoryOf(device(ahead).look(true).trust)).toEqual({ confirmedMs: 0 });
  });

  test('a verified server lowers what another clock raised: years ahead freeze nothing', () => {
    const memory = { confirmedMs: Date.UTC(2037, 0, 1) };
    const clock = device(nowMs, { memory }).look();
    expect(clock.standing()).toBe('doubtful');
    expect(mayAskCloud('doubtful')).toBe(true);
    clock.server(nowMs);
    expect(clock.standing()).toBe('confirmed');
    expect(clockMemoryOf(clock.trust)).toEqual({ confirmedMs: nowMs });
  });
});

test('whatever happens, what may be sent by is right to five minutes, if the witnesses are', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 3 * dayMs }) }),
    fc.record({
      kind: fc.constant('jump' as const),
      ms: fc.integer({ min: -400 * dayMs, max: 400 * dayMs }),
    }),
    fc.record({ kind: fc.constant('look' as const), ms: fc.constant(0) }),
    fc.record({ kind: fc.constant('server' as const), ms: fc.constant(0) }),
  );
  let sent = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const clock = device(nowMs);
      let trueMs = nowMs;
      for (const { kind, ms } of steps) {
        if (kind === 'pass') clock.pass(ms);
        if (kind === 'jump') clock.jump(ms);
        if (kind === 'look') clock.look();
        if (kind === 'server') clock.server(trueMs);
        if (kind === 'pass') trueMs += ms;
        if (!maySendBy(clock.standing())) continue;
        sent += 1;
        expect(Math.abs(clock.wallMs() - trueMs)).toBeLessThanOrEqual(5 * minuteMs);
      }
    }),
    { seed: 20, numRuns: 2_000 },
  );
  expect(sent).toBeGreaterThan(1_000);
});
