import {
  createPrivateKey,
  createPublicKey,
  sign as ed25519Sign,
  verify as ed25519Verify,
  type KeyObject,
} from 'node:crypto';
import { AgentError } from '../../errors.ts';
import type { Signer, VerifySignature } from '../../rights/receipt.ts';
import { destroyKeyFile } from '../files/key-destruction.ts';
import { wipe } from '../process/secure-memory.ts';
import { createEpochKey, readEpochKey } from './epoch-key.ts';

/** What stands before the 32 bytes of a key in DER, PKCS #8 and SPKI (RFC 8410, section 7 and 4). */
const privatePrefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const publicPrefix = Buffer.from('302a300506032b6570032100', 'hex');

/**
 * Signs what the device hands out, by Ed25519 with the 32-byte seed in `file` (RFC 8032); undefined: there is none.
 * It stays through opt-outs: receipts of before can be checked against it, and it never leaves the device.
 * @throws KEY_INVALID where it is damaged
 */
export function readDeviceKey(file: string): Signer | undefined {
  const found = readEpochKey(file);
  if (found.kind === 'absent') return undefined;
  if (found.kind === 'unusable') {
    throw new AgentError('KEY_INVALID', `the key file ${file} is of no use: ${found.why}`);
  }
  return signerOf(found.bytes);
}

/**
 * The same, made where there is none: with the first grant. One that is damaged, or half made, is replaced: what
 * it has signed can then no longer be told from what another device has.
 * @throws STORE_FULL STORE_READ_ONLY STORE_FAILED KEY_INVALID
 */
export function ensureDeviceKey(file: string): {
  readonly signer: Signer;
  readonly isNew: boolean;
} {
  const found = readEpochKey(file);
  if (found.kind === 'key') return { signer: signerOf(found.bytes), isNew: false };
  if (found.kind === 'unusable') destroyKeyFile(file);
  return { signer: signerOf(createEpochKey(file)), isNew: true };
}

/** False also for a key or a signature that is none. */
export const verifySignature: VerifySignature = (publicKey, text, signature) => {
  const raw = Buffer.from(publicKey, 'hex');
  if (raw.length !== 32) return false;
  const key = createPublicKey({
    key: Buffer.concat([publicPrefix, raw]),
    format: 'der',
    type: 'spki',
  });
  return ed25519Verify(null, Buffer.from(text), key, Buffer.from(signature, 'hex'));
};

/** Takes the seed over, and overwrites it: OpenSSL has its own copy. */
function signerOf(seed: Uint8Array): Signer {
  const der = Buffer.concat([privatePrefix, seed]);
  try {
    const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    return {
      publicKey: rawPublicKey(key),
      sign: (text) => ed25519Sign(null, Buffer.from(text), key).toString('hex'),
    };
  } finally {
    wipe(seed);
    wipe(der);
  }
}

function rawPublicKey(key: KeyObject): string {
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return spki.subarray(publicPrefix.length).toString('hex');
}
