import { seededChance } from '../../io/process/seeded-chance.ts';

/** The same, and every piece of memory it has given: to see later what has become of it. */
export function watchedRandom(seed: string): {
  readonly random: (sizeBytes: number) => Uint8Array;
  readonly given: { readonly memory: Uint8Array; readonly was: Uint8Array }[];
} {
  const source = seededChance(seed);
  const given: { memory: Uint8Array; was: Uint8Array }[] = [];
  const random = (sizeBytes: number) => {
    const memory = source(sizeBytes);
    given.push({ memory, was: memory.slice() });
    return memory;
  };
  return { random, given };
}
