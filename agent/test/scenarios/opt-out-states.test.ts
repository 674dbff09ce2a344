import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { searchMarkers, takeMarkers } from '../../io/files/marker-search.ts';
import { openLedger } from '../../io/programme/ledger-file.ts';
import { readReceipt, receiptFiles } from '../../io/programme/receipt-file.ts';
import { consentId, consentingDevice, leftOf } from '../fakes/consenting-device.ts';
import { type FoundState, foundStates } from '../fakes/found-states.ts';
import { temporaryFolder } from '../fakes/temporary-folder.ts';

/** Everything as it may be found when somebody opts out. The store is closed, as after a start. */
const states: Record<string, FoundState> = {
  ...foundStates,
  'an empty database': ({ records }) => truncateSync(records, 0),
  'a database of another program': ({ records }) => {
    rmSync(records);
    const db = new Database(records);
    db.exec('CREATE TABLE other (x)');
    db.close();
  },
  'files that nobody knows': ({ ueip }) => {
    mkdirSync(join(ueip, 'old', 'er'), { recursive: true });
    writeFileSync(join(ueip, 'old', 'er', 'records.db.corrupt-1'), 'rows');
  },
  'a damaged key of the device': ({ deviceKey }) => truncateSync(deviceKey, 3),
  'a history that is half a line': ({ ledger }) => writeFileSync(ledger, '{"at":1,"hash":"00'),
  'a folder that is open to all': ({ ueip }) => chmodSync(ueip, 0o777),
};

test.each(Object.keys(states))(
  'S0-26 S0-29 an opt-out with %s erases everything, and says so once it has',
  async (name) => {
    const dataDir = temporaryFolder();
    const before = consentingDevice(dataDir);
    before.optIn();
    before.record(30);
    const { layout } = before;
    const markers = takeMarkers({
      folder: layout.ueip,
      secrets: [layout.epochKey],
      texts: { 'consent id': consentId },
    });
    before.close();
    states[name]?.(layout);
    const device = consentingDevice(dataDir);
    const outcome = await device.optOut();
    expect(outcome.kind).toBe('erased');
    if (outcome.kind !== 'erased') return;
    const unproven = /receipts/.test(name)
      ? ['receipt']
      : /key of the device/.test(name)
        ? ['signature']
        : [];
    expect(outcome.unproven).toEqual(unproven);
    expect(leftOf(device)).toEqual([]);
    expect(searchMarkers(dataDir, markers).found).toEqual([]);
    expect(device.programme()).toMatchObject({ consent: { state: 'withdrawn' }, wipe: 'none' });
    expect(await consentingDevice(dataDir).recover()).toBeUndefined();
  },
);

test('S0-26 an opt-out works with the store open and records in it, as at a door', async () => {
  const device = consentingDevice(temporaryFolder());
  device.optIn();
  device.record(30);
  const outcome = await device.optOut();
  expect(outcome).toMatchObject({ kind: 'erased', unproven: [], receipt: { rows: 30 } });
  if (outcome.kind !== 'erased') return;
  expect(outcome.receipt.steps.find(({ step }) => step === 'rows')).toMatchObject({
    result: 'done',
  });
  expect(device.memory).toEqual({ recording: false, aborted: true });
  expect(leftOf(device)).toEqual([]);
});

test('S0-29 what an opt-out leaves is its receipt, its history and the consent, none with an id in it', async () => {
  const dataDir = temporaryFolder();
  const device = consentingDevice(dataDir);
  device.optIn();
  device.record(5);
  expect((await device.optOut()).kind).toBe('erased');
  const files = readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(dataDir, name)).isFile(),
  );
  expect(files.map((name) => name.replace(/\d{8}T.*\.json/, 'RECEIPT')).toSorted()).toEqual([
    'consent/ueip.1',
    'consent/ueip.2',
    'keys/device.key',
    'ledger.jsonl',
    'ledger.jsonl.head',
    'receipts/RECEIPT',
  ]);
  for (const name of files)
    expect(readFileSync(join(dataDir, name), 'utf8')).not.toContain(consentId);
  const [receipt = ''] = receiptFiles(device.layout.receipts);
  const ledger = openLedger({ file: device.layout.ledger, clock: { wallMs: () => 0 } });
  expect(ledger.verify().kind).toBe('intact');
  // The receipt names the history as it stood, and the history the receipt.
  const [decided, erased] = ledger.entries();
  expect(readReceipt(receipt).ledgerHead).toBe(decided?.hash);
  expect([decided?.what, erased?.what]).toEqual(['withdrawn', 'erased']);
});

test('S0-26 to opt out twice does no harm, nor where nobody ever opted in', async () => {
  const never = consentingDevice(temporaryFolder());
  expect(await never.optOut()).toMatchObject({ kind: 'erased', unproven: ['signature'] });
  const device = consentingDevice(temporaryFolder());
  device.optIn();
  for (let n = 0; n < 2; n++) expect(await device.optOut()).toMatchObject({ kind: 'erased' });
  device.optIn();
  device.record(3);
  expect(existsSync(device.layout.epochKey)).toBe(true);
  expect(await device.optOut()).toMatchObject({ kind: 'erased', receipt: { rows: 3, epoch: 2 } });
});
