import { describe, expect, test } from 'vitest';
import {
  batchOf,
  daysLater,
  granted,
  grantOf,
  installer,
  numbered,
  orderOf,
  programmeAfter,
  resident,
  start,
  today,
  uuid,
  withdrawal,
} from '../test/fakes/programmes.ts';
import {
  type Circumstances,
  coverage,
  isActorName,
  maySend,
  neverAsked,
  type Programme,
  policyInForce,
} from './consent.ts';
import { decide } from './decide.ts';
import { mostErasureTries } from './erasure-orders.ts';

const withdrawn = programmeAfter([withdrawal()], granted);
const left = programmeAfter([{ kind: 'wiped' }], withdrawn);
const from10 = { ...today, wallMs: daysLater(10) };

function regrant(circumstances: Circumstances = today, changes = {}) {
  return { circumstances, event: { kind: 'grant', grant: grantOf(changes) } as const };
}

describe('opting in', () => {
  test('S0-1 a device whose household was never asked covers nothing', () => {
    expect(coverage(neverAsked, today)).toEqual({ kind: 'not-covered', why: 'never-asked' });
  });

  test('S0-1 S0-33 a grant says who gave it, by which way, when, and to which text', () => {
    const by = installer;
    const programme = programmeAfter([{ kind: 'grant', grant: grantOf({ by }) }]);
    expect(programme).toEqual({
      sequence: 1,
      epoch: 1,
      consent: { state: 'granted', ...grantOf({ by }) },
      wipe: 'none',
      sent: [],
      orders: [],
    });
    expect(coverage(programme, today)).toEqual({
      kind: 'covered',
      epoch: 1,
      grant: programme.consent,
    });
  });

  test.each<[string, Programme, Partial<Circumstances>, object]>([
    ['do-not-track', neverAsked, { doNotTrack: true }, {}],
    ['wipe-due', withdrawn, {}, {}],
    ['region-missing', neverAsked, { region: null }, {}],
    ['other-region', neverAsked, {}, { region: 'cn-hangzhou' }],
    ['policy-unknown', neverAsked, {}, { policyVersion: '2025-01' }],
    ['policy-unknown', neverAsked, {}, { textSha256: 'a'.repeat(64) }],
    ['policy-unknown', neverAsked, { policies: [] }, {}],
    [
      'policy-not-in-force',
      neverAsked,
      {},
      { policyVersion: '2026-01', textSha256: 'a'.repeat(64) },
    ],
    [
      'policy-not-in-force',
      neverAsked,
      {},
      { policyVersion: '2027-01', textSha256: 'c'.repeat(64) },
    ],
    ['policy-not-in-force', neverAsked, { wallMs: 0 }, {}],
    ['already-granted', granted, {}, { consentId: uuid(2) }],
  ])('a grant is refused: %s', (why, programme, circumstances, changes) => {
    const { event } = regrant(today, changes);
    expect(decide(programme, { ...today, ...circumstances }, event)).toEqual({
      kind: 'refused',
      why,
    });
  });

  test('the policy in force is the newest that has taken effect', () => {
    expect(policyInForce(today)?.version).toBe('2026-11');
    expect(policyInForce(from10)?.version).toBe('2027-01');
    expect(policyInForce({ ...today, wallMs: daysLater(10) - 1 })?.version).toBe('2026-11');
    expect(policyInForce({ ...today, wallMs: 0 })).toBeUndefined();
  });

  test('S0-30 after an opt-out a new grant begins a new epoch, with nothing to erase', () => {
    const again = programmeAfter([{ kind: 'grant', grant: grantOf({ consentId: uuid(2) }) }], left);
    expect(again).toMatchObject({ epoch: 2, wipe: 'none', consent: { consentId: uuid(2) } });
    expect(coverage(again, today)).toMatchObject({ kind: 'covered', epoch: 2 });
  });

  test.each([1, 64])('an actor has a name of %i letters', (length) => {
    expect(isActorName('a'.repeat(length))).toBe(true);
  });

  test.each(['', 'a'.repeat(65), 'Ann', 'ann b', 'ann\n', 'änn'])(
    'no person is written down as the actor %j',
    (name) => {
      expect(isActorName(name)).toBe(false);
    },
  );
});

