import { createHash } from 'node:crypto';

/** Bytes that pass for chance and are the same each time: SHAKE256 of the seed and a block number. */
export function seededRandom(seed: string): (sizeBytes: number) => Uint8Array {
  let block = new Uint8Array(0);
  let used = 0;
  let blocks = 0;
  return (sizeBytes) => {
    const bytes = new Uint8Array(sizeBytes);
    for (let done = 0; done < sizeBytes; ) {
      if (used === block.length) {
        const hash = createHash('shake256', { outputLength: 1 << 16 });
        block = new Uint8Array(hash.update(`${seed}/${blocks++}`).digest());
        used = 0;
      }
      const part = block.subarray(used, used + sizeBytes - done);
      bytes.set(part, done);
      done += part.length;
      used += part.length;
    }
    return bytes;
  };
}

/** The same, and every piece of memory it has given: to see later what has become of it. */
export function watchedRandom(seed: string): {
  readonly random: (sizeBytes: number) => Uint8Array;
  readonly given: { readonly memory: Uint8Array; readonly was: Uint8Array }[];
} {
  const source = seededRandom(seed);
  const given: { memory: Uint8Array; was: Uint8Array }[] = [];
  const random = (sizeBytes: number) => {
    const memory = source(sizeBytes);
    given.push({ memory, was: memory.slice() });
    return memory;
  };
  return { random, given };
}
