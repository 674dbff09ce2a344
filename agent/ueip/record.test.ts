import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inPackage } from '../io/files/package-root.ts';
import { anonymised, builds, covered, openedAtMs } from '../test/fakes/anonymised.ts';
import { type Attempt, failureReasons } from './attempt.ts';
import { attemptFields, dayFields, type RecordFields } from './fields.ts';
import { parseLine } from './line.ts';
import { dayMs } from './month.ts';
import { recordFrom, serialise, storable, type UeipRecord, underNotice } from './record.ts';

const hourMs = 3_600_000;
const records = (...given: Parameters<typeof anonymised>) =>
  anonymised(...given).map((each) => recordFrom(each, builds, covered));
const lineText = (record: UeipRecord) => new TextDecoder().decode(serialise(record));

/** One of every form. A change here is a change for whoever reads the bucket: then the schema has a new name. */
const forms = [
  ...records('code24', [
    {
      face: 0,
      result: 'success',
      reason: null,
      overheadMs: 512,
      stagesMs: { detect: 31, quality: 4, pad: 88, embed: 301, search: 6, total: 512 },
    },
    { face: 1, at: { wallMs: openedAtMs + 2 * hourMs, monotonicMs: 90_000, clockTrusted: false } },
    {
      reason: 'camera-lost',
      overheadMs: 0,
      stagesMs: { total: 0 },
      at: { wallMs: openedAtMs + 4 * hourMs, monotonicMs: 100_000 },
    },
  ]),
  ...records('code16', [{ face: 2, reason: 'ambiguous' }]),
  ...records('visitor-token', [{ face: 3, reason: 'low-quality' }]),
  ...records('counters', [{ face: 4 }]),
];

test('the lines are those of the golden file, byte for byte', () => {
  const golden = readFileSync(inPackage('fixtures/ueip/records.jsonl'), 'utf8');
  expect(`${forms.map(lineText).sort().join('\n')}\n`, 'the format has changed').toBe(golden);
});