describe('a grant under way', () => {
  test('ends being covered with a policy that matters, on the minute', () => {
    expect(coverage(granted, { ...today, wallMs: daysLater(10) - 1 }).kind).toBe('covered');
    expect(coverage(granted, from10)).toEqual({ kind: 'not-covered', why: 'policy-outdated' });
  });

  test('stays covered with a policy that changes nothing that matters', () => {
    const earlier = { ...today, wallMs: daysLater(-100) };
    const grant = grantOf({ policyVersion: '2026-01', textSha256: 'a'.repeat(64) });
    const programme = programmeAfter([{ kind: 'grant', grant }], neverAsked, earlier);
    expect(coverage(programme, today).kind).toBe('covered');
  });

  test('is not covered where its text is not the one that is bundled', () => {
    const changed = today.policies.map((policy) => ({ ...policy, textSha256: 'd'.repeat(64) }));
    expect(coverage(granted, { ...today, policies: changed })).toMatchObject({
      why: 'policy-outdated',
    });
    const slight = changed.map((policy) => ({ ...policy, material: false }));
    expect(coverage(granted, { ...today, policies: slight })).toMatchObject({
      why: 'policy-outdated',
    });
  });

  test('is not covered in another region, without one, nor under DO_NOT_TRACK', () => {
    expect(coverage(granted, { ...today, region: 'cn-hangzhou' })).toMatchObject({
      why: 'region-changed',
    });
    expect(coverage(granted, { ...today, region: null })).toMatchObject({ why: 'region-changed' });
    expect(coverage(granted, { ...today, doNotTrack: true })).toMatchObject({
      why: 'do-not-track',
    });
  });

  test.each([
    ['a newer policy', regrant(from10, { policyVersion: '2027-01', textSha256: 'c'.repeat(64) })],
    ['another region', regrant({ ...today, region: 'cn-hangzhou' }, { region: 'cn-hangzhou' })],
  ])('under %s given anew, it covers nothing until what lies there is erased', (_, again) => {
    const event = { kind: 'grant', grant: { ...again.event.grant, consentId: uuid(2) } } as const;
    const renewed = programmeAfter([event], granted, again.circumstances);
    expect(renewed).toMatchObject({ sequence: 2, epoch: 2, wipe: 'due' });
    expect(coverage(renewed, again.circumstances)).toMatchObject({ why: 'wipe-due' });
    const wiped = programmeAfter([{ kind: 'wiped' }], renewed);
    expect(coverage(wiped, again.circumstances)).toMatchObject({ kind: 'covered', epoch: 2 });
    expect(maySend(wiped, again.circumstances, { epoch: 1, policyVersion: '2026-11' })).toEqual({
      kind: 'not-covered',
      why: 'other-epoch',
    });
  });

  test('S0-30 data of one grant are not sent under another', () => {
    const may = (epoch: number, policyVersion: string) =>
      maySend(granted, today, { epoch, policyVersion });
    expect(may(1, '2026-11')).toEqual(coverage(granted, today));
    expect(may(0, '2026-11')).toEqual({ kind: 'not-covered', why: 'other-epoch' });
    expect(may(1, '2026-01')).toEqual({ kind: 'not-covered', why: 'other-policy' });
    expect(maySend(withdrawn, today, { epoch: 1, policyVersion: '2026-11' })).toMatchObject({
      why: 'wipe-due',
    });
  });
});

