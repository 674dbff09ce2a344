import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mostErasureTries } from '../consent/erasure-orders.ts';
import type { Collected } from '../ports.ts';
import { ledgerKeepDays } from '../ueip/ledger-events.ts';
import { dayMs, monthEndsAtMs } from '../ueip/month.ts';
import { advancedRunDays, resumedRunDays } from '../ueip/run-days.ts';
import { isExpired, retention, sweepEveryMs } from './retention.ts';

const hourMs = 3_600_000;

describe('S0-13 a record goes when its month is over, whatever the clocks did meanwhile', () => {
  type Story = (device: ReturnType<typeof deviceSince>) => void;
  test.each<[string, boolean, Story]>([
    ['after 29 days it is still there', false, (device) => device.runs(29)],
    ['after 30 days it is gone', true, (device) => device.runs(30)],
    ['it goes with the last sweep before', true, (device) => device.runs(30 - 0.5 / 24)],
    ['also if its month ends with the next', true, (device) => device.runs(30 - 1 / 24)],
    ['not with the one before that', false, (device) => device.runs(30 - 1.01 / 24)],
    [
      'the device was off for 40 days and knows the date',
      true,
      (device) => {
        device.isOff(40);
        device.believes('the truth');
      },
    ],
    [
      'it was off for 40 days and does not know the date: an unconfirmed clock deletes nothing',
      false,
      (device) => device.isOff(40),
    ],
    [
      'and when it learns the date, a minute later',
      true,
      (device) => {
        device.isOff(40);
        device.runs(1 / 1440);
        device.believes('the truth');
      },
    ],
    [
      'an unconfirmed clock jumps ten years ahead',
      false,
      (device) => {
        device.shows(3650);
        device.runs(10);
      },
    ],
    [
      'an unconfirmed clock falls back ten years: 30 days of running are a month all the same',
      true,
      (device) => {
        device.shows(-3650);
        device.runs(30);
      },
    ],
    [
      'a clock that was confirmed falls back ten years: one of the two was wrong',
      true,
      (device) => device.believes('ten years ago'),
    ],
    [
      'restarted every hour, without a clock, for 30 days',
      true,
      (device) => {
        device.shows(-3650);
        for (let hour = 0; hour < 30 * 24; hour++) {
          device.restarts();
          device.runs(1 / 24);
        }
      },
    ],
  ])('%s', (_, gone, story) => {
    const device = deviceSince(Date.UTC(2027, 4, 10));
    const collected = device.collects();
    story(device);
    expect(isExpired(collected, device.now())).toBe(gone);
  });

  test('collected under a date ten years ahead, it does not live until then', () => {
    const device = deviceSince(Date.UTC(2027, 4, 10));
    device.believes('ten years ahead');
    const believed = device.collects();
    device.believes('the truth');
    expect(isExpired(believed, device.now())).toBe(true);
    device.shows(3650);
    const shown = device.collects();
    expect(isExpired(shown, device.now())).toBe(false);
    device.runs(28);
    expect(isExpired(shown, device.now())).toBe(true);
  });

  test('what nobody can date is gone', () => {
    const { now } = deviceSince(Date.UTC(2027, 4, 10));
    expect(isExpired({ ...now(), runDay: Number.NaN }, now())).toBe(true);
    expect(isExpired(now(), { ...now(), wallMs: Number.NaN })).toBe(true);
  });
});

const days = (max: number) => fc.noBias(fc.integer({ min: 0, max: max * 96 })).map((n) => n / 96);
const step = fc.oneof(
  fc.record({ do: fc.constant('runs' as const), days: days(6) }),
  fc.record({ do: fc.constant('isOff' as const), days: days(40) }),
  fc.record({ do: fc.constant('shows' as const), days: fc.integer({ min: -3650, max: 3650 }) }),
  fc.record({ do: fc.constant('learns' as const), days: fc.constant(0) }),
  fc.record({ do: fc.constant('collects' as const), days: fc.constant(0) }),
);

