import type { RandomBytes } from '../ueip/random.ts';

/** Chance as numbers. The same bytes give the same numbers, so an evaluation can be repeated. */
export type Draws = {
  /** For keys: in memory of their own. */
  readonly bytes: RandomBytes;
  /** A whole number from 0 to limit - 1, each equally likely. */
  below(limit: number): number;
  /** Of the standard normal distribution. */
  normal(): number;
  /** `count` of the items, or all where there are fewer, each at most once and in any order. */
  take<T>(items: readonly T[], count: number): T[];
};

export function createDraws(bytes: RandomBytes): Draws {
  let block: Uint32Array = new Uint32Array(0);
  let used = 0;
  const next = (): number => {
    if (used === block.length) {
      const drawn = bytes(4 * blockLength);
      block = new Uint32Array(drawn.buffer, drawn.byteOffset, blockLength);
      used = 0;
    }
    return block[used++] ?? 0;
  };
  const below = (limit: number): number => {
    if (!Number.isInteger(limit) || limit < 1 || limit > range) {
      throw new TypeError(`a limit is a whole number from 1 to ${range}, not ${limit}`);
    }
    const fair = range - (range % limit);
    for (;;) {
      const drawn = next();
      if (drawn < fair) return drawn % limit;
    }
  };
  return {
    bytes,
    below,
    // Box and Muller; half a step away from 0, whose logarithm does not exist.
    normal: () =>
      Math.sqrt(-2 * Math.log((next() + 0.5) / range)) * Math.cos((2 * Math.PI * next()) / range),
    take(items, count) {
      const pool = [...items];
      const most = Math.min(count, pool.length);
      for (let i = 0; i < most; i++) swap(pool, i, i + below(pool.length - i));
      return pool.slice(0, most);
    },
  };
}

const range = 2 ** 32;
const blockLength = 1024;

function swap<T>(items: T[], i: number, j: number): void {
  const [a, b] = [items[i], items[j]];
  if (a === undefined || b === undefined) return;
  items[i] = b;
  items[j] = a;
}
