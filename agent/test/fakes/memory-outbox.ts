import type { Outbox, WaitingBatch } from '../../upload/pass.ts';

/** The contract of Outbox in memory, for tests that are not about files. */
export function memoryOutbox(): Outbox {
  let batches: readonly WaitingBatch[] = [];
  const others = (id: string) => batches.filter((batch) => batch.id !== id);
  return {
    waiting: () => batches,
    add(batch) {
      const all = [...others(batch.id), { ...batch, bytes: batch.bytes.slice() }];
      batches = all.toSorted((a, b) => a.sendByMs - b.sendByMs || (a.id < b.id ? -1 : 1));
    },
    remove(batchId) {
      batches = others(batchId);
    },
  };
}
