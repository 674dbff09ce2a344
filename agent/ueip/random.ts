/** Fresh random bytes of the operating system, in memory of their own: whoever asked for them may zero them. */
export type RandomBytes = (sizeBytes: number) => Uint8Array;

/** A whole number from 0 to limit - 1, each equally likely: what does not divide evenly is drawn again. */
export function uniformBelow(limit: number, random: RandomBytes): number {
  if (!Number.isInteger(limit) || limit < 1 || limit > range) {
    throw new TypeError(`a limit is a whole number from 1 to ${range}, not ${limit}`);
  }
  const fair = range - (range % limit);
  for (;;) {
    const drawn = uint32(random);
    if (drawn < fair) return drawn % limit;
  }
}

/** The items in an order as likely as any other (Fisher and Yates, inside out). */
export function shuffled<T>(items: Iterable<T>, random: RandomBytes): T[] {
  const result: T[] = [];
  for (const item of items) {
    const place = uniformBelow(result.length + 1, random);
    const displaced = result[place];
    if (displaced !== undefined) result.push(displaced);
    result[place] = item;
  }
  return result;
}

const range = 2 ** 32;

function uint32(random: RandomBytes): number {
  const bytes = random(4);
  if (bytes.length !== 4) throw new TypeError(`4 random bytes were asked for, not ${bytes.length}`);
  const value = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  // Who knew the draws would know the order.
  bytes.fill(0);
  return value;
}
