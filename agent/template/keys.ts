import { hkdfSync } from 'node:crypto';

/** What the keys of one model and one version are for; the word stands in the label. */
export type KeyPurpose = 'match' | 'seal';

/** What a template is bound to besides its row: changing either makes new keys, and so new templates. */
export type KeyScope = { readonly modelSha256: string; readonly version: number };

export const rootKeyBytes = 32;
const salt = new Uint8Array(32);

/** HKDF-SHA256 (RFC 5869) of the root key under "ufc1/<purpose>/<model sha256>/<version>": 32 bytes, the caller wipes them. */
export function deriveKey(rootKey: Uint8Array, purpose: KeyPurpose, scope: KeyScope): Uint8Array {
  checkScope(scope);
  return expand(rootKey, `ufc1/${purpose}/${scope.modelSha256}/${scope.version}`, 32);
}

/** 16 bytes that tell this device's templates from another's. Not secret, and no way back to the root key. */
export function deriveDeviceId(rootKey: Uint8Array): Uint8Array {
  return expand(rootKey, 'ufc1/device', 16);
}

function expand(rootKey: Uint8Array, label: string, sizeBytes: number): Uint8Array {
  if (rootKey.length !== rootKeyBytes) {
    throw new TypeError(`a root key has ${rootKeyBytes} bytes, this one has ${rootKey.length}`);
  }
  // hkdfSync gives memory of its own, never a slice of Node's shared pool: wiping it wipes the key.
  return new Uint8Array(hkdfSync('sha256', rootKey, salt, label, sizeBytes));
}

function checkScope({ modelSha256, version }: KeyScope): void {
  if (!/^[0-9a-f]{64}$/.test(modelSha256)) {
    throw new TypeError('a model is named by the 64 lower-case hex digits of its SHA-256');
  }
  if (!Number.isInteger(version) || version < 1 || version > 0xffff_ffff) {
    throw new TypeError(`a template version is a whole number from 1, not ${version}`);
  }
}
