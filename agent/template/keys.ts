import { hkdfSync } from 'node:crypto';
import { type Allocate, ordinaryMemory } from './secret-memory.ts';

/** What the keys of one model and one version are for; the word stands in the label. */
export type KeyPurpose = 'match' | 'seal' | 'wrap';

/** What a template is bound to besides its row: changing either makes new keys, and so new templates. */
export type KeyScope = { readonly modelSha256: string; readonly version: number };

export const rootKeyBytes = 32;
const salt = new Uint8Array(32);

/** HKDF-SHA256 (RFC 5869) of the root key under "ufc1/<purpose>/<model sha256>/<version>": 32 bytes, the caller wipes them. */
export function deriveKey(
  rootKey: Uint8Array,
  purpose: KeyPurpose,
  scope: KeyScope,
  allocate: Allocate = ordinaryMemory,
): Uint8Array {
  checkScope(scope);
  return expand(rootKey, `ufc1/${purpose}/${scope.modelSha256}/${scope.version}`, 32, allocate);
}

/** 16 bytes that tell this device's templates from another's. Not secret, and no way back to the root key. */
export function deriveDeviceId(rootKey: Uint8Array): Uint8Array {
  return expand(rootKey, 'ufc1/device', 16, ordinaryMemory);
}

/** Makes what is kept of erased residents' ids mean nothing elsewhere: 32 bytes, the caller wipes them. */
export function deriveTombstoneKey(
  rootKey: Uint8Array,
  allocate: Allocate = ordinaryMemory,
): Uint8Array {
  return expand(rootKey, 'ufc1/tombstone', 32, allocate);
}

function expand(
  rootKey: Uint8Array,
  label: string,
  sizeBytes: number,
  allocate: Allocate,
): Uint8Array {
  if (rootKey.length !== rootKeyBytes) {
    throw new TypeError(`a root key has ${rootKeyBytes} bytes, this one has ${rootKey.length}`);
  }
  const key = allocate(sizeBytes);
  // hkdfSync gives memory of its own, never a slice of Node's shared pool: wiping it wipes the key.
  const derived = new Uint8Array(hkdfSync('sha256', rootKey, salt, label, sizeBytes));
  key.set(derived);
  derived.fill(0);
  return key;
}

function checkScope({ modelSha256, version }: KeyScope): void {
  if (!/^[0-9a-f]{64}$/.test(modelSha256)) {
    throw new TypeError('a model is named by the 64 lower-case hex digits of its SHA-256');
  }
  if (!Number.isInteger(version) || version < 1 || version > 0xffff_ffff) {
    throw new TypeError(`a template version is a whole number from 1, not ${version}`);
  }
}