describe('opting out', () => {
  const sent = programmeAfter(
    [
      { kind: 'sending', batch: batchOf() },
      { kind: 'stored', batchId: 'batch-1', objectKey: 'a/1' },
      { kind: 'sending', batch: batchOf({ batchId: 'batch-2' }) },
    ],
    granted,
  );

  test.each<[string, Programme, Partial<Circumstances>]>([
    ['was never asked', neverAsked, {}],
    ['takes part', granted, {}],
    ['takes part under an outdated policy', granted, { wallMs: daysLater(10) }],
    ['takes part, with DO_NOT_TRACK', granted, { doNotTrack: true }],
    ['has sent something', sent, {}],
    ['is about to be erased', withdrawn, {}],
    ['has left', left, {}],
  ])(
    'S0-26 works for a household that %s, and everything is to be erased',
    (_, before, changes) => {
      const decided = decide(before, { ...today, ...changes }, withdrawal());
      expect(decided).toEqual({
        kind: 'changed',
        programme: {
          ...before,
          sequence: before.sequence + 1,
          consent: { state: 'withdrawn', by: resident, at: withdrawal().at },
          wipe: 'due',
        },
      });
    },
  );

  test('a second one keeps the date of the first', () => {
    const later = { ...withdrawal(), by: installer, at: { wallMs: daysLater(3), monotonicMs: 1 } };
    expect(programmeAfter([later], left).consent).toEqual(withdrawn.consent);
  });

  test('S0-30 afterwards nothing may be recorded or sent', () => {
    expect(coverage(withdrawn, today)).toMatchObject({ why: 'wipe-due' });
    expect(coverage(left, today)).toMatchObject({ why: 'withdrawn' });
    expect(decide(left, today, { kind: 'sending', batch: batchOf() })).toEqual({
      kind: 'refused',
      why: 'withdrawn',
    });
  });

  test('S0-31 the cloud is asked to erase only if that is wanted', () => {
    expect(programmeAfter([withdrawal()], sent).orders).toEqual([]);
  });

  test('the order is for what was stored and for what perhaps was', () => {
    expect(programmeAfter([withdrawal(numbered())], sent).orders).toEqual([
      orderOf({ objectKeys: ['a/1'], requestedAtMs: daysLater(1) }),
    ]);
  });

  test('the order is for earlier grants too, one each', () => {
    const again = programmeAfter(
      [
        withdrawal(),
        { kind: 'wiped' },
        { kind: 'grant', grant: grantOf({ consentId: uuid(2) }) },
        {
          kind: 'sending',
          batch: batchOf({ batchId: 'batch-3', epoch: 2, consentId: uuid(2), objectKey: 'b/3' }),
        },
      ],
      sent,
    );
    const { orders } = programmeAfter([withdrawal(numbered())], again);
    expect(orders.map(({ consentId, objectKeys }) => [consentId, objectKeys])).toEqual([
      [uuid(1), ['a/1']],
      [uuid(2), ['b/3']],
    ]);
    expect(orders.map(({ erasureId }) => erasureId)).toEqual(['order-1', 'order-2']);
  });

  test('the order may follow later, and is not given twice', () => {
    const event = { kind: 'order-erasure', newId: numbered(), atMs: daysLater(5) } as const;
    const gone = programmeAfter([withdrawal(), { kind: 'wiped' }], sent);
    const ordered = programmeAfter([event], gone);
    expect(ordered.orders).toMatchObject([{ erasureId: 'order-1', requestedAtMs: daysLater(5) }]);
    expect(decide(ordered, today, event)).toEqual({ kind: 'unchanged' });
    expect(programmeAfter([withdrawal(numbered())], ordered).orders).toEqual(ordered.orders);
    expect(decide(left, today, event)).toEqual({ kind: 'unchanged' });
  });

  test('a receipt that comes too late revives nothing and tells the order what to erase', () => {
    const ordered = programmeAfter([withdrawal(numbered())], sent);
    const late = programmeAfter(
      [{ kind: 'stored', batchId: 'batch-2', objectKey: 'a/2' }],
      ordered,
    );
    expect(late.sent[1]).toMatchObject({ state: 'stored', objectKey: 'a/2' });
    expect(late.orders).toEqual(
      ordered.orders.map((order) => ({ ...order, objectKeys: ['a/1', 'a/2'] })),
    );
    expect([late.consent, late.wipe]).toEqual([ordered.consent, 'due']);
  });

  test('a receipt that comes too late concerns the order of its own grant alone', () => {
    const other = orderOf({ erasureId: 'order-9', consentId: uuid(9) });
    const ordered = programmeAfter([withdrawal(numbered())], sent);
    const late = programmeAfter([{ kind: 'stored', batchId: 'batch-2', objectKey: 'a/2' }], {
      ...ordered,
      orders: [other, ...ordered.orders],
    });
    expect(late.orders.map(({ objectKeys }) => objectKeys)).toEqual([[], ['a/1', 'a/2']]);
  });

  test('the erasure is finished once', () => {
    expect(left).toEqual({ ...withdrawn, sequence: withdrawn.sequence + 1, wipe: 'none' });
    expect(decide(left, today, { kind: 'wiped' })).toEqual({ kind: 'unchanged' });
  });
});

