import { bitOf, type Codes, differingBits } from './codes.ts';
import type { Draws } from './draws.ts';
import type { FaceSample } from './labelled-faces.ts';
import { linkability, linkabilityFloor } from './linkability.ts';

/** What the codes of one face under two keys have in common. */
export type KeySeparation = {
  readonly keyPairs: number;
  /** Same picture under two keys against two persons under two keys, of each pair of keys. */
  readonly dSys: { readonly mean: number; readonly worst: number };
  /** The same with labels drawn by lot, on average and at most. */
  readonly floor: { readonly mean: number; readonly highest: number };
  readonly bins: number;
  readonly matedScores: number;
  readonly nonMatedScores: number;
  /** Share of the bits that differ between two keys for one picture: of all, and per key pair. */
  readonly meanHamming: number;
  readonly lowestHamming: number;
  readonly highestHamming: number;
  /** Share of the bits that are 1 for 25 to 75 % of the faces; the least of all keys. */
  readonly balancedBits: number;
  /** Share of the bits that differ, of all key pairs together: for a picture of them. */
  readonly scores: { readonly mated: Float64Array; readonly nonMated: Float64Array };
};

/** `codes`: those of the samples under each key, at least two keys. */
export function keySeparation(
  samples: readonly FaceSample[],
  codes: readonly Codes[],
  draws: Draws,
  nonMatedScores: number,
): KeySeparation {
  const strangers = drawStrangers(samples, nonMatedScores, draws);
  const found = codes.flatMap((first, i) =>
    codes.slice(i + 1).map((second) => {
      const share = (a: number, b: number) => differingBits(first, a, second, b) / first.bits;
      const mated = Float64Array.from(samples.keys(), (at) => share(at, at));
      const nonMated = Float64Array.from(strangers, ([a, b]) => share(a, b));
      const floor = linkabilityFloor(mated, nonMated, draws);
      return { mated, nonMated, floor, ...meanOf(mated), ...link(mated, nonMated) };
    }),
  );
  const [one] = found;
  if (!one) throw new TypeError('keys are compared with each other: give at least two');
  const each = (of: (pair: (typeof found)[number]) => number) => Float64Array.from(found, of);
  return {
    keyPairs: found.length,
    dSys: { ...meanOf(each(({ dSys }) => dSys)), worst: Math.max(...each(({ dSys }) => dSys)) },
    floor: {
      ...meanOf(each(({ floor }) => floor.mean)),
      highest: Math.max(...each(({ floor }) => floor.highest)),
    },
    bins: one.bins,
    matedScores: samples.length,
    nonMatedScores: strangers.length,
    meanHamming: meanOf(each(({ mean }) => mean)).mean,
    lowestHamming: Math.min(...each(({ mean }) => mean)),
    highestHamming: Math.max(...each(({ mean }) => mean)),
    balancedBits: Math.min(...codes.map(balancedBits)),
    scores: {
      mated: joined(found.map(({ mated }) => mated)),
      nonMated: joined(found.map(({ nonMated }) => nonMated)),
    },
  };
}

/** Indices of samples of two identities. */
export function drawStrangers(
  samples: readonly Pick<FaceSample, 'identity'>[],
  count: number,
  draws: Draws,
): (readonly [number, number])[] {
  if (samples.every(({ identity }) => identity === samples[0]?.identity)) {
    throw new TypeError('strangers need pictures of at least two persons');
  }
  const pairs: (readonly [number, number])[] = [];
  while (pairs.length < count) {
    const [a, b] = [draws.below(samples.length), draws.below(samples.length)];
    if (samples[a]?.identity !== samples[b]?.identity) pairs.push([a, b]);
  }
  return pairs;
}

function link(mated: Float64Array, nonMated: Float64Array) {
  const { dSys, bins } = linkability(mated, nonMated);
  return { dSys, bins };
}

function meanOf(values: Float64Array): { readonly mean: number } {
  return { mean: values.reduce((sum, value) => sum + value, 0) / values.length };
}

/** A bit that nearly all faces share tells nothing about them, and fewer bits are left that do. */
function balancedBits({ count, bits, words }: Codes): number {
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  const sizeBytes = count === 0 ? 0 : bytes.length / count;
  let balanced = 0;
  for (let bit = 0; bit < bits; bit++) {
    let ones = 0;
    for (let i = 0; i < count; i++) ones += bitOf(bytes, i * sizeBytes * 8 + bit);
    if (ones >= count / 4 && ones <= (3 * count) / 4) balanced += 1;
  }
  return balanced / bits;
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
