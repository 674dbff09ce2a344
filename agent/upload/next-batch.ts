import { batchLimits, sealBatch } from '../ueip/batch.ts';
import { collectedNow, covering, type Pass, type WaitingBatch } from './pass.ts';

/** Of another grant there should be none; if there is, it goes, and not to the cloud. */
export function nextWaiting(pass: Pass): WaitingBatch | undefined {
  const { outbox } = pass.ports;
  const covered = covering(pass);
  if (covered.kind === 'not-covered') return undefined;
  return outbox.waiting().find((batch) => {
    const isOfThisGrant =
      batch.epoch === covered.epoch && batch.policyVersion === covered.grant.policyVersion;
    if (!isOfThisGrant) outbox.remove(batch.id);
    return isOfThisGrant;
  });
}

/** A batch of the oldest records that can be sent, in the outbox; undefined: there are none. */
export function sealNext(pass: Pass): WaitingBatch | undefined {
  const { records, outbox, sealing } = pass.ports;
  const covered = covering(pass);
  if (covered.kind === 'not-covered') return undefined;
  const now = collectedNow(pass);
  const limits = { ...batchLimits, maxBytes: pass.maxBytes };
  const sentWithinMs = Math.max(0, pass.window.endMs - now.wallMs);
  const total = records.counts().records;
  // What cannot be sent yet stands first, being oldest: then it is looked further.
  for (let most = pageSize; ; most *= 4) {
    const page = records
      .oldest(most)
      .filter(
        ({ epoch, policyVersion }) =>
          epoch === covered.epoch && policyVersion === covered.grant.policyVersion,
      );
    const { batch, unsendable } = sealBatch(page, { now, sentWithinMs, limits, ...sealing });
    const hopeless = unsendable.filter(({ why }) => why === 'unreadable');
    if (hopeless.length > 0) records.forget(hopeless.map(({ id }) => id));
    if (batch !== undefined) {
      const { plain: _, purpose: __, ...waiting } = batch;
      outbox.add(waiting);
      return waiting;
    }
    if (most >= total) return undefined;
  }
}

/** More than a batch holds. */
const pageSize = 8192;