test('S0-13 once the date is known, no record is older than a month, in whatever life of a device', () => {
  let seen = 0;
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1000 }),
      fc.array(step, { maxLength: 60 }),
      (start, steps) => {
        const device = deviceSince(Date.UTC(2027, 0, 1 + start));
        let kept: { readonly collected: Collected; readonly trulyMs: number }[] = [];
        for (const next of [...steps, { do: 'learns', days: 0 } as const]) {
          if (next.do === 'collects') {
            kept.push({ collected: device.collects(), trulyMs: device.trulyMs() });
          } else if (next.do === 'learns') device.believes('the truth');
          else device[next.do](next.days);
          kept = kept.filter(({ collected }) => !isExpired(collected, device.now()));
          if (!device.now().clockTrusted) continue;
          seen += kept.length;
          for (const { trulyMs } of kept) {
            expect(device.trulyMs() + sweepEveryMs).toBeLessThan(monthEndsAtMs(trulyMs) + 1);
          }
        }
      },
    ),
    { numRuns: 500 },
  );
  expect(seen).toBeGreaterThan(500);
});

test('S0-13 without any date a device keeps no record for more than 30 days of running', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const device = deviceSince(Date.UTC(2027, 4, 10));
      device.shows(-400);
      const collected = device.collects();
      let ranDays = 0;
      for (const next of steps) {
        if (next.do === 'runs') ranDays += next.days;
        if (next.do === 'runs' || next.do === 'isOff' || next.do === 'shows')
          device[next.do](next.days);
        if (ranDays >= 30) expect(isExpired(collected, device.now())).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});

test('no jump of an unconfirmed clock takes a record before its time', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.boolean(), (steps, dated) => {
      const device = deviceSince(Date.UTC(2027, 4, 10));
      if (!dated) device.shows(3000);
      const collected = device.collects();
      let ranDays = 0;
      for (const next of steps) {
        if (next.do !== 'runs' && next.do !== 'shows') continue;
        if (next.do === 'runs') ranDays += next.days;
        device[next.do](next.days);
        // 28 days less two hours for what bears no date; and the sweep comes an hour early.
        if (ranDays < 27.8) expect(isExpired(collected, device.now())).toBe(false);
      }
    }),
    { numRuns: 300 },
  );
});

describe('the table of what is kept', () => {
  test('says for each class how long, counted from what, and who sees to it', () => {
    for (const [name, { what, countedFrom, enforcedBy, limit }] of Object.entries(retention)) {
      for (const text of [what, countedFrom, enforcedBy]) expect(text, name).not.toBe('');
      if (limit.kind === 'days') expect(limit.days, name).toBeGreaterThan(0);
    }
  });

  test('has the limits that the code keeps', () => {
    expect(retention.records.limit).toEqual({ kind: 'month' });
    expect(retention.bucket.limit).toEqual({ kind: 'month' });
    expect(retention.requestHistory.limit.days).toBe(ledgerKeepDays.request);
    expect(retention.consentHistory.limit.days).toBe(ledgerKeepDays.decision);
    expect(retention.erasureOrders.limit.days).toBe(mostErasureTries);
  });
});

/** A device whose clock is right and confirmed, and what becomes of it. */
function deviceSince(startMs: number) {
  let trueMs = startMs;
  let aheadMs = 0;
  let clockTrusted = true;
  let bootedAtMs = startMs;
  const monotonicMs = () => trueMs - bootedAtMs;
  const count = () =>
    advancedRunDays(runDays, {
      wallMs: trueMs + aheadMs,
      monotonicMs: monotonicMs(),
      clockTrusted,
    });
  let runDays = resumedRunDays(0, 0);
  runDays = count();
  const boots = () => {
    bootedAtMs = trueMs;
    runDays = resumedRunDays(runDays.days, 0);
  };
  const now = (): Collected => {
    runDays = count();
    return { wallMs: trueMs + aheadMs, clockTrusted, runDay: runDays.days };
  };
  return {
    now,
    collects: now,
    trulyMs: () => trueMs,
    runs(days: number) {
      trueMs += days * dayMs;
      now();
    },
    /** Switched off; its clock stands still, and is not believed when it is back. */
    isOff(days: number) {
      now();
      trueMs += days * dayMs;
      aheadMs -= days * dayMs;
      clockTrusted = false;
      boots();
    },
    restarts() {
      now();
      boots();
    },
    /** Its clock jumps so many days from the truth, and is not believed. */
    shows(days: number) {
      now();
      aheadMs = days * dayMs;
      clockTrusted = false;
    },
    believes(what: 'the truth' | 'ten years ago' | 'ten years ahead') {
      now();
      aheadMs = { 'the truth': 0, 'ten years ago': -3650, 'ten years ahead': 3650 }[what] * dayMs;
      clockTrusted = true;
      now();
    },
  };
}

test('the sweep comes every hour', () => {
  expect(sweepEveryMs).toBe(hourMs);
});