describe('S0-3 a record has the fields of the table, in its order, and no others', () => {
  test.each(forms.map((record) => [record.fields.kind, record] as const))('%s', (kind, record) => {
    const table = kind === 'attempt' ? attemptFields : dayFields;
    expect(Object.keys(JSON.parse(lineText(record)))).toEqual(Object.keys(table));
    expect(parseLine(serialise(record))).toEqual({ kind: 'record', fields: record.fields });
  });

  test('S0-23 whatever the door knew of a person or of itself', () => {
    const known = fc.record({
      residentId: fc.constantFrom('res-ann-17', 'r0'),
      name: fc.constantFrom('Ann Marker', "Zoë O'Door"),
      phone: fc.constantFrom('+49 89 1234567'),
      mail: fc.constantFrom('ann@example.org'),
      mac: fc.constantFrom('02:42:ac:12:00:03'),
      serial: fc.constantFrom('SN-0042-XYZ'),
      host: fc.constantFrom('intercom-flat-3'),
      message: fc.constantFrom('ENOENT: /home/ann/face.jpg'),
    });
    fc.assert(
      fc.property(known, fc.boolean(), (facts, success) => {
        const outcome = success ? ({ result: 'success', reason: null } as const) : {};
        const lines = records('code24', [{ face: 1, ...outcome, ...facts }]).map(lineText);
        expect(lines).toHaveLength(1);
        for (const fact of Object.values(facts)) {
          for (const line of lines) expect(line).not.toContain(fact);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('S0-16 a record is made of what went through the anonymiser, in one place', () => {
  const [attempt] = anonymised('code24', [{ face: 1 }]);
  const [record] = forms;
  if (!attempt || !record) throw new Error('there is no record');

  test('neither compiler nor process takes anything else', () => {
    const { fields } = attempt;
    // @ts-expect-error: the right fields are not enough
    expect(() => recordFrom(fields, builds, covered)).toThrow(TypeError);
    // @ts-expect-error: a look-alike is not one
    expect(() => recordFrom({ fields }, builds, covered)).toThrow(TypeError);
    // @ts-expect-error: the fields of a record are not one
    expect(() => serialise(record.fields)).toThrow(TypeError);
    // @ts-expect-error: nor is a copy
    expect(() => serialise({ ...record })).toThrow(TypeError);
    expect(() => serialise(Object.create(record))).toThrow(TypeError);
  });

  test('nothing can be added to or exchanged in it afterwards', () => {
    expect(() => Object.assign(record.fields, { residentId: 'ann' })).toThrow(TypeError);
    expect(() => Object.assign(record.fields, { reason: 'ann' })).toThrow(TypeError);
  });

  test('free text is taken neither as a field nor in one', () => {
    // @ts-expect-error: a word that is not one of the list
    const worded: Pick<RecordFields, 'purpose'> = { purpose: 'finding Ann' };
    // @ts-expect-error: a string is no digits
    const digits: Pick<RecordFields, 'detection_model'> = { detection_model: 'Ann' };
    // @ts-expect-error: there is no such field
    const named: Partial<RecordFields> = { name: 'Ann' };
    for (const wrong of [digits, named]) {
      const refused = () => recordFrom(attempt, { ...builds, ...wrong }, covered);
      expect(refused).toThrow(TypeError);
      expect(refused).not.toThrow(/Ann/);
    }
    const more = { ...builds, ...worded, policy_version: 'Ann' };
    const kept = recordFrom(attempt, more, covered);
    expect(kept.fields).toEqual(recordFrom(attempt, builds, covered).fields);
  });

  test('nothing but a grant makes a record, and only under a notice that covers its fields', () => {
    // @ts-expect-error: withdrawn is not covered
    expect(() => recordFrom(attempt, builds, { kind: 'not-covered', why: 'withdrawn' })).toThrow(
      /inside a grant/,
    );
    const under = (policyVersion: string) =>
      recordFrom(attempt, builds, { ...covered, grant: { ...covered.grant, policyVersion } });
    expect(under('2027-01').fields.policy_version).toBe('2027-01');
    expect(() => under('2026-10')).toThrow(/schema is not/);
    expect(() => under('the notice Ann read')).toThrow(/made of digits/);
  });
});

test('a field that came after the notice stays empty, or forbids the record where it cannot', () => {
  const { overhead_ms, pad_ms } = attemptFields;
  const later = { overhead_ms, pad_ms: { ...pad_ms, since: '2027-02' } };
  const values = { overhead_ms: 10, pad_ms: 20 };
  expect(underNotice(later, values, '2027-01')).toEqual({ overhead_ms: 10, pad_ms: null });
  expect(underNotice(later, values, '2027-02')).toEqual(values);
  expect(underNotice(later, values, '2027-10')).toEqual(values);
  const needed = { overhead_ms: { ...overhead_ms, since: '2027-02' } };
  expect(() => underNotice(needed, { overhead_ms: 10 }, '2027-01')).toThrow(/overhead_ms is not/);
  const broken = { pad_ms: { ...pad_ms, since: 'some day' } };
  expect(underNotice(broken, { pad_ms: 20 }, '2027-01')).toEqual({ pad_ms: null });
});

test('S0-19 every attempt is one record, failures and those without a face too', () => {
  const outcome = fc.constantFrom<Pick<Attempt, 'result' | 'reason'>>(
    { result: 'success', reason: null },
    ...failureReasons.map((reason) => ({ result: 'failure', reason }) as const),
  );
  const attempt = fc.record({ outcome, hasFace: fc.boolean() });
  fc.assert(
    fc.property(fc.array(attempt, { maxLength: 60 }), (attempts) => {
      const tries = attempts.map(({ outcome, hasFace }) => ({
        ...outcome,
        ...(hasFace ? { face: 1 } : {}),
      }));
      const told = records('code24', tries).map(({ fields }) =>
        fields.kind === 'attempt' ? `${fields.result} ${fields.reason}` : fields.kind,
      );
      const seen = tries.map(({ result, reason }) => `${result} ${reason}`);
      expect(told.sort()).toEqual(seen.sort());
    }),
    { numRuns: 50 },
  );
});

test('S0-20 durations are within half a step of the truth, whatever the wall clock did meanwhile', () => {
  const elapsed = fc.double({ min: 0, max: 9_000, noNaN: true });
  fc.assert(
    fc.property(
      elapsed,
      elapsed,
      fc.integer({ min: -1e12, max: 1e12 }),
      (overheadMs, embed, jumpMs) => {
        const [record] = records('code24', [
          {
            overheadMs,
            stagesMs: { embed, total: overheadMs },
            at: { wallMs: openedAtMs + jumpMs },
          },
        ]);
        if (record?.fields.kind !== 'attempt') throw new Error('there is no record');
        expect(Math.abs(record.fields.overhead_ms - overheadMs)).toBeLessThanOrEqual(5);
        expect(Math.abs((record.fields.embed_ms ?? -100) - embed)).toBeLessThanOrEqual(5);
        expect(record.fields.detect_ms).toBeNull();
      },
    ),
    { numRuns: 100 },
  );
});

test('S0-21 the record bears the hour that the clock of the house showed, its offset, and whether it was confirmed', () => {
  const [record] = records('code24', [
    { at: { wallMs: Date.UTC(2031, 10, 5, 3, 44, 55), clockTrusted: false } },
  ]);
  expect(record?.fields).toMatchObject({ hour: '2031-11-05T05:00+02:00', clock_trusted: false });
});

describe('S0-22 nothing that is stored beside a record says more about its time than it does', () => {
  const at = (minutes: number) => ({ at: { wallMs: openedAtMs + minutes * 60_000 + 12_345 } });

  test('its date is when its hour began, and its count of days begins no later', () => {
    const stored = records('code24', [at(0), at(17), at(59)]).map((record) =>
      storable(record, 20_880.5),
    );
    expect(stored.map(({ collected }) => collected)).toEqual(
      Array(3).fill({ wallMs: openedAtMs, clockTrusted: true, runDay: 20_880.5 - 61 / (24 * 60) }),
    );
    for (const { epoch, policyVersion } of stored) {
      expect({ epoch, policyVersion }).toEqual({ epoch: 3, policyVersion: '2026-11' });
    }
  });

  test('a day began where on Earth it begins first, and was held for all of it', () => {
    const [record] = records('counters', [{ face: 1 }]);
    if (!record) throw new Error('there is no record');
    expect(storable(record, 20_880.5).collected).toEqual({
      wallMs: Date.UTC(2027, 1, 28, 10),
      clockTrusted: true,
      runDay: 20_880.5 - (26 * hourMs + 60_000) / dayMs,
    });
    expect(storable(record, 0.5).collected.runDay).toBe(0);
  });

  test('the bytes that are stored are those that are sent', () => {
    const [record] = forms;
    if (!record) throw new Error('there is no record');
    expect(storable(record, 1).line).toEqual(serialise(record));
  });
});

test('S0-40 S3-14 a failure of the camera or a model is told by a word, and by no message', () => {
  const reasons = ['camera-lost', 'model-failed', 'no-face', 'low-quality'] as const;
  const told = records(
    'code24',
    reasons.map((reason) => ({ reason })),
  );
  expect(told.map(({ fields }) => fields.kind === 'attempt' && fields.reason).sort()).toEqual(
    [...reasons].sort(),
  );
  const texts = fc
    .string({ minLength: 1 })
    .filter((text) => !failureReasons.some((r) => r === text));
  fc.assert(
    fc.property(texts, (text) => {
      const attempt: object = { reason: text };
      expect(() => anonymised('code24', [attempt])).toThrow(TypeError);
    }),
  );
});
