import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Receipt, receiptText, signReceipt, verifyReceipt } from '../../rights/receipt.ts';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { seededChance } from '../process/seeded-chance.ts';
import { ensureDeviceKey, readDeviceKey, verifySignature } from './device-key.ts';
import { parseReceipt, readReceipt, receiptFiles, storeReceipt } from './receipt-file.ts';

const home = mkdtempSync(join(tmpdir(), 'doorkeep-receipts-'));
afterAll(() => rmSync(home, { recursive: true }));
const { signer } = ensureDeviceKey(join(home, 'keys', 'device.key'));

const content = {
  kind: 'ueip-erasure',
  version: 1,
  epoch: 2,
  decidedAt: { wallMs: 1_800_000_000_000, monotonicMs: 123_456.789 },
  finishedAt: { wallMs: 1_800_000_000_250, monotonicMs: 123_706.5 },
  rows: 1234,
  bytes: 567_890,
  steps: [
    { step: 'recording', result: 'done', elapsedMs: 0, tries: 1 },
    { step: 'key', result: 'done', bytes: 32, elapsedMs: 4, tries: 1 },
    { step: 'rows', result: 'busy', code: 'STORE_FAILED', elapsedMs: 2001, tries: 1 },
    { step: 'files', result: 'done', bytes: 567_858, elapsedMs: 77, tries: 2 },
  ],
  fileSystem: { type: 'ext4', erasure: 'in-place' },
  ledgerHead: 'ab'.repeat(32),
} as const;
const receipt: Receipt = signReceipt(content, signer);
const text = receiptText(receipt);

const verdict = (candidate: string, publicKey: string | undefined = signer.publicKey) =>
  verifyReceipt(parseReceipt(candidate, 'it'), verifySignature, publicKey);

describe('a receipt', () => {
  test('is valid as it was handed out, by the key of the device and without it', () => {
    expect(verdict(text)).toEqual({ kind: 'valid', signedBy: 'this-device' });
    expect(verdict(`${text}\n`)).toEqual({ kind: 'valid', signedBy: 'this-device' });
    const anywhere = verifyReceipt(parseReceipt(text, 'it'), verifySignature, undefined);
    expect(anywhere).toEqual({ kind: 'valid', signedBy: 'unknown' });
  });

  test('of another device, or of somebody who signs with a key of his own, is not this one’s', () => {
    const other = ensureDeviceKey(join(temporaryFolder(), 'device.key')).signer;
    const forged = receiptText(signReceipt({ ...content, rows: 0 }, other));
    expect(verdict(forged)).toEqual({ kind: 'invalid', why: 'other-device' });
  });

  test('without a signature proves nothing', () => {
    const unsigned = receiptText(signReceipt(content, undefined));
    expect(verdict(unsigned)).toEqual({ kind: 'invalid', why: 'unsigned' });
  });

  test('that was changed anywhere is found out: 1,000 random changes', () => {
    const random = seededChance('receipt');
    const whole = (most: number) => Buffer.from(random(4)).readUInt32LE() % most;
    const printable = () => String.fromCharCode(32 + whole(95));
    const changes: readonly ((at: number) => string)[] = [
      (at) => text.slice(0, at) + printable() + text.slice(at + 1),
      (at) => text.slice(0, at) + text.slice(at + 1 + whole(60)),
      (at) => text.slice(0, at) + printable() + text.slice(at),
      (at) => text.slice(0, at) + String(whole(10)) + text.slice(at + 1),
      (at) =>
        text.replace(/\d+/g, (digits, place) => (place >= at ? `${Number(digits) + 1}` : digits)),
    ];
    const seen = new Set<string>();
    let made = 0;
    for (let n = 0; made < 1000; n++) {
      const changed = changes[n % changes.length]?.(whole(text.length)) ?? text;
      if (changed === text) continue;
      made++;
      try {
        const found = verdict(changed);
        expect(found.kind, changed).toBe('invalid');
        seen.add('signature');
      } catch (fault) {
        expect(fault).toMatchObject({ code: 'RECEIPT_INVALID' });
        seen.add('form');
      }
    }
    expect([...seen].toSorted()).toEqual(['form', 'signature']);
  });

  test.each([
    ['with other blanks', JSON.stringify(JSON.parse(text), null, 2)],
    [
      'with its keys in another order',
      JSON.stringify({ ...JSON.parse(text) }, ['version', 'kind']),
    ],
    ['with one field more', text.replace('{', '{"a":1,')],
    ['of another kind', text.replace('ueip-erasure', 'ueip-nothing')],
    ['that is empty', ''],
    ['that is no JSON', 'a receipt'],
    ['that is a list', '[]'],
  ])('%s is none', (_, other) => {
    expect(() => parseReceipt(other, 'r.json')).toThrow(
      expect.objectContaining({
        code: 'RECEIPT_INVALID',
        message: expect.stringContaining('r.json'),
      }),
    );
  });

  test('is kept under its date, for its owner only, beside all others of the same moment', async () => {
    const folder = join(temporaryFolder(), 'receipts');
    const file = await storeReceipt(folder, receipt);
    await storeReceipt(folder, signReceipt({ ...content, rows: 1 }, signer));
    expect(file).toMatch(/\/20270115T080000Z-[0-9a-f]{8}\.json$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readReceipt(file)).toEqual(receipt);
    writeFileSync(join(folder, 'note.txt'), '');
    expect(receiptFiles(folder)).toHaveLength(2);
    expect(readdirSync(folder)).toHaveLength(3);
    expect(receiptFiles(join(folder, 'none'))).toEqual([]);
    expect(() => readReceipt(join(folder, 'none'))).toThrow(
      expect.objectContaining({ code: 'INPUT_MISSING' }),
    );
  });
});

