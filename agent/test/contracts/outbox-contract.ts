import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Outbox, WaitingBatch } from '../../upload/pass.ts';

/** What every outbox does. `open` gives an empty one each time. */
export function outboxContract(open: () => Outbox): void {
  test('a new one holds nothing, and to remove what is not there is no fault', () => {
    const outbox = open();
    expect(outbox.waiting()).toEqual([]);
    expect(() => outbox.remove('0'.repeat(32))).not.toThrow();
  });

  test('a batch comes back whole: its bytes, its records, all that decides about it', () => {
    const outbox = open();
    const batch = waitingBatch(1, { ids: [3, 7, 2 ** 40], ttlDays: 3 });
    outbox.add(batch);
    expect(plain(outbox)).toEqual([{ ...batch, bytes: [...batch.bytes] }]);
  });

  test('they wait in the order in which they must be sent, whatever the order they came in', () => {
    const outbox = open();
    for (const n of [3, 1, 2]) outbox.add(waitingBatch(n, { sendByMs: 1e12 + n }));
    for (const n of [9, 8]) outbox.add(waitingBatch(n, { sendByMs: 1e12 + 5 }));
    const [eighth = '', ninth = ''] = [8, 9].map((n) => waitingBatch(n).id).toSorted();
    const first = [1, 2, 3].map((n) => waitingBatch(n).id);
    expect(outbox.waiting().map(({ id }) => id)).toEqual([...first, eighth, ninth]);
  });

  test('the same batch again changes nothing', () => {
    const outbox = open();
    for (let n = 0; n < 3; n++) outbox.add(waitingBatch(1));
    expect(outbox.waiting()).toHaveLength(1);
  });

  test('one is removed, the others stay', () => {
    const outbox = open();
    for (const n of [1, 2, 3]) outbox.add(waitingBatch(n, { sendByMs: n }));
    for (let n = 0; n < 2; n++) outbox.remove(waitingBatch(2).id);
    expect(outbox.waiting().map(({ id }) => id)).toEqual([1, 3].map((n) => waitingBatch(n).id));
  });

  test('what is done to the bytes afterwards does not reach them', () => {
    const outbox = open();
    const batch = waitingBatch(1);
    outbox.add(batch);
    batch.bytes.fill(0);
    expect(plain(outbox)[0]?.bytes).toEqual([...waitingBatch(1).bytes]);
  });

  test('an empty body and a large one', () => {
    const outbox = open();
    for (const size of [0, 262_144]) {
      const bytes = new Uint8Array(size).fill(10);
      outbox.add(waitingBatch(size, { bytes, sendByMs: size, sha256: sha256(bytes) }));
    }
    expect(outbox.waiting().map(({ bytes }) => bytes.length)).toEqual([0, 262_144]);
  });
}

export function waitingBatch(n: number, changes: Partial<WaitingBatch> = {}): WaitingBatch {
  const bytes = new Uint8Array(createHash('sha512').update(`${n}`).digest());
  return {
    id: sha256(bytes).slice(0, 32),
    epoch: 1,
    policyVersion: '2026-11',
    ttlDays: 28,
    sendByMs: Date.UTC(2027, 2, 3),
    ids: [n, n + 1],
    from: '2027-03-01',
    to: '2027-03-02',
    bytes,
    sha256: sha256(bytes),
    md5: createHash('md5').update(bytes).digest('base64'),
    ...changes,
  };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function plain(outbox: Outbox) {
  return outbox.waiting().map((batch) => ({ ...batch, bytes: [...batch.bytes] }));
}
