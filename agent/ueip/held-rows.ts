import type { AttemptRow } from './attempt-rows.ts';
import { type RandomBytes, shuffled } from './random.ts';

/** Rows wait here, in memory, until their hour is over. */
export type HeldRows = {
  /** Where there is no room, the oldest row goes. */
  hold(row: AttemptRow): void;
  /** Takes out the rows of all hours but this one, in random order. Without an hour: all rows. */
  take(butOfHour?: string): AttemptRow[];
  /** Zeroes and forgets all rows. */
  wipe(): void;
  readonly dropped: number;
};

export const maxHeldRows = 1024;

/** Nothing of an hour is on flash before the hour is over: what a crash or a power cut takes is at most that hour. */
export function createHeldRows(random: RandomBytes): HeldRows {
  let rows: AttemptRow[] = [];
  let dropped = 0;
  return {
    hold(row) {
      rows.push(row);
      if (rows.length <= maxHeldRows) return;
      forget(rows.shift());
      dropped += 1;
    },
    take(butOfHour) {
      const due = rows.filter(({ hour }) => hour !== butOfHour);
      rows = rows.filter(({ hour }) => hour === butOfHour);
      return shuffled(due, random);
    },
    wipe() {
      rows.forEach(forget);
      rows = [];
    },
    get dropped() {
      return dropped;
    },
  };
}

function forget(row: AttemptRow | undefined): void {
  if (row?.kind === 'code') row.code?.fill(0);
  if (row?.kind === 'visitor') row.visitor?.fill(0);
}
