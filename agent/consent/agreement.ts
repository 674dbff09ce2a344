import { type ErasureOrder, neverAsked, type Programme, type SentBatch } from './consent.ts';

/** What the two copies of the programme say together. */
export type Agreement = {
  readonly programme: Programme;
  /**
   * 'whole': both copies say the same. 'mended': they differ, and it is certain what holds; written again, they
   * are whole. 'none': no consent can be read from them, so there is none, and what was recorded goes.
   */
  readonly kind: 'whole' | 'mended' | 'none';
};

/**
 * A grant counts only where both copies are sound and hold the same one; of what else they say, the newer
 * counts, so that a power cut between the two costs nobody the consent. Anything but a grant counts from one
 * copy, if that is the newer or the only sound one. Otherwise (a grant stands alone, or they contradict each
 * other) nobody has consented; what may lie in the cloud is remembered from both.
 * @param copies undefined: there is none, or it is damaged
 */
export function agreementOf(
  first: Programme | undefined,
  second: Programme | undefined,
): Agreement {
  if (first === undefined || second === undefined) return ofOne(first ?? second);
  const [newer, older] = first.sequence >= second.sequence ? [first, second] : [second, first];
  if (isSame(newer, older)) return { kind: 'whole', programme: newer };
  const isClear =
    newer.sequence > older.sequence &&
    (newer.consent.state !== 'granted' || hasSameGrant(newer, older));
  return isClear ? { kind: 'mended', programme: newer } : withoutConsent(newer, older);
}

/** The place of the copy to write first: never the only one that holds what counts now. */
export function copyToWriteFirst(
  first: Programme | undefined,
  second: Programme | undefined,
): 0 | 1 {
  if (second === undefined) return first === undefined ? 0 : 1;
  return first !== undefined && first.sequence > second.sequence ? 1 : 0;
}

function ofOne(copy: Programme | undefined): Agreement {
  if (copy === undefined) return withoutConsent(neverAsked, neverAsked);
  return copy.consent.state === 'granted'
    ? withoutConsent(copy, copy)
    : { kind: 'mended', programme: copy };
}

function withoutConsent(newer: Programme, older: Programme): Agreement {
  return {
    kind: 'none',
    programme: {
      sequence: newer.sequence,
      epoch: Math.max(newer.epoch, older.epoch),
      consent: { state: 'never-asked' },
      wipe: 'due',
      sent: mergedSent(newer.sent, older.sent),
      orders: mergedOrders(newer.orders, older.orders),
    },
  };
}

function hasSameGrant(a: Programme, b: Programme): boolean {
  return a.epoch === b.epoch && isSame(a.consent, b.consent);
}

function mergedSent(
  newer: readonly SentBatch[],
  older: readonly SentBatch[],
): readonly SentBatch[] {
  const isIn = (entry: SentBatch) =>
    newer.some(
      ({ batchId, objectKey }) =>
        batchId === entry.batchId && (objectKey === entry.objectKey || entry.objectKey === null),
    );
  return [...newer, ...older.filter((entry) => !isIn(entry))];
}

function mergedOrders(
  newer: readonly ErasureOrder[],
  older: readonly ErasureOrder[],
): readonly ErasureOrder[] {
  const isIn = ({ erasureId }: ErasureOrder) => newer.some((each) => each.erasureId === erasureId);
  return [...newer, ...older.filter((order) => !isIn(order))];
}

/** Two values as JSON has them, whatever the order of their keys. */
function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  const [ofA, ofB] = [Object.entries(a), new Map(Object.entries(b))];
  return (
    ofA.length === ofB.size &&
    ofA.every(([key, value]) => ofB.has(key) && isSame(value, ofB.get(key)))
  );
}
