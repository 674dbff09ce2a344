import type { Kernels } from '../ports.ts';
import { createCoder } from './coder.ts';
import { deriveDeviceId, deriveKey } from './keys.ts';
import { open, type SealContext, type SealedRow, seal } from './seal.ts';
import { type Allocate, ordinaryMemory } from './secret-memory.ts';
import { softScore } from './soft-score.ts';
import { type Embedding, type Probe, type Template, templateBits } from './template.ts';

/** Everything that needs the device's key. A wiped protector, or another model's embedding, is a TypeError. */
export type Protector = {
  readonly modelSha256: string;
  readonly version: number;
  /**
   * For one search. Its buffers are the protector's: they hold until the next `probe` or `template`.
   * The embedding's memory stays the caller's, to be zeroed by the caller.
   */
  probe(embedding: Embedding): Probe;
  /** To keep: in memory of its own. Ends the life of the last probe. */
  template(embedding: Embedding): Template;
  /** The form a template has at rest. */
  seal(code: Uint8Array, row: SealedRow): Uint8Array;
  /** Undefined: one bit, the row, the resident, the version, the model or the device is not what was sealed. */
  open(sealed: Uint8Array, row: SealedRow): Uint8Array | undefined;
  softScore(probe: Probe, code: Uint8Array): number;
  /** Zeroes the last probe. */
  forget(): void;
  /** Zeroes the seal key, signs, pad and buffers. */
  wipe(): void;
};

/**
 * UFC-1: 4,096 keyed sign bits of the embedding, xor a keyed pad, sealed with AES-256-GCM at rest.
 * Without the root key nothing can be said about the face; with it the face can be approximated: keep
 * the two apart (docs/privacy.md). The root key is not kept: the caller may wipe it right after. What is
 * derived from it stands in memory of `allocate` until `wipe`.
 */
export function createProtector(options: {
  readonly rootKey: Uint8Array;
  /** Of templates that came from another device; not kept. Without: derived from the root key. */
  readonly matchKey?: Uint8Array | undefined;
  readonly modelSha256: string;
  readonly version: number;
  readonly dimensions: number;
  readonly kernels: Pick<Kernels, 'project'>;
  readonly allocate?: Allocate;
}): Protector {
  const { rootKey, modelSha256, version, dimensions, kernels, allocate = ordinaryMemory } = options;
  const scope = { modelSha256, version };
  const own = deriveKey(rootKey, 'match', scope, allocate);
  const matchKey = options.matchKey ?? own;
  const coder = createCoder({ key: matchKey, dimensions, bits: templateBits, kernels, allocate });
  own.fill(0);
  const key = deriveKey(rootKey, 'seal', scope, allocate);
  let context: SealContext | undefined = { ...scope, key, deviceId: deriveDeviceId(rootKey) };

  const encode = (embedding: Embedding) => {
    if (embedding.modelSha256 !== modelSha256) {
      throw new TypeError('an embedding of another model cannot become a template of this one');
    }
    return coder.encode(embedding.values);
  };
  const sealing = (): SealContext => {
    if (!context) throw new TypeError('this protector has been wiped');
    return context;
  };
  return {
    ...scope,
    probe: (embedding) => ({ ...encode(embedding), ...scope }),
    template(embedding) {
      const code = encode(embedding).code.slice();
      coder.forget();
      return { code, ...scope };
    },
    seal: (code, row) => seal(sealing(), code, row),
    open: (sealed, row) => open(sealing(), sealed, row),
    softScore,
    forget: coder.forget,
    wipe() {
      coder.wipe();
      key.fill(0);
      context = undefined;
    },
  };
}
