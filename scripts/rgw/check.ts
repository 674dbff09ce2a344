/**
 * Whether a real store does to the agent what its own test bucket does: Ceph with its S3 gateway, which shares no line
 * with the agent. `scripts/rgw/ci.sh` installs it and runs this; by itself: `node scripts/rgw/check.ts`.
 */
import { deepEqual, equal, notDeepEqual, ok, rejects } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { connect } from 'node:tls';
import { withTemporaryFolder } from '../../agent/io/files/temporary-folder.ts';
import { onStopSignal } from '../../agent/io/process/process-signals.ts';
import type { ProgrammeStatus } from '../../agent/programme-commands.ts';
import { lifecycleDocument, policyDocument } from '../../agent/upload/bucket-documents.ts';
import type { BatchFacts } from '../../agent/upload/cloud-port.ts';
import { batchOf, call, granted, store } from './batch.ts';
import { by } from './house.ts';
import { openStand, type Stand } from './stand.ts';
import { step } from './step.ts';

/**
 * The store takes at most a day for a run through the rules, one after the other: in three seconds it gets to the
 * fifteenth of the 28 at least. Those behind it wait for days that are longer.
 */
const lifecycleDayS = 3;
const startedMs = performance.now();

await withTemporaryFolder('doorkeep-rgw-', async (folder) => {
  const stand = await step('Ceph starts: monitor, object daemon, S3 gateway', () =>
    openStand(folder, lifecycleDayS),
  );
  const interrupted = new Promise<never>((_, reject) => {
    onStopSignal(() => reject(new Error('interrupted')));
  });
  try {
    await Promise.race([checks(stand), interrupted]);
  } finally {
    await step('everything is taken down', stand.close);
  }
});
console.log(`${((performance.now() - startedMs) / 1000).toFixed(0)} s in all`);

async function checks(stand: Stand): Promise<void> {
  await step('S0-9 the store speaks TLS 1.3 and nothing older', () => onlyNewTls(stand));
  await step('S0-14 a bucket that deletes nothing gets nothing, and the status says why', () =>
    untilFit(stand),
  );
  await step(
    'S0-6 a PUT that asks for no encryption is refused by the policy the agent prints',
    () => plainPutRefused(stand),
  );
  await step('S0-5 S0-9 mode grant: the records lie there as they were shown', () =>
    uploaded(stand, 'grant'),
  );
  await step(
    'S0-6 a store that does not do as was asked is not believed, and the records stay',
    () => notBelieved(stand),
  );
  await step('S0-6 the same bytes twice under one master key: two ciphertexts, no plaintext', () =>
    differentCiphertexts(stand),
  );
  await step('S0-5 S0-31 mode direct: the same, and an order at the opt-out deletes it there', () =>
    erased(stand),
  );
  await step('S0-14 the rules the agent prints delete each age class in its time', () =>
    deletedInTime(stand),
  );
  await stand.ceph.check();
}

async function onlyNewTls({ ceph, ca }: Stand): Promise<void> {
  const handshake = (maxVersion: 'TLSv1.2' | 'TLSv1.3') =>
    new Promise<string | null>((resolve, reject) => {
      const port = Number(new URL(ceph.endpoint).port);
      const socket = connect({ host: 'localhost', port, ca, maxVersion }, () => {
        resolve(socket.getProtocol());
        socket.destroy();
      });
      socket.on('error', reject);
    });
  equal(await handshake('TLSv1.3'), 'TLSv1.3');
  await rejects(handshake('TLSv1.2'), /protocol version|handshake/);
}

/** One house through the settings of a bucket as its owner makes them, one after the other. */
async function untilFit({ house, owner, bucket, keyId }: Stand): Promise<void> {
  const keyless = await house('direct', { 'cloud.kmsKeyId': null });
  const careful = await house('direct');
  await owner.create(bucket);
  const status = await careful.night();
  deepEqual(told(status), { waiting: 4, lastOutcome: 'no-retention-rule', batches: 0 });
  ok(!(await careful.history()).includes('"PUT"'));
  await owner.setRules(bucket, lifecycleDocument('s3'));
  await owner.setPolicy(bucket, policyDocument('s3', bucket, keyId));
  // No key is named, and the bucket has none: this store does not know the question, and lists its objects.
  deepEqual(await keyless.cloud.port.link(call()), { kind: 'unfit', why: 'encryption-unknown' });
  equal((await careful.cloud.port.link(call())).kind, 'linked');
  deepEqual(await owner.keys(bucket), []);
}

async function plainPutRefused({ owner, bucket }: Stand): Promise<void> {
  const refused = { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } };
  await rejects(owner.putPlain(bucket, 'ttl28/plain', Buffer.from('plain')), (fault: unknown) => {
    ok(fault instanceof Error && fault.name === refused.name, String(fault));
    return true;
  });
  deepEqual(await owner.keys(bucket), []);
}

/** A night of a house; its object and the house. */
async function uploaded({ house, owner, bucket }: Stand, mode: 'direct' | 'grant') {
  const sender = await house(mode);
  const shown = await sender.preview();
  const before = await owner.keys(bucket);
  const status = await sender.night();
  deepEqual(told(status), { waiting: 0, lastOutcome: 'complete', batches: 1 });
  const [key = '', ...more] = (await owner.keys(bucket)).filter((each) => !before.includes(each));
  deepEqual(more, []);
  deepEqual(await owner.read(bucket, key), shown);
  await sender.commands.verify({ receipt: null });
  return { key, sender };
}