describe('the key of the device', () => {
  test('is made once, for its owner only, and is the same from then on', () => {
    const file = join(temporaryFolder(), 'keys', 'device.key');
    expect(readDeviceKey(file)).toBeUndefined();
    const made = ensureDeviceKey(file);
    expect(made.isNew).toBe(true);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(file).size).toBe(32);
    const again = ensureDeviceKey(file);
    expect([again.isNew, again.signer.publicKey]).toEqual([false, made.signer.publicKey]);
    expect(readDeviceKey(file)?.publicKey).toBe(made.signer.publicKey);
    const signature = again.signer.sign('text');
    expect(verifySignature(made.signer.publicKey, 'text', signature)).toBe(true);
    expect(verifySignature(made.signer.publicKey, 'texts', signature)).toBe(false);
  });

  test('signs as RFC 8032 has it (section 7.1, test 2)', () => {
    const file = join(temporaryFolder(), 'device.key');
    const seed = '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb';
    writeFileSync(file, Buffer.from(seed, 'hex'), { mode: 0o600 });
    const key = readDeviceKey(file);
    expect(key?.publicKey).toBe('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');
    expect(key?.sign('\u0072')).toBe(
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
        '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    );
  });

  test.each([
    ['of the wrong size', Buffer.alloc(31, 1)],
    ['that was half made', Buffer.alloc(0)],
    ['of zeros', Buffer.alloc(32)],
  ])('%s is refused, and replaced with the next grant', (_, bytes) => {
    const file = join(temporaryFolder(), 'device.key');
    writeFileSync(file, bytes, { mode: 0o600 });
    expect(() => readDeviceKey(file)).toThrow(expect.objectContaining({ code: 'KEY_INVALID' }));
    expect(ensureDeviceKey(file).isNew).toBe(true);
    expect(readDeviceKey(file)).toBeDefined();
  });

  test('that is no key verifies nothing', () => {
    const signature = signer.sign('text');
    for (const key of ['', 'ab', 'ff'.repeat(32), 'zz'.repeat(32)]) {
      expect(verifySignature(key, 'text', signature)).toBe(false);
    }
    expect(verifySignature(signer.publicKey, 'text', 'zz')).toBe(false);
  });
});
