import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { dayMs, hourMs, type ProgrammeDevice, resident } from '../test/fakes/programme-device.ts';
import { programmeDevice } from '../test/fakes/quick-device.ts';

async function recording(options: Parameters<typeof programmeDevice>[0] = {}) {
  const device = programmeDevice(options);
  await device.start();
  await device.on();
  device.visit(4);
  await device.passUntil(14);
  return device;
}

/** What a command writes, piece by piece. */
async function written<T>(command: (write: (bytes: Uint8Array) => Promise<void>) => Promise<T>) {
  const pieces: Uint8Array[] = [];
  const told = await command(async (bytes) => void pieces.push(bytes.slice()));
  return { told, bytes: Buffer.concat(pieces) };
}
const preview = (device: ProgrammeDevice, gzip = true) =>
  written((write) => device.commands.preview({ by: resident, gzip }, write));
const exported = (device: ProgrammeDevice) =>
  written((write) => device.commands.export({ by: resident }, write));
const whats = ({ programme }: ProgrammeDevice) =>
  programme.ledger.entries().map(({ what }) => what);
const sentBy = ({ cloud }: ProgrammeDevice) =>
  [...cloud.objects.values()].map(({ bytes }) => Buffer.from(bytes));

describe('a preview shows exactly the bytes that the next night sends', () => {
  test('of records that no batch was made of yet, compressed or as text', async () => {
    const device = await recording();
    const { told, bytes } = await preview(device);
    expect(told).toEqual({ lines: 4, sizeBytes: bytes.length });
    const text = await preview(device, false);
    expect(text.bytes).toEqual(gunzipSync(bytes));
    expect(text.told.sizeBytes).toBe(text.bytes.length);
    await device.passUntil(3);
    expect(sentBy(device)).toEqual([bytes]);
    expect(whats(device).slice(0, 3)).toEqual(['granted', 'previewed', 'previewed']);
  });

  test('of a batch that waits for its receipt, whatever was recorded since', async () => {
    let isDown = true;
    const device = await recording({
      fate: (step) => (isDown && step === 'put' ? { fault: 'reset' } : 'fine'),
    });
    await device.passUntil(3);
    device.visit(9);
    await device.passUntil(5);
    const { told, bytes } = await preview(device);
    expect(told.lines).toBe(4);
    isDown = false;
    await device.passUntil(3);
    expect(sentBy(device)[0]).toEqual(bytes);
    expect(sentBy(device)).toHaveLength(2);
  });

  test('none where nothing would be sent: never asked, no records, withdrawn, a notice outdated', async () => {
    const device = programmeDevice();
    await device.start();
    const nothing = { told: { lines: 0, sizeBytes: 0 }, bytes: Buffer.alloc(0) };
    expect(await preview(device)).toEqual(nothing);
    await device.on();
    expect(await preview(device)).toEqual(nothing);
    device.visit(2);
    await device.pass(2 * hourMs);
    expect((await preview(device)).told.lines).toBe(2);
    const { policies } = device.programme.consent.circumstances();
    const effectiveAt = device.trueMs() + hourMs;
    const next = { version: '2027-03', textSha256: 'd'.repeat(64), material: true, effectiveAt };
    await device.stop();
    device.world.policies = [...policies, next];
    await device.start();
    await device.pass(2 * hourMs);
    expect(await preview(device)).toEqual(nothing);
    // A person may have it all the same.
    expect((await exported(device)).told.lines).toBe(2);
    await device.off();
    expect(await preview(device)).toEqual(nothing);
  });

  test('finds what can be sent behind thousands that no bucket may take any more', async () => {
    const device = await recording({ config: { 'ueip.maxRecords': 10_000 } });
    const store = device.programme.records.store();
    const [record] = store.oldest(1);
    if (!record) throw new Error('there is no record');
    store.forget(store.oldest(10).map(({ id }) => id));
    const now = device.programme.time.now();
    const old = { ...now, runDay: now.runDay - 27, wallMs: now.wallMs - 27 * dayMs };
    store.append(Array.from({ length: 8_500 }, () => ({ ...record, collected: old })));
    store.append([{ ...record, collected: now }]);
    expect((await preview(device)).told.lines).toBe(1);
  });
});

test('S0-24 an export is every record as it lies there, and a line in the history before its first byte', async () => {
  const device = await recording();
  let told = 0;
  const all = await written((write) =>
    device.commands.export({ by: resident }, async (bytes) => {
      told = whats(device).filter((what) => what === 'exported').length;
      await write(bytes);
    }),
  );
  expect(told).toBe(1);
  expect(all.told).toEqual({ lines: 4, sizeBytes: all.bytes.length });
  expect(
    all.bytes
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).kind),
  ).toEqual(Array(4).fill('attempt'));
  expect(device.programme.ledger.entries().at(-1)).toMatchObject({
    what: 'exported',
    actor: 'resident',
    rows: 4,
    bytes: all.bytes.length,
  });
});

