import { failureReasons } from '../../agent/ueip/attempt.ts';
import { columnOfReason, timedStages } from './fleet-database.ts';

/** What is compared between doors: a share of attempts, or a mean time. Columns are those of door_day. */
export type Measure = {
  readonly name: string;
  readonly kind: 'share' | 'time';
  /** Divided by one another, they are the measure. */
  readonly sum: string;
  readonly count: string;
};

export const shares: readonly Measure[] = failureReasons.map((name) => ({
  name,
  kind: 'share',
  sum: columnOfReason(name),
  count: 'attempts',
}));

export const times: readonly Measure[] = timedStages.map((name) => ({
  name,
  kind: 'time',
  sum: `${name}_sum`,
  count: `${name}_count`,
}));

/** What is smaller is no fault that anybody would look for, however certain it is: shares are of 1. */
export function isWorthTelling({ kind }: Measure, difference: number, usual: number): boolean {
  return kind === 'share' ? difference >= 0.01 : difference >= Math.max(10, 0.1 * usual);
}
