import { deepEqual, equal } from 'node:assert/strict';
import { md5Base64, sha256Hex } from '../../agent/io/files/digests.ts';
import type {
  BatchFacts,
  Call,
  GrantAnswer,
  NoReply,
  Reply,
} from '../../agent/upload/cloud-port.ts';
import { crc64 } from '../../agent/upload/crc64.ts';
import { checkGrant } from '../../agent/upload/grant.ts';
import { checkStored } from '../../agent/upload/stored-check.ts';
import type { House } from './house.ts';

/** As a house tells of a batch with these bytes. */
export function batchOf(
  house: House,
  bytes: Uint8Array,
  more: Pick<BatchFacts, 'batchId'> & Partial<BatchFacts>,
): BatchFacts {
  return {
    sizeBytes: bytes.length,
    md5: md5Base64(bytes),
    sha256: sha256Hex(bytes),
    rows: 1,
    from: '2026-11-21',
    to: '2026-11-22',
    ttlDays: 28,
    consentId: house.consentId(),
    policyVersion: house.policyVersion(),
    region: 'default',
    sentBefore: false,
    ...more,
  };
}

/** By the house's own adapters and checks, without its night; the key of the object. */
export async function store(house: House, batch: BatchFacts, bytes: Uint8Array): Promise<string> {
  const { port, rules } = house.cloud;
  // As a night begins: the adapter learns what time it is there.
  equal((await port.link(call())).kind, 'linked');
  const { grant, serverMs } = granted(await port.requestGrant(batch, call()));
  const context = { ...batch, serverMs: serverMs ?? Date.now(), body: batch };
  deepEqual(checkGrant(grant, rules, context), { kind: 'good' });
  const reply = await port.put(grant, bytes, call());
  if (reply.kind === 'no-reply') throw new Error(`no reply: ${reply.fault}`);
  const digests = { ...batch, crc64: crc64(bytes) };
  deepEqual(checkStored(reply, grant.expect, digests), { kind: 'stored' }, JSON.stringify(reply));
  return grant.objectKey;
}

export function granted(answer: GrantAnswer | Reply | NoReply) {
  equal(answer.kind, 'granted', JSON.stringify(answer));
  if (answer.kind !== 'granted') throw new TypeError('no grant');
  return answer;
}

export function call(): Call {
  return { signal: AbortSignal.timeout(20_000), onRequest() {} };
}
