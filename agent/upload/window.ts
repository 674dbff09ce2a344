import type { ToLocalTime } from '../ueip/attempt.ts';

/** When records may travel: the first hour of one local date that the clock on the wall shows as 1. */
export type NightWindow = {
  /** 'YYYY-MM-DD' */
  readonly localDate: string;
  /** Milliseconds since 1970. */
  readonly startMs: number;
  /** The first moment after it: at most an hour later. */
  readonly endMs: number;
};

/**
 * The window [01:00, 02:00) of a local date, found by asking the clock on the wall, so that no table of
 * time zones is needed. Undefined: that night has none (the clock goes forward over it): the records
 * wait a day. Where the hour comes twice, it is the first one.
 *
 * Changes of a zone are taken to fall on whole minutes, as all have since 1972.
 */
export function windowOf(localDate: string, toLocalTime: ToLocalTime): NightWindow | undefined {
  const isInside = (atMs: number) => {
    const { date, hour } = toLocalTime(atMs);
    return date === localDate && hour === windowHour;
  };
  const { fromMs, untilMs, changes } = whereToLook(localDate, toLocalTime);
  if (!changes && isInside(fromMs) && isInside(fromMs + windowMs - 1)) {
    return { localDate, startMs: fromMs, endMs: fromMs + windowMs };
  }
  const startMs = firstMinute(fromMs - marginMs, untilMs + windowMs + marginMs, isInside);
  if (startMs === undefined) return undefined;
  const latestMs = startMs + windowMs;
  const endMs = firstMinute(startMs, latestMs, (atMs) => !isInside(atMs)) ?? latestMs;
  return { localDate, startMs, endMs };
}

/** The window that is open at this moment, or else the next to open: of tonight or of a later night. */
export function nextWindow(nowMs: number, toLocalTime: ToLocalTime): NightWindow {
  for (let day = 0; day <= mostNightsWithout; day++) {
    const localDate = addDays(toLocalTime(nowMs).date, day);
    const window = windowOf(localDate, toLocalTime);
    if (window !== undefined && nowMs < window.endMs) return window;
  }
  throw new TypeError(`no night within ${mostNightsWithout} days has an hour from 1 to 2`);
}

/**
 * When this device first tries in this window: by chance for device and night, the same whenever it is
 * asked, evenly over the first three quarters (45 of 60 minutes). The rest is for those who must try
 * again: a million devices at once are 370 a second then (the size of the load was simulated), not all of
 * them in the second that the time servers agree on.
 *
 * `draw` is a keyed hash of the local date, at least 6 bytes: HMAC-SHA-256 under a secret that is new with
 * every grant.
 */
export function firstTryMs(window: NightWindow, draw: (localDate: string) => Uint8Array): number {
  const bytes = draw(window.localDate);
  if (bytes.length < drawBytes) throw new TypeError(`a draw has ${drawBytes} bytes or more`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, drawBytes);
  const drawn = view.getUint16(0) * 2 ** 32 + view.getUint32(2);
  const spanMs = Math.floor((window.endMs - window.startMs) * 0.75);
  // 48 bits over at most 2.7 million: the first places are likelier by less than one part in 10^8.
  return window.startMs + (drawn % spanMs);
}

const windowHour = 1;
const windowMs = 3_600_000;
const minuteMs = 60_000;
const dayMs = 86_400_000;
/** Where a zone changes, the hour may begin or end this much beside where either offset puts it. */
const marginMs = 3 * windowMs;
/** A zone that skips a whole date (Samoa, 2011) or the hour in it; never two nights in a row. */
const mostNightsWithout = 4;
const drawBytes = 6;

/** Where the zone's offsets of the day before and of the day after put 01:00. */
function whereToLook(localDate: string, toLocalTime: ToLocalTime) {
  const asUtcMs = Date.parse(`${localDate}T01:00:00Z`);
  if (Number.isNaN(asUtcMs)) throw new TypeError(`${localDate} is no date`);
  const before = toLocalTime(asUtcMs - dayMs).utcOffsetMinutes;
  const after = toLocalTime(asUtcMs + dayMs).utcOffsetMinutes;
  return {
    fromMs: asUtcMs - Math.max(before, after) * minuteMs,
    untilMs: asUtcMs - Math.min(before, after) * minuteMs,
    changes: before !== after,
  };
}

function firstMinute(
  fromMs: number,
  beforeMs: number,
  isSo: (atMs: number) => boolean,
): number | undefined {
  for (let atMs = fromMs; atMs < beforeMs; atMs += minuteMs) if (isSo(atMs)) return atMs;
  return undefined;
}

function addDays(localDate: string, days: number): string {
  return new Date(Date.parse(localDate) + days * dayMs).toISOString().slice(0, 10);
}
