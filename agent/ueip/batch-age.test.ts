import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openedDay, sealing, storedRecord } from '../test/fakes/stored-records.ts';
import { bucketSlackDays } from './age-class.ts';
import { sealBatch } from './batch.ts';
import { dayMs, monthEndsAtMs } from './month.ts';

describe('S0-14 S0-32 age on the device and age in the bucket together stay within a month', () => {
  const age = fc.noBias(fc.integer({ min: 0, max: 32 * 1440 })).map((minutes) => minutes / 1440);
  const collectedAt = fc.integer({ min: Date.UTC(2027, 0), max: Date.UTC(2029, 0) });

  test('whatever the age, sent at the last moment, deleted as late as a bucket may', () => {
    const classes = new Set<number>();
    fc.assert(
      fc.property(
        collectedAt,
        fc.array(age, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 0, max: 3 * dayMs }),
        (wallMs, ages, sentWithinMs) => {
          const nowMs = wallMs + 32 * dayMs;
          const records = ages.map((days, id) => {
            const ms = nowMs - days * dayMs;
            return storedRecord(id, {
              collected: { wallMs: ms, clockTrusted: true, runDay: ms / dayMs },
            });
          });
          const now = { wallMs: nowMs, clockTrusted: true, runDay: nowMs / dayMs };
          const { batch, unsendable } = sealBatch(records, { ...sealing, now, sentWithinMs });
          for (const { id, why } of unsendable) {
            expect(why).toBe('expiring');
            const collectedMs = records[id]?.collected.wallMs ?? 0;
            // Not kept back while a bucket could still take it.
            expect(monthEndsAtMs(collectedMs)).toBeLessThan(
              nowMs + sentWithinMs + (bucketSlackDays + 1) * dayMs,
            );
          }
          if (!batch) return;
          classes.add(batch.ttlDays);
          expect(batch.sendByMs).toBeGreaterThanOrEqual(Math.floor(nowMs + sentWithinMs));
          expect(batch.ttlDays).toBeGreaterThanOrEqual(1);
          const deletedByMs = batch.sendByMs + (batch.ttlDays + bucketSlackDays) * dayMs;
          for (const id of batch.ids) {
            expect(deletedByMs).toBeLessThanOrEqual(
              monthEndsAtMs(records[id]?.collected.wallMs ?? 0) + 1,
            );
          }
        },
      ),
      { numRuns: 400 },
    );
    expect(classes.size).toBeGreaterThan(20);
  });

  test('what has no date that is believed is aged by the count of days, and gets the shortest month', () => {
    const collected = { wallMs: 0, clockTrusted: false, runDay: openedDay - 10 };
    // 28 days less two hours; ten days and eighteen hours are gone, and an hour to send it in.
    expect(sealBatch([storedRecord(1, { collected })], sealing).batch?.ttlDays).toBe(17 - 2);
  });
});
