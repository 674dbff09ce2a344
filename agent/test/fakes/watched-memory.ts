import { type Allocate, ordinaryMemory } from '../../template/secret-memory.ts';

/** Ordinary memory, and every piece of it that was given: to see later what has become of it. */
export function watchedMemory(): {
  readonly allocate: Allocate;
  readonly given: readonly Uint8Array[];
} {
  const given: Uint8Array[] = [];
  const allocate: Allocate = (sizeBytes) => {
    const bytes = ordinaryMemory(sizeBytes);
    given.push(bytes);
    return bytes;
  };
  return { allocate, given };
}
