/** A night by what the clock on the wall says, and by the days that the agent has counted itself. */
export type NightMark = {
  /** 'YYYY-MM-DD' */
  readonly localDate: string;
  /** Of `RecordStore.runDays`, with fractions. */
  readonly runDay: number;
};

/**
 * Whether this is another night than the last in which everything was sent. The same local date never is,
 * however often its hour comes. An earlier date is one only after most of a day by the agent's own count:
 * a clock that is set back brings no second pass, and one that once ran ahead by years does not stop
 * the passes until those years are over.
 *
 * 'unknown': date and count have both gone back, so neither says how long ago it was. To be
 * taken for the same night, and noted as the last: that costs one night, once.
 */
export function nightAfter(last: NightMark | null, now: NightMark): 'another' | 'same' | 'unknown' {
  if (last === null || now.localDate > last.localDate) return 'another';
  if (now.localDate === last.localDate) return 'same';
  if (now.runDay < last.runDay) return 'unknown';
  return now.runDay - last.runDay >= leastDays ? 'another' : 'same';
}

/** From the end of one window to the beginning of the next are 23 hours, 22 where clocks go forward. */
const leastDays = 20 / 24;
