import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { localTimeIn } from '../io/process/local-time.ts';
import type { ToLocalTime } from '../ueip/attempt.ts';
import { type NightMark, nightAfter } from './once-a-night.ts';
import { firstTryMs, nextWindow, windowOf } from './window.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** The shortest summer time is the one that Morocco interrupts for a month. */
const stepMs = 10 * dayMs;
const fromMs = Date.UTC(2025, 0, 1);
const untilMs = Date.UTC(2031, 0, 1);

/**
 * Every night of six years in every time zone that the runtime knows (418 of them in 2025). Which zones have
 * a night without the hour, and how many one with more of it, is what another enumeration found as well; a
 * newer time zone database may change it, and then it is to be looked at again.
 */
test('S0-11 S0-10 in every time zone, from 2025 to 2030: one pass a date, between 1 and 2, none where there is no such hour', () => {
  const zones = Intl.supportedValuesOf('timeZone');
  expect(zones.length).toBeGreaterThanOrEqual(400);
  // Zones that show the same times in these years have the same nights: some 70 tables are left.
  const tables = new Map(zones.map((zone) => [zone, changesOf(localTimeIn(zone))]));
  const byTable = Map.groupBy(zones, (zone) => JSON.stringify(tables.get(zone)));
  const withGap: string[] = [];
  const withRepeat: string[] = [];
  for (const alike of byTable.values()) {
    const [zone = ''] = alike;
    const { faults, nights, dates, gaps, repeats } = simulate(zone, tables.get(zone) ?? []);
    expect(faults, zone).toEqual([]);
    // Every other date has its pass, but for a first one that had begun.
    expect(dates - gaps - nights, zone).toBeGreaterThanOrEqual(0);
    expect(dates - gaps - nights, zone).toBeLessThanOrEqual(1);
    if (gaps > 0) withGap.push(...alike);
    if (repeats > 0) withRepeat.push(...alike);
  }
  expect(withGap.toSorted()).toEqual([
    'Antarctica/Troll',
    'Atlantic/Canary',
    'Atlantic/Faeroe',
    'Atlantic/Madeira',
    'Europe/Dublin',
    'Europe/Guernsey',
    'Europe/Isle_of_Man',
    'Europe/Jersey',
    'Europe/Lisbon',
    'Europe/London',
  ]);
  // 65 in the database that the other enumeration had; Morocco's change of September 2026 came after it.
  expect(withRepeat).toHaveLength(66);
  expect(withRepeat).toContain('Africa/Casablanca');
});

/** Lives through the nights of a zone as a device does, each pass at the moment that chance gives it. */
function simulate(zone: string, changes: readonly Change[]) {
  const exact = localTimeIn(zone);
  const local = localTimeBy(changes);
  const draw = (date: string) => createHmac('sha256', 'one device').update(date).digest();
  const faults: string[] = [];
  let [nowMs, nights, gaps, repeats] = [fromMs, 0, 0, 0];
  let last: NightMark | null = null;
  while (nowMs < untilMs) {
    const window = nextWindow(nowMs, local);
    const tryMs = firstTryMs(window, draw);
    const mark = { localDate: window.localDate, runDay: tryMs / dayMs };
    if (nightAfter(last, mark) !== 'another') faults.push(`${mark.localDate}: a night was lost`);
    const hourLater = { ...mark, runDay: mark.runDay + 1 / 24 };
    if (nightAfter(mark, hourLater) !== 'same') faults.push(`${mark.localDate}: twice`);
    const [atTry, after] = [local(tryMs), local(window.endMs)];
    if (atTry.date !== window.localDate || atTry.hour !== 1) {
      faults.push(`${mark.localDate}: not between 1 and 2`);
    }
    if (after.hour === 1 && after.date === window.localDate) repeats += 1;
    // The table against the zone itself: where it changes, and every seventh night.
    const isChange = changes.some(({ fromMs: atMs }) => Math.abs(atMs - tryMs) < dayMs);
    if (isChange || nights % 50 === 0) {
      for (const atMs of [window.startMs, tryMs, window.endMs - 1]) {
        const { date, hour } = exact(atMs);
        if (date !== window.localDate || hour !== 1) faults.push(`${mark.localDate}: by the zone`);
      }
    }
    last = mark;
    nowMs = window.endMs;
    nights += 1;
  }
  const dates = datesBetween(local(fromMs).date, local(nowMs - 1).date);
  for (const date of dates) if (windowOf(date, local) === undefined) gaps += 1;
  return { faults, nights, dates: dates.length, gaps, repeats };
}

type Change = { readonly fromMs: number; readonly offset: number };

/** A zone as the list of its changes: the nights of six years ask it a hundred thousand times. */
function changesOf(exact: ToLocalTime): readonly Change[] {
  const offset = (atMs: number) => exact(atMs).utcOffsetMinutes;
  const changes: Change[] = [{ fromMs: 0, offset: offset(fromMs - stepMs) }];
  let present = offset(fromMs - stepMs);
  for (let atMs = fromMs; atMs < untilMs + stepMs; atMs += stepMs) {
    const next = offset(atMs);
    if (next === present) continue;
    let [before, after] = [atMs - stepMs, atMs];
    while (after - before > minuteMs) {
      const middle = before + Math.floor((after - before) / 2 / minuteMs) * minuteMs;
      if (offset(middle) === present) before = middle;
      else after = middle;
    }
    changes.push({ fromMs: after, offset: next });
    present = next;
  }
  return changes;
}

function localTimeBy(changes: readonly Change[]): ToLocalTime {
  return (wallMs) => {
    const utcOffsetMinutes = changes.findLast((change) => change.fromMs <= wallMs)?.offset ?? 0;
    const localMs = wallMs + utcOffsetMinutes * minuteMs;
    return { date: dateOf(localMs), hour: Math.floor(localMs / hourMs) % 24, utcOffsetMinutes };
  };
}

const knownDates = new Map<number, string>();

function dateOf(localMs: number): string {
  const day = Math.floor(localMs / dayMs);
  const known = knownDates.get(day) ?? new Date(day * dayMs).toISOString().slice(0, 10);
  knownDates.set(day, known);
  return known;
}

function datesBetween(first: string, last: string): string[] {
  const all: string[] = [];
  for (let day = Date.parse(first); day <= Date.parse(last); day += dayMs) {
    all.push(dateOf(day));
  }
  return all;
}
