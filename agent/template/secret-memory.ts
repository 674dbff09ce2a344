/**
 * Zeroed memory for a secret, shared with nothing else and aligned for any typed array. Whoever asked for it
 * zeroes it as soon as the secret is no longer needed.
 */
export type Allocate = (sizeBytes: number) => Uint8Array;

/**
 * For whoever was given no better. By way of an ArrayBuffer, because V8 keeps arrays of up to 64 bytes on
 * its own heap, where the garbage collector moves them and leaves their bytes behind.
 */
export const ordinaryMemory: Allocate = (sizeBytes) => new Uint8Array(new ArrayBuffer(sizeBytes));
