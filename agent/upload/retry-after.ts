import type { Headers } from './cloud-port.ts';

/**
 * How long the other side wants to be left alone, in milliseconds; 0: it does not say, or not so that
 * it could be understood. The longer of `Retry-After` (RFC 9110, section 10.2.3: seconds, or a date, which is
 * reckoned from the date of the same answer, since the device's clock may differ) and OSS's
 * `x-oss-qos-delay-time` (milliseconds). At most a day: what it says beyond that, tomorrow's answer will say.
 */
export function retryAfterMs({ headers }: { readonly headers: Headers }, nowMs: number): number {
  const date = httpDateMs(headers['date']) ?? nowMs;
  const asked = Math.max(
    delayMs(headers['retry-after'], 1000),
    (httpDateMs(headers['retry-after']) ?? 0) - date,
    delayMs(headers['x-oss-qos-delay-time'], 1),
  );
  return Math.min(Math.max(asked, 0), longestMs);
}

/** 'Sun, 06 Nov 1994 08:49:37 GMT', the one form that is sent today (RFC 9110, section 5.6.7). */
export function httpDateMs(value: string | undefined): number | undefined {
  if (value === undefined || !fixdate.test(value)) return undefined;
  const dateMs = Date.parse(value);
  return Number.isNaN(dateMs) ? undefined : dateMs;
}

/** Whole numbers only: '-5', '1.5', '1e12' and ' 3 apples' say nothing. */
function delayMs(value: string | undefined, unitMs: number): number {
  return value !== undefined && /^\d{1,30}$/.test(value) ? Number(value) * unitMs : 0;
}

const fixdate =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d{2}:\d{2}:\d{2} GMT$/;
const longestMs = 86_400_000;
