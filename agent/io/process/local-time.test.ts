import { afterEach, describe, expect, test, vi } from 'vitest';
import { localTimeIn } from './local-time.ts';

const at = (iso: string) => Date.parse(iso);

describe('the clock on the wall of the house', () => {
  test.each([
    ['Europe/London', '2027-01-05T01:30:00Z', '2027-01-05', 1, 0],
    ['Europe/London', '2027-07-05T23:59:59.999Z', '2027-07-06', 0, 60],
    ['Asia/Kathmandu', '2027-01-05T00:00:00Z', '2027-01-05', 5, 345],
    ['America/St_Johns', '2027-01-05T03:29:59Z', '2027-01-04', 23, -210],
    ['Pacific/Kiritimati', '2027-01-05T10:00:00Z', '2027-01-06', 0, 840],
    ['Australia/Lord_Howe', '2027-01-05T00:00:00Z', '2027-01-05', 11, 660],
    ['UTC', '1970-01-01T00:00:00Z', '1970-01-01', 0, 0],
    ['UTC', '1969-12-31T23:59:59.999Z', '1969-12-31', 23, 0],
    ['UTC', '0999-06-01T12:00:00Z', '0999-06-01', 12, 0],
  ])('in %s at %s it is %s, hour %i', (zone, iso, date, hour, utcOffsetMinutes) => {
    expect(localTimeIn(zone)(at(iso))).toEqual({ date, hour, utcOffsetMinutes });
  });

  test('the hour that is there twice differs by its offset', () => {
    const local = localTimeIn('America/New_York');
    expect(local(at('2027-11-07T05:30:00Z'))).toMatchObject({ hour: 1, utcOffsetMinutes: -240 });
    expect(local(at('2027-11-07T06:30:00Z'))).toMatchObject({ hour: 1, utcOffsetMinutes: -300 });
  });

  test('a zone that does not exist is a fault of the settings, and named', () => {
    expect(() => localTimeIn('Mars/Olympus')).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: 'device.timeZone: there is no time zone Mars/Olympus',
      }),
    );
  });
});

describe('the zone of the system', () => {
  afterEach(() => vi.unstubAllEnvs());

  test.each([
    ['Asia/Tokyo', 540],
    [':Asia/Tokyo', 540],
    ['', undefined],
    ['no such zone', undefined],
  ])('TZ=%s', (named, offset) => {
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
    const now = at('2027-07-05T12:34:56Z');
    const otherwise = localTimeIn(timeZone)(now).utcOffsetMinutes;
    const local = localTimeIn(null);
    vi.stubEnv('TZ', named);
    expect(local(now).utcOffsetMinutes).toBe(offset ?? otherwise);
  });

  test('is the one that the runtime has found, unless somebody has changed it', () => {
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
    const now = at('2027-07-05T12:34:56Z');
    expect(localTimeIn(null)(now)).toEqual(localTimeIn(timeZone)(now));
  });

  test('S0-11 a change of it is followed while the agent runs', () => {
    let zone = 'Europe/London';
    const local = localTimeIn(null, () => zone);
    const now = at('2027-01-05T00:30:00Z');
    expect(local(now).hour).toBe(0);
    zone = 'Europe/Berlin';
    expect(local(now).hour).toBe(1);
    zone = 'Europe/London';
    expect(local(now).hour).toBe(0);
  });
});
