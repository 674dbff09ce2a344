import { createHash } from 'node:crypto';

/**
 * Bytes that pass for chance and are the same each time, for evaluations that somebody else shall be
 * able to repeat: SHAKE256 of the seed and a block number. Nothing of a device is made with them.
 */
export function seededChance(seed: string): (sizeBytes: number) => Uint8Array {
  let block = new Uint8Array(0);
  let used = 0;
  let blocks = 0;
  return (sizeBytes) => {
    const bytes = new Uint8Array(sizeBytes);
    for (let done = 0; done < sizeBytes; ) {
      if (used === block.length) {
        const hash = createHash('shake256', { outputLength: blockBytes });
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

const blockBytes = 1 << 16;