async function notBelieved({ house, owner, bucket, strangerCaFile }: Stand): Promise<void> {
  const before = await owner.keys(bucket);
  const nights = [
    // It asks for the objects to be encrypted under a key that the store does not have.
    [{ 'cloud.kmsKeyId': 'unknown' }, 'put-refused', 0],
    // It lies there then. But this store cannot say so in the way that the settings ask for.
    [{ 'cloud.checksum': 'sha256' }, 'no-checksum', 1],
  ] as const;
  for (const [settings, lastOutcome, objects] of nights) {
    const sender = await house('direct', settings);
    const { records, upload } = await sender.night();
    deepEqual([records.waiting, upload.lastOutcome, upload.lastMs], [4, lastOutcome, null]);
    const added = (await owner.keys(bucket)).filter((key) => !before.includes(key));
    equal(added.length, objects, lastOutcome);
  }
  const stranger = await house('direct', { 'cloud.ca': strangerCaFile });
  const link = await stranger.cloud.port.link(call());
  deepEqual(link, { kind: 'no-reply', fault: 'certificate' });
}

async function differentCiphertexts({ house, owner, ceph, vendor }: Stand): Promise<void> {
  const bytes = Buffer.from('the same bytes twice, and long enough to be found again. '.repeat(40));
  const [direct, byGrant] = [await house('direct'), await house('grant')];
  const keys = [
    await store(direct, batchOf(direct, bytes, { batchId: 'a'.repeat(32) }), bytes),
    await store(direct, batchOf(direct, bytes, { batchId: 'b'.repeat(32) }), bytes),
    await store(byGrant, batchOf(byGrant, bytes, { batchId: 'c'.repeat(32) }), bytes),
  ];
  equal(vendor.vendor.journal({ kind: 'grant' }).at(-1)?.objectKey, keys[2]);
  // So that it is known where and how plaintext would be seen.
  await owner.create('open');
  await owner.putPlain('open', 'control', bytes);
  const raw = await ceph.rawObjects();
  const lying = (key: string) => {
    const found = [...raw].filter(([name]) => name.endsWith(`_${key}`)).map(([, each]) => each);
    equal(found.length, 1, `${key} among ${[...raw.keys()].join(' ')}`);
    return Buffer.concat(found);
  };
  deepEqual(lying('control'), bytes);
  const sealed = keys.map(lying);
  for (const [n, each] of sealed.entries()) {
    equal(each.length, bytes.length);
    ok(!each.includes('the same bytes'));
    for (const other of sealed.slice(n + 1)) notDeepEqual(each, other);
  }
}

async function erased(stand: Stand): Promise<void> {
  const { owner, bucket } = stand;
  const { key, sender } = await uploaded(stand, 'direct');
  const off = await sender.commands.off({ by, eraseCloud: true, verify: true });
  deepEqual([off.kind, off.ordersPending, off.search?.found], ['erased', 1, []]);
  await sender.commands.verify({ receipt: off.receipt });
  equal(readFileSync(off.receiptFile ?? '', 'utf8').trimEnd(), off.receipt);
  const { orders } = await sender.night();
  deepEqual(orders, []);
  ok(!(await owner.keys(bucket)).includes(key));
}

/** Nothing goes before its time, or long after it; and the agent says whether a batch is there as it is. */
async function deletedInTime({ house, owner, bucket }: Stand): Promise<void> {
  const sender = await house('direct');
  const bytes = Buffer.from('a batch that nearly ran out of its month');
  const stored: { days: number; key: string; storedMs: number; again: BatchFacts }[] = [];
  for (const days of [12, 3]) {
    const batch = batchOf(sender, bytes, { batchId: `${days}`.padStart(32, '0'), ttlDays: days });
    const key = await store(sender, batch, bytes);
    const again = { ...batch, sentBefore: true };
    stored.push({ days, key, storedMs: performance.now(), again });
    deepEqual(await sender.cloud.port.requestGrant(again, call()), { kind: 'already' });
  }
  for (const { days, key, storedMs, again } of stored.toReversed()) {
    const ageDays = () => (performance.now() - storedMs) / 1000 / lifecycleDayS;
    while ((await owner.keys(bucket)).includes(key)) {
      ok(ageDays() < days + 10, `${key} is still there after ${ageDays().toFixed(1)} days`);
      await setTimeout(300);
    }
    // The store rounds moments to seconds.
    ok(ageDays() > days - 0.7, `${key} was deleted after ${ageDays().toFixed(1)} days`);
    console.log(
      `            ttl ${days}: deleted after ${ageDays().toFixed(1)} days of ${lifecycleDayS} s`,
    );
    granted(await sender.cloud.port.requestGrant(again, call()));
  }
}

/** What the household is told. */
function told({ records, upload, sent }: ProgrammeStatus) {
  const { waiting } = records;
  return { waiting, lastOutcome: upload.lastOutcome, batches: sent.batches };
}
