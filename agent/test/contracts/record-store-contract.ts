import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { NewRecord, RecordStore, StoredRecord } from '../../ports.ts';
import { someRecord, someRecords } from '../fakes/some-record.ts';

/** What every record store does. `open` gives an empty one each time, with room for 100 records. */
export function recordStoreContract(open: () => RecordStore): void {
  let store: RecordStore;
  beforeEach(() => {
    store = open();
  });
  afterEach(() => store.close());

  test('a new store has nothing in it', () => {
    expect(store.oldest(10)).toEqual([]);
    expect(store.purge(() => true)).toBe(0);
    expect(store.runDays.read()).toBe(0);
    expect(store.counts()).toMatchObject({
      records: 0,
      oldestWallMs: null,
      evicted: 0,
      unreadable: 0,
    });
    expect(store.append([])).toEqual({ evicted: 0 });
  });

  test('records come back as they were given, the oldest first', () => {
    const given = someRecords(30);
    expect(store.append(given.slice(0, 20))).toEqual({ evicted: 0 });
    store.append(given.slice(20));
    expect(store.oldest(100).map(plain)).toEqual(given.map(plain));
    expect(store.oldest(3).map(plain)).toEqual(given.slice(0, 3).map(plain));
    expect(store.oldest(0)).toEqual([]);
    expect(store.counts()).toMatchObject({
      records: 30,
      oldestWallMs: given[0]?.collected.wallMs,
    });
  });

  test('all that decides about a record comes back too, whatever the values', () => {
    const stamps = fc.record({
      epoch: fc.integer({ min: 1, max: 2 ** 31 }),
      policyVersion: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
      wallMs: fc.integer({ min: -8.64e15, max: 8.64e15 }),
      clockTrusted: fc.boolean(),
      runDay: fc.double({ min: 0, max: 1e8, noNaN: true }),
      line: fc.uint8Array({ minLength: 1, maxLength: 3000 }),
    });
    const run = ({
      epoch,
      policyVersion,
      line,
      ...collected
    }: typeof stamps extends fc.Arbitrary<infer T> ? T : never) => {
      const record: NewRecord = { epoch, policyVersion, collected, line };
      store.append([record]);
      const [found] = store.oldest(1);
      expect(found && plain(found)).toEqual(plain(record));
      store.forget(ids(store));
    };
    fc.assert(fc.property(stamps, run), { numRuns: 60 });
  });

  test('ids grow, and none is used again, not even that of the newest record', () => {
    store.append(someRecords(3));
    const first = ids(store);
    expect(first).toEqual(first.toSorted((a, b) => a - b));
    store.forget(first);
    store.append(someRecords(1));
    expect(Math.min(...ids(store))).toBeGreaterThan(Math.max(...first));
  });

  test('what is forgotten is gone, the others stay; ids that are not there are no fault', () => {
    store.append(someRecords(10));
    const all = ids(store);
    store.forget(all.filter((_, n) => n % 2 === 0));
    expect(ids(store)).toEqual(all.filter((_, n) => n % 2 === 1));
    store.forget([...all, -5, 2 ** 40]);
    store.forget([]);
    expect(ids(store)).toEqual([]);
  });

  test('S0-13 what is too old is gone, judged by its stamps alone', () => {
    store.append(someRecords(10).map((record, n) => ({ ...record, ...stamped(n) })));
    const seen: number[] = [];
    const purged = store.purge(({ runDay }) => {
      seen.push(runDay);
      return runDay % 3 === 0;
    });
    expect(purged).toBe(4);
    expect(seen.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(store.oldest(10).map(({ collected }) => collected.runDay)).toEqual([1, 2, 4, 5, 7, 8]);
  });

  test('S0-7 beyond the limit the oldest give way, and are counted', () => {
    store.append(someRecords(90));
    expect(store.append(someRecords(25, 90))).toEqual({ evicted: 15 });
    expect(store.oldest(200).map(plain)).toEqual(someRecords(100, 15).map(plain));
    expect(store.append(someRecords(130, 200))).toEqual({ evicted: 130 });
    expect(store.oldest(200).map(plain)).toEqual(someRecords(100, 230).map(plain));
    expect(store.counts()).toMatchObject({ records: 100, evicted: 145 });
  });

  test('the count of days is kept', () => {
    store.runDays.write(20_000.25);
    expect(store.runDays.read()).toBe(20_000.25);
    store.runDays.write(20_000.26);
    expect(store.runDays.read()).toBe(20_000.26);
  });

  test('the lines that were given can be changed afterwards', () => {
    const record = someRecord(1);
    const line = record.line.slice();
    store.append([record]);
    record.line.fill(0);
    expect(store.oldest(1)[0]?.line).toEqual(line);
    store.oldest(1)[0]?.line.fill(0);
    expect(store.oldest(1)[0]?.line).toEqual(line);
  });

  test('after any run of appending, forgetting and purging it holds what it should', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('append'), n: fc.integer({ min: 0, max: 40 }) }),
      fc.record({ kind: fc.constant('forget'), n: fc.integer({ min: 0, max: 40 }) }),
      fc.record({ kind: fc.constant('purge'), n: fc.integer({ min: 0, max: 40 }) }),
    );
    let next = 0;
    const run = (steps: readonly { kind: string; n: number }[]) => {
      store.purge(() => true);
      let expected: { n: number; record: NewRecord }[] = [];
      for (const { kind, n } of steps) {
        if (kind === 'append') {
          const added = Array.from({ length: n }, () => {
            const record = { ...someRecord(next), ...stamped(next) };
            return { n: next++, record };
          });
          store.append(added.map(({ record }) => record));
          expected = [...expected, ...added].slice(-100);
        } else if (kind === 'forget') {
          store.forget(ids(store).slice(0, n));
          expected = expected.slice(n);
        } else {
          store.purge(({ runDay }) => runDay < next - n);
          expected = expected.filter((each) => each.n >= next - n);
        }
        expect(store.counts().records).toBe(expected.length);
      }
      expect(store.oldest(200).map(plain)).toEqual(expected.map(({ record }) => plain(record)));
    };
    fc.assert(fc.property(fc.array(step, { maxLength: 8 }), run), { numRuns: 20 });
  });

  test('closed, it does nothing more; closing again is no fault', () => {
    store.append(someRecords(1));
    store.close();
    store.close();
    expect(() => store.append(someRecords(1))).toThrow(TypeError);
    expect(() => store.oldest(1)).toThrow(TypeError);
    expect(() => store.counts()).toThrow(TypeError);
  });
}

function ids(store: RecordStore): number[] {
  return store.oldest(1000).map(({ id }) => id);
}

function stamped(runDay: number) {
  return { collected: { wallMs: runDay * 86_400_000, clockTrusted: true, runDay } };
}

/** Without the id, and the line as a plain list: the kind of array it comes in does not matter. */
function plain({ id: _, ...record }: Omit<StoredRecord, 'id'> & { readonly id?: number }) {
  return { ...record, line: [...record.line] };
}
