import type { DoneReport, Reply, UploadGrant } from './cloud-port.ts';
import { crc64 } from './crc64.ts';
import type { StopReason } from './outcome.ts';
import { covering, type Pass, remember, type WaitingBatch, wallNow } from './pass.ts';
import { mostDones, type UploadMemory } from './upload-memory.ts';

/** Durable before the first byte: from here on the batch counts as perhaps sent. Says why it must not be. */
export function markSending(
  pass: Pass,
  batch: WaitingBatch,
  objectKey: string,
  expiresAtMs: number,
): StopReason | undefined {
  const covered = covering(pass);
  if (covered.kind === 'not-covered') return 'not-covered';
  const { consentId, region } = covered.grant;
  const decided = pass.ports.consent.decide({
    kind: 'sending',
    batch: {
      batchId: batch.id,
      epoch: batch.epoch,
      consentId,
      region,
      objectKey,
      markedAtMs: wallNow(pass),
      expiresAtMs,
    },
  });
  return decided.kind === 'refused' ? 'not-covered' : undefined;
}

/**
 * There is a receipt: durable first, then the records go, then the bytes. Whoever is interrupted in between
 * goes on with `forgetSettled`. After a withdrawal only the receipt is noted; the rest is the erasure's.
 */
export function settle(
  pass: Pass,
  batch: WaitingBatch,
  { grant, reply }: { readonly grant: UploadGrant; readonly reply: Reply | undefined },
): void {
  const { consent, clock } = pass.ports;
  consent.decide({ kind: 'stored', batchId: batch.id, objectKey: grant.objectKey });
  if (pass.outer.aborted) return;
  const report = doneReport(batch, grant, reply);
  const lastStored = {
    wallMs: clock.judge().wallMs,
    rows: batch.ids.length,
    sizeBytes: batch.bytes.length,
  };
  remember(pass, (memory) => ({
    ...withoutDoubt(memory, batch),
    dones: [...memory.dones, ...report].slice(-mostDones),
    lastStored,
  }));
  forgetSettled(pass, batch);
}

/** The other side has had it since an earlier attempt, under the key that was marked last. */
export function settleWhereItLies(pass: Pass, batch: WaitingBatch): void {
  const { consent } = pass.ports;
  const marked = consent.programme().sent.findLast(({ batchId }) => batchId === batch.id);
  if (marked?.objectKey) {
    consent.decide({ kind: 'stored', batchId: batch.id, objectKey: marked.objectKey });
  }
  if (pass.outer.aborted) return;
  remember(pass, (memory) => withoutDoubt(memory, batch));
  forgetSettled(pass, batch);
}

/** Of a batch with a durable receipt: idempotent, so it may be done again after a crash. */
export function forgetSettled(pass: Pass, batch: WaitingBatch): void {
  const { records, outbox } = pass.ports;
  records.forget(batch.ids);
  outbox.remove(batch.id);
  pass.tally.batches += 1;
  pass.tally.rows += batch.ids.length;
  pass.tally.sizeBytes += batch.bytes.length;
}

function withoutDoubt(memory: UploadMemory, batch: WaitingBatch): UploadMemory {
  return { ...memory, unverified: memory.unverified.filter((id) => id !== batch.id) };
}

function doneReport(
  batch: WaitingBatch,
  { uploadId }: UploadGrant,
  reply: Reply | undefined,
): readonly DoneReport[] {
  if (uploadId === null) return [];
  return [
    {
      uploadId,
      status: reply?.status ?? null,
      etag: reply?.headers['etag'] ?? null,
      crc64: crc64(batch.bytes),
      storeRequestId: requestId(reply),
    },
  ];
}

function requestId(reply: Reply | undefined): string | null {
  const given = reply?.headers['x-oss-request-id'] ?? reply?.headers['x-amz-request-id'];
  return given !== undefined && /^[\w-]{1,128}$/.test(given) ? given : null;
}
