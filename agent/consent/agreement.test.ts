import { describe, expect, test } from 'vitest';
import {
  batchOf,
  granted,
  grantOf,
  numbered,
  orderOf,
  programmeAfter,
  uuid,
  withdrawal,
} from '../test/fakes/programmes.ts';
import { agreementOf, copyToWriteFirst } from './agreement.ts';
import { neverAsked, type Programme } from './consent.ts';

const sending = programmeAfter([{ kind: 'sending', batch: batchOf() }], granted);
const withdrawn = programmeAfter([withdrawal(numbered())], sending);
const other = programmeAfter([{ kind: 'grant', grant: grantOf({ consentId: uuid(2) }) }]);

function bothWays(
  one: Programme | undefined,
  two: Programme | undefined,
  check: (agreement: ReturnType<typeof agreementOf>) => void,
) {
  check(agreementOf(one, two));
  check(agreementOf(two, one));
}

describe('a grant', () => {
  test('counts when both copies have it', () => {
    expect(agreementOf(granted, structuredClone(granted))).toEqual({
      kind: 'whole',
      programme: granted,
    });
  });

  test('counts whatever the order of the keys', () => {
    const turned = Object.fromEntries(Object.entries(granted).reverse());
    expect(agreementOf(granted, { ...granted, ...turned }).kind).toBe('whole');
  });

  test('counts with what else the newer copy knows, if the grant is the same', () => {
    bothWays(granted, sending, (agreement) =>
      expect(agreement).toEqual({ kind: 'mended', programme: sending }),
    );
  });

  test.each<[string, Programme | undefined, Programme | undefined]>([
    ['in one copy, the other is missing or damaged', granted, undefined],
    ['in one copy, beside never having been asked', granted, neverAsked],
    [
      'in the newer copy, beside a withdrawal',
      { ...granted, sequence: 9 },
      { ...withdrawn, sequence: 8 },
    ],
    ['in both copies, and not the same one', granted, { ...other, sequence: 2 }],
    ['in both copies, of different epochs', granted, { ...granted, sequence: 2, epoch: 2 }],
    [
      'in both copies, with the same number and different content',
      sending,
      { ...granted, sequence: 2 },
    ],
  ])('does not count %s; what lies there goes', (_, one, two) => {
    bothWays(one, two, ({ kind, programme }) => {
      expect(kind).toBe('none');
      expect(programme).toMatchObject({ consent: { state: 'never-asked' }, wipe: 'due' });
    });
  });
});

test('a withdrawal counts from the newer copy, and from the only one', () => {
  const mended = { kind: 'mended', programme: withdrawn };
  bothWays(withdrawn, sending, (agreement) => expect(agreement).toEqual(mended));
  bothWays(withdrawn, undefined, (agreement) => expect(agreement).toEqual(mended));
});

test('no copy at all is no consent, and an erasure that is due', () => {
  expect(agreementOf(undefined, undefined)).toEqual({
    kind: 'none',
    programme: { ...neverAsked, wipe: 'due' },
  });
});

test('without consent, what both copies know of the cloud is kept, once each', () => {
  const stored = programmeAfter(
    [{ kind: 'stored', batchId: 'batch-1', objectKey: 'a/1' }],
    sending,
  );
  const second = programmeAfter(
    [{ kind: 'sending', batch: batchOf({ batchId: 'batch-2', objectKey: 'a/2' }) }],
    granted,
  );
  const one = { ...stored, sequence: 7, epoch: 1, orders: [orderOf({ tries: 2 })] };
  const two = {
    ...second,
    sequence: 8,
    epoch: 2,
    orders: [orderOf({ tries: 1 }), orderOf({ erasureId: 'order-2' })],
  };
  bothWays(one, two, ({ programme }) => {
    expect(programme).toEqual({
      sequence: 8,
      epoch: 2,
      consent: { state: 'never-asked' },
      wipe: 'due',
      sent: [...two.sent, ...one.sent],
      orders: two.orders,
    });
  });
  bothWays(stored, { ...sending, epoch: 4 }, ({ programme }) => {
    expect(programme.sent).toEqual(stored.sent);
  });
});

test('without consent, what only the older copy knows of the cloud is kept too', () => {
  const sent = (batchId: string, objectKey: string | null) =>
    ({ ...batchOf({ batchId, objectKey }), state: 'maybe' }) as const;
  const newer: Programme = {
    ...granted,
    sequence: 9,
    epoch: 2,
    sent: [sent('batch-1', 'a/1'), sent('batch-2', 'a/2')],
    orders: [orderOf({ tries: 2 }), orderOf({ erasureId: 'order-2' })],
  };
  const older: Programme = {
    ...granted,
    sequence: 8,
    sent: [
      sent('batch-1', null),
      sent('batch-1', 'b/1'),
      sent('batch-2', 'a/2'),
      sent('batch-3', 'a/1'),
    ],
    orders: [orderOf({ tries: 1 }), orderOf({ erasureId: 'order-3' })],
  };
  bothWays(newer, older, ({ programme }) => {
    expect(programme.sent).toEqual([...newer.sent, sent('batch-1', 'b/1'), sent('batch-3', 'a/1')]);
    expect(programme.orders).toEqual([...newer.orders, orderOf({ erasureId: 'order-3' })]);
  });
});

test.each<[string, Programme | undefined, Programme | undefined, 0 | 1]>([
  ['neither is there', undefined, undefined, 0],
  ['the first is damaged', undefined, granted, 0],
  ['the second is damaged', granted, undefined, 1],
  ['they are the same', granted, granted, 0],
  ['the second is newer', granted, sending, 0],
  ['the first is newer', sending, granted, 1],
])('the copy that counts less is written first, when %s', (_, one, two, first) => {
  expect(copyToWriteFirst(one, two)).toBe(first);
});
