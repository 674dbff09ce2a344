import { realpathSync } from 'node:fs';
import { AgentError } from '../../errors.ts';
import type { ToLocalTime } from '../../ueip/attempt.ts';

/**
 * The clock on the wall of the house, in this IANA zone; null: in the system's, and a change of that is
 * followed while the agent runs. Some 5 µs a call on a desktop.
 * CONFIG_INVALID: there is no such zone.
 */
export function localTimeIn(zone: string | null, systemZone = findSystemZone): ToLocalTime {
  if (zone !== null) {
    const format = formatFor(zone);
    return (wallMs) => localTime(wallMs, format);
  }
  let known = systemZone();
  let format = formatFor(known);
  return (wallMs) => {
    const present = systemZone();
    if (present !== known) {
      format = formatFor(present);
      known = present;
    }
    return localTime(wallMs, format);
  };
}

/**
 * Asked of the file system each time, because the runtime looks only when it starts, and again when
 * `process.env.TZ` is written, which does nothing in a worker thread. Where the link does not name a
 * zone, what the runtime found stands.
 */
function findSystemZone(): string {
  const named = process.env['TZ']?.replace(/^:/, '') || zoneOfLink();
  return named !== undefined && isZone(named)
    ? named
    : Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** '/usr/share/zoneinfo/Europe/London' -> 'Europe/London' */
function zoneOfLink(): string | undefined {
  try {
    return /\/zoneinfo\/(?:posix\/|right\/)?(.+)$/.exec(realpathSync.native('/etc/localtime'))?.[1];
  } catch {
    // No such file: a system without a zone is one in UTC, as the runtime has it.
    return undefined;
  }
}

const lookedUp = new Map<string, boolean>();

function isZone(name: string): boolean {
  const known = lookedUp.get(name) ?? hasFormat(name);
  lookedUp.set(name, known);
  return known;
}

function hasFormat(zone: string): boolean {
  try {
    formatFor(zone);
    return true;
  } catch {
    return false;
  }
}

function formatFor(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en', {
      timeZone,
      calendar: 'iso8601',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
  } catch (cause) {
    throw new AgentError('CONFIG_INVALID', `device.timeZone: there is no time zone ${timeZone}`, {
      cause,
    });
  }
}

function localTime(wallMs: number, format: Intl.DateTimeFormat) {
  const parts: Partial<Record<Intl.DateTimeFormatPartTypes, string>> = {};
  for (const { type, value } of format.formatToParts(wallMs)) parts[type] = value;
  const { year = '', month = '', day = '', hour = '', minute = '', second = '' } = parts;
  const date = `${year.padStart(4, '0')}-${month}-${day}`;
  const asUtcMs = Date.parse(`${date}T${hour}:${minute}:${second}Z`);
  const utcOffsetMinutes = Math.round((asUtcMs - Math.floor(wallMs / 1000) * 1000) / 60_000);
  return { date, hour: Number(hour), utcOffsetMinutes };
}
