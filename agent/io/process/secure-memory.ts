import type { Allocate } from '../../template/secret-memory.ts';
import { loadMemory } from './native.ts';

/** Memory for a secret; `locked`: the kernel never writes it to swap. */
export type SecureMemory = { readonly bytes: Uint8Array; readonly locked: boolean };

/**
 * Zeroed pages of their own, outside V8's heap, that no core image holds and that are overwritten when
 * nothing refers to them any more or the thread ends; locked where the kernel allows. Without the addon
 * a buffer of its own, outside the heap but as any other: `memoryProtection` says so. For few and lasting
 * secrets: each takes at least 4 KiB.
 * @throws RangeError where there is no memory left
 */
export function allocateSecure(sizeBytes: number): SecureMemory {
  return native.kind === 'loaded'
    ? native.memory.secureBuffer(sizeBytes)
    : { bytes: new Uint8Array(new ArrayBuffer(sizeBytes)), locked: false };
}

/** The same for parts of the domain that are handed an allocator. */
export const secureMemory: Allocate = (sizeBytes) => allocateSecure(sizeBytes).bytes;

/** Overwrites a secret with zeros, in any memory. */
export function wipe(bytes: Uint8Array): void {
  if (native.kind === 'loaded') native.memory.wipe(bytes);
  else bytes.fill(0);
}

/** What protects the secrets of this process, and why something does not. */
export type MemoryProtection = {
  readonly keysLocked: boolean;
  readonly coreDumpsOff: boolean;
  /** Why the addon protects nothing; absent where it is loaded. */
  readonly reason?: string;
};

/**
 * No core image of this process from now on, by the limit and by the kernel's flag, and no look into it
 * for other processes of the same user. What it starts keeps the limit, not the flag. May be called again.
 */
export function hardenProcess(): Pick<MemoryProtection, 'coreDumpsOff'> {
  if (native.kind === 'absent') return { coreDumpsOff: false };
  const { noCoreFiles, noInspection } = native.memory.hardenProcess();
  return { coreDumpsOff: noCoreFiles && noInspection };
}

/** As it is now: tries it, with as much memory as the keys of the largest model take while they are renewed. */
export function memoryProtection(): MemoryProtection {
  if (native.kind === 'absent') {
    return { keysLocked: false, coreDumpsOff: false, reason: native.reason };
  }
  return { keysLocked: allocateSecure(keysSizeBytes).locked, ...hardenProcess() };
}

/** Nothing of the keys reaches swap or a core image. */
export function protectsKeys(): boolean {
  const { keysLocked, coreDumpsOff } = memoryProtection();
  return keysLocked && coreDumpsOff;
}

/** Signs of 512 dimensions (256 KiB), pad, projections and keys, for two versions. */
const keysSizeBytes = 640 * 1024;

const native = loadMemory();
