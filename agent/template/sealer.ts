import { deriveDeviceId, deriveKey, type KeyScope } from './keys.ts';
import { open, type SealContext, type SealedRow, seal } from './seal.ts';
import { type Allocate, ordinaryMemory } from './secret-memory.ts';

/** The part of the keys that templates at rest need: for whoever moves or counts them and compares none. */
export type Sealer = KeyScope & {
  /** The form a template has at rest. */
  seal(code: Uint8Array, row: SealedRow): Uint8Array;
  /** Undefined: one bit, the row, the resident, the version, the model or the device is not what was sealed. */
  open(sealed: Uint8Array, row: SealedRow): Uint8Array | undefined;
  /** Zeroes the key: from then on a TypeError. */
  wipe(): void;
};

/** The root key is not kept. */
export function createSealer(
  rootKey: Uint8Array,
  { modelSha256, version }: KeyScope,
  allocate: Allocate = ordinaryMemory,
): Sealer {
  const scope = { modelSha256, version };
  const key = deriveKey(rootKey, 'seal', scope, allocate);
  let context: SealContext | undefined = { ...scope, key, deviceId: deriveDeviceId(rootKey) };
  const sealing = (): SealContext => {
    if (!context) throw new TypeError('this sealer has been wiped');
    return context;
  };
  return {
    ...scope,
    seal: (code, row) => seal(sealing(), code, row),
    open: (sealed, row) => open(sealing(), sealed, row),
    wipe() {
      key.fill(0);
      context = undefined;
    },
  };
}