test('an export that nobody takes to its end leaves no record in memory', async () => {
  const device = await recording();
  const taken: Uint8Array[] = [];
  const store = device.programme.records.store();
  const { oldest } = store;
  const seen: Uint8Array[] = [];
  store.oldest = (most) => {
    const all = oldest(most);
    seen.push(...all.map(({ line }) => line));
    return all;
  };
  const write = async (bytes: Uint8Array) => {
    taken.push(bytes);
    throw new Error('gone');
  };
  await expect(device.commands.export({ by: resident }, write)).rejects.toThrow('gone');
  expect(taken).toHaveLength(1);
  expect(seen).toHaveLength(4);
  for (const line of seen) expect(line.every((byte) => byte === 0)).toBe(true);
});

test('the history is one entry a line, and its last hash is what a verification names', async () => {
  const device = await recording();
  await device.passUntil(3);
  const { told, bytes } = await written((write) => device.commands.history(write));
  const lines = bytes.toString().trimEnd().split('\n');
  expect(told).toEqual({ lines: lines.length, sizeBytes: bytes.length });
  const { ledgerEntries, ledgerHead } = await device.commands.verify({ receipt: null });
  expect(ledgerEntries).toBe(lines.length);
  expect(JSON.parse(lines.at(-1) ?? '').hash).toBe(ledgerHead);
  // link, grant, put, done
  expect(lines.filter((line) => JSON.parse(line).what === 'request')).toHaveLength(4);
});

describe('a verification', () => {
  test('finds a history that was changed', async () => {
    const device = await recording();
    const { ledger } = device.layout;
    writeFileSync(ledger, readFileSync(ledger, 'utf8').replace('resident', 'somebody'));
    await expect(device.commands.verify({ receipt: null })).rejects.toMatchObject({
      code: 'LEDGER_BROKEN',
    });
  });

  test('tells a receipt of this device from a changed one and from another’s', async () => {
    const device = await recording();
    const { receipt } = await device.off();
    const verified = await device.commands.verify({ receipt });
    expect(verified.receipt).toEqual({ epoch: 1, finishedMs: device.trueMs() });
    const changed = receipt.replace('"rows":4', '"rows":5');
    await expect(device.commands.verify({ receipt: changed })).rejects.toThrow(/changed/);
    writeFileSync(device.layout.deviceKey, randomBytes(32));
    await expect(device.commands.verify({ receipt })).rejects.toThrow(/other-device/);
  });
});

describe('the status', () => {
  test('says what holds: never asked, granted, withdrawn', async () => {
    const device = programmeDevice();
    await device.start();
    const never = await device.commands.status();
    expect(never).toMatchObject({ state: 'never-asked', by: null, sinceMs: null, region: null });
    expect(never).toMatchObject({ notCovered: 'never-asked', upload: { nextMs: null } });
    const { sinceMs } = await device.on();
    device.visit(3);
    await device.passUntil(3);
    const granted = await device.commands.status();
    expect(granted).toMatchObject({
      state: 'granted',
      sinceMs,
      by: resident,
      policyVersion: '2026-11',
      region: 'eu-central-1',
      notCovered: null,
      records: { waiting: 0, dropped: 0, evicted: 0 },
      sent: { batches: 1 },
      orders: [],
    });
    expect(granted.upload.lastMs).toBeLessThan(device.trueMs());
    await device.off({ eraseCloud: true });
    const withdrawn = await device.commands.status();
    expect(withdrawn).toMatchObject({
      state: 'withdrawn',
      policyVersion: null,
      notCovered: 'withdrawn',
      records: { waiting: 0, sizeBytes: 0 },
      orders: [{ tries: 0, lastTriedOn: null }],
    });
    // Every number is one that the control socket lets through.
    for (const ms of [withdrawn.sinceMs, withdrawn.upload.nextMs, withdrawn.sent.goneByMs]) {
      expect(Number.isInteger(ms)).toBe(true);
    }
  });

  test('says what was agreed to and why the records cannot be read, while another holds them', async () => {
    const device = await recording();
    await device.stop();
    const holder = new Database(device.layout.records);
    holder.pragma('locking_mode = EXCLUSIVE');
    holder.exec('BEGIN EXCLUSIVE');
    await device.start();
    const status = await device.commands.status();
    expect(status).toMatchObject({ state: 'granted', notCovered: null, sent: { batches: 0 } });
    expect(status.records).toMatchObject({ waiting: 0, fault: 'STORE_FAILED' });
    holder.close();
    expect((await device.commands.status()).records.fault).toBeNull();
  });

  test('says why nothing was sent, also after a restart', async () => {
    const device = await recording();
    device.cloud.link = { kind: 'unfit', why: 'no-retention-rule' };
    await device.passUntil(3);
    expect((await device.commands.status()).upload.lastOutcome).toBe('no-retention-rule');
    await device.stop();
    await device.start();
    expect((await device.commands.status()).upload.lastOutcome).toBe('no-retention-rule');
  });

  test('says the code of what must not happen in a pass', async () => {
    const device = await recording({
      fate: () => {
        throw new Error('the adapter fell over');
      },
    });
    await device.passUntil(3);
    expect((await device.commands.status()).upload.lastOutcome).toBe('INTERNAL');
  });
});
