import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  erasures,
  type Receipt,
  type Signer,
  signReceipt,
  stepResults,
  verifyReceipt,
} from './receipt.ts';

const digest = (key: string, text: string) =>
  createHash('sha256').update(`${key}/${text}`).digest('hex');
const signer: Signer = { publicKey: 'aa', sign: (text) => digest('aa', text) };
const verify = (key: string, text: string, signature: string) => digest(key, text) === signature;

const receipt: Receipt = signReceipt(
  {
    kind: 'ueip-erasure',
    version: 1,
    epoch: 1,
    decidedAt: { wallMs: 1, monotonicMs: 1 },
    finishedAt: { wallMs: 2, monotonicMs: 2 },
    rows: 0,
    bytes: 0,
    steps: [],
    fileSystem: { type: 'ext4', erasure: 'in-place' },
    ledgerHead: null,
  },
  signer,
);

test('a receipt uses the words that its readers know, and no others', () => {
  expect(stepResults).toEqual(['done', 'nothing-there', 'busy', 'failed']);
  expect(erasures).toEqual(['in-place', 'cryptographic-only', 'none']);
});

test('a receipt that this device signed is known as its own; without its key, only as whole', () => {
  expect(verifyReceipt(receipt, verify, 'aa')).toEqual({ kind: 'valid', signedBy: 'this-device' });
  const unknown = { kind: 'valid', signedBy: 'unknown' };
  expect(verifyReceipt(receipt, verify, undefined)).toEqual(unknown);
});

test.each([
  ['in which a number was changed', { ...receipt, rows: 1 }, 'changed'],
  ['without a signature', { ...receipt, signature: null }, 'unsigned'],
  ['without the key it was signed with', { ...receipt, publicKey: null }, 'unsigned'],
] as const)('a receipt %s is not valid', (_, changed, why) => {
  expect(verifyReceipt(changed, verify, 'aa')).toEqual({ kind: 'invalid', why });
});

test("another device's receipt is whole, but not this one's", () => {
  const why = { kind: 'invalid', why: 'other-device' };
  expect(verifyReceipt(receipt, verify, 'bb')).toEqual(why);
});
