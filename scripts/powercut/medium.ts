import type { CutMode, Dice } from './cuts.ts';
import type { LogEntry } from './write-log.ts';

/** A disk to which the entries of a log come one after the other. */
export type Medium = {
  take(entry: LogEntry): void;
  /** What is on it when the power fails now, as a copy; it goes on as if it had not failed. */
  cut(mode: CutMode, dice: Dice): Buffer;
};

const sectorBytes = 512;

/** `image`: as it was before the first entry; taken over. */
export function createMedium(image: Buffer): Medium {
  /** In a cache that is lost with the power. */
  let cached: Exclude<LogEntry, { readonly kind: 'flush' }>[] = [];

  return {
    take(entry) {
      if (entry.kind !== 'flush') return void cached.push(entry);
      for (const each of cached) apply(image, each);
      cached = [];
    },
    cut(mode, dice) {
      const left = Buffer.from(image);
      for (const each of cached) {
        if (mode === 'all' || (mode === 'drop' && dice(2) === 0)) apply(left, each);
        if (mode === 'torn') applyTorn(left, each, dice);
      }
      return left;
    },
  };
}

function apply(image: Buffer, entry: Exclude<LogEntry, { readonly kind: 'flush' }>): void {
  if (entry.kind === 'write') image.set(entry.data, entry.offset);
  // What was discarded reads as zeros, or not: a disk may do either. Left as it was, it hides nothing.
}

function applyTorn(
  image: Buffer,
  entry: Exclude<LogEntry, { readonly kind: 'flush' }>,
  dice: Dice,
): void {
  if (entry.kind !== 'write') return;
  const { data, offset } = entry;
  for (let at = 0; at < data.length; at += sectorBytes) {
    if (dice(2) === 0) image.set(data.subarray(at, at + sectorBytes), offset + at);
  }
}