describe('sending', () => {
  test.each<[string, Partial<Circumstances>, object]>([
    ['other-epoch', {}, { epoch: 2 }],
    ['other-epoch', {}, { consentId: uuid(7) }],
    ['other-region', {}, { region: 'cn-hangzhou' }],
    ['kept-too-long', {}, { expiresAtMs: daysLater(31) + 1 }],
    ['policy-outdated', { wallMs: daysLater(10) }, {}],
    ['region-changed', { region: null }, {}],
  ])('is refused: %s', (why, circumstances, changes) => {
    const event = { kind: 'sending', batch: batchOf(changes) } as const;
    expect(decide(granted, { ...today, ...circumstances }, event)).toEqual({
      kind: 'refused',
      why,
    });
  });

  const marked = programmeAfter([{ kind: 'sending', batch: batchOf() }], granted);

  test('is written down as perhaps sent', () => {
    expect(marked.sent).toEqual([{ ...batchOf(), state: 'maybe' }]);
    expect(marked.sequence).toBe(2);
  });

  test('the longest month is not too long', () => {
    const event = { kind: 'sending', batch: batchOf({ expiresAtMs: daysLater(31) }) } as const;
    expect(decide(granted, today, event).kind).toBe('changed');
  });

  test('once more, it needs no second entry', () => {
    const again = (changes = {}) => ({ kind: 'sending', batch: batchOf(changes) }) as const;
    expect(decide(marked, today, again())).toEqual({ kind: 'unchanged' });
    expect(decide(marked, today, again({ expiresAtMs: start }))).toEqual({ kind: 'unchanged' });
    const named = programmeAfter([again({ objectKey: 'a/1', expiresAtMs: daysLater(29) })], marked);
    expect(named.sent).toEqual([
      { ...batchOf({ objectKey: 'a/1', expiresAtMs: daysLater(29) }), state: 'maybe' },
    ]);
    expect(decide(named, today, again())).toEqual({ kind: 'unchanged' });
  });

  test('to another object, it has an entry for each', () => {
    const both = programmeAfter(
      [
        { kind: 'sending', batch: batchOf({ objectKey: 'ttl28/1' }) },
        { kind: 'sending', batch: batchOf({ objectKey: 'ttl27/1' }) },
        { kind: 'stored', batchId: 'batch-1', objectKey: 'ttl27/1' },
      ],
      granted,
    );
    expect(both.sent.map(({ objectKey, state }) => [objectKey, state])).toEqual([
      ['ttl28/1', 'maybe'],
      ['ttl27/1', 'stored'],
    ]);
    const unnamed = batchOf({ expiresAtMs: daysLater(30) });
    const again = programmeAfter([{ kind: 'sending', batch: unnamed }], both);
    expect(again.sent.map(({ expiresAtMs }) => expiresAtMs)).toEqual([
      daysLater(30),
      daysLater(28),
    ]);
    const late = { kind: 'stored', batchId: 'batch-1', objectKey: 'ttl28/1' } as const;
    expect(programmeAfter([late], both).sent.map(({ state }) => state)).toEqual([
      'stored',
      'stored',
    ]);
  });

  test('a receipt is for its own batch, though another waits for a name too', () => {
    const two = programmeAfter(
      [{ kind: 'sending', batch: batchOf({ batchId: 'batch-2' }) }],
      marked,
    );
    const receipt = { kind: 'stored', batchId: 'batch-2', objectKey: 'a/2' } as const;
    expect(
      programmeAfter([receipt], two).sent.map(({ batchId, objectKey }) => [batchId, objectKey]),
    ).toEqual([
      ['batch-1', null],
      ['batch-2', 'a/2'],
    ]);
  });

  test('a receipt counts once, and only for what was sent', () => {
    const receipt = { kind: 'stored', batchId: 'batch-1', objectKey: 'a/1' } as const;
    const stored = programmeAfter([receipt], marked);
    expect(stored.sent).toMatchObject([{ state: 'stored', objectKey: 'a/1' }]);
    expect(decide(stored, today, receipt)).toEqual({ kind: 'unchanged' });
    const refused = { kind: 'refused', why: 'batch-unknown' };
    expect(decide(granted, today, receipt)).toEqual(refused);
    expect(decide(stored, today, { ...receipt, objectKey: 'a/2' })).toEqual(refused);
  });
});

describe('an order to the cloud', () => {
  const ordered = programmeAfter(
    [{ kind: 'sending', batch: batchOf() }, withdrawal(numbered())],
    granted,
  );
  const tried = (localDate: string) =>
    ({ kind: 'erasure-tried', erasureId: 'order-1', localDate }) as const;

  test('is passed on once a day at most', () => {
    const once = programmeAfter([tried('2026-11-23')], ordered);
    expect(once.orders).toMatchObject([{ lastTriedOn: '2026-11-23', tries: 1 }]);
    expect(decide(once, today, tried('2026-11-23'))).toEqual({
      kind: 'refused',
      why: 'tried-today',
    });
    expect(programmeAfter([tried('2026-11-24')], once).orders).toMatchObject([{ tries: 2 }]);
  });

  test('is passed on 31 times at most; then a new one may be given', () => {
    const dates = Array.from({ length: mostErasureTries }, (_, day) => `2027-01-${day + 10}`);
    const exhausted = programmeAfter(dates.map(tried), ordered);
    expect(exhausted.orders).toMatchObject([{ tries: 31 }]);
    expect(decide(exhausted, today, tried('2027-05-01'))).toEqual({
      kind: 'refused',
      why: 'tried-too-often',
    });
    const again = { kind: 'order-erasure', newId: () => 'order-9', atMs: start } as const;
    expect(programmeAfter([again], exhausted).orders).toEqual([orderOf({ erasureId: 'order-9' })]);
  });

  test('ends when the cloud confirms it', () => {
    const confirmed = { kind: 'erasure-confirmed', erasureId: 'order-1' } as const;
    const done = programmeAfter([confirmed], ordered);
    expect(done.orders).toEqual([]);
    expect(done.sent).toEqual(ordered.sent);
    expect(decide(done, today, confirmed)).toEqual({ kind: 'unchanged' });
    expect(decide(done, today, tried('2026-11-23'))).toEqual({
      kind: 'refused',
      why: 'order-unknown',
    });
  });

  test('S0-32 ends, like the list of what was sent, when everything has expired in the cloud', () => {
    const expire = (days: number) => ({ kind: 'expire', wallMs: daysLater(days) }) as const;
    expect(decide(ordered, today, expire(27))).toEqual({ kind: 'unchanged' });
    expect(programmeAfter([expire(28)], ordered)).toMatchObject({ sent: [], orders: [] });
  });

  test('given while the clock stood in 1970, it is not forgotten when the clock is right', () => {
    const at = { wallMs: 0, monotonicMs: 3 };
    const sent = programmeAfter([{ kind: 'sending', batch: batchOf() }], granted);
    const early = programmeAfter([{ ...withdrawal(numbered()), at }], sent);
    expect(decide(early, today, { kind: 'expire', wallMs: daysLater(20) })).toEqual({
      kind: 'unchanged',
    });
  });
});
