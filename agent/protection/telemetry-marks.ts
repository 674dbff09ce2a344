import type { Marker } from '../ueip/attempt-rows.ts';
import { type Codes, differingBits, packCodes } from './codes.ts';
import type { Draws } from './draws.ts';
import { drawStrangers } from './key-separation.ts';
import type { FaceSample } from './labelled-faces.ts';

/** A code as it would leave the device, and whose it is. */
export type Mark = {
  readonly sample: FaceSample;
  readonly epoch: string;
  readonly code: Uint8Array;
};

/** Codes of all samples, in their order, on one day. @throws TypeError where the scheme gives none */
export function marksOf(marker: Marker, localDate: string, samples: readonly FaceSample[]): Mark[] {
  return samples.map((sample) => {
    const mark = marker.mark(localDate, sample.embedding.values);
    if (mark.kind !== 'code' || mark.code === null) throw new TypeError('a face gave no code');
    return { sample, epoch: mark.epoch, code: mark.code };
  });
}

/** Differing bits of codes of one person (mated) and of two. */
export type Distances = { readonly mated: number[]; readonly nonMated: number[] };

/** All pairs within each epoch: other pictures of the person against everybody else's. */
export function distancesWithin(marks: readonly Mark[]): Distances {
  const distances: Distances = { mated: [], nonMated: [] };
  for (const epoch of byEpoch(marks)) {
    const codes = codesOf(epoch);
    epoch.forEach(({ sample }, i) => {
      for (let j = 0; j < i; j++) {
        const same = sample.identity === epoch[j]?.sample.identity;
        distances[same ? 'mated' : 'nonMated'].push(differingBits(codes, i, codes, j));
      }
    });
  }
  return distances;
}

/** How many non-mated distances are taken for each mated one. */
const strangersPerMated = 8;

/** The same pictures in two lots: the code of a picture against its own in the other, and against others'. */
export function distancesAcross(
  first: readonly Mark[],
  second: readonly Mark[],
  draws: Draws,
): Distances {
  const [a, b] = [codesOf(first), codesOf(second)];
  const samples = first.map(({ sample }) => sample);
  const strangers = drawStrangers(samples, strangersPerMated * first.length, draws);
  return {
    mated: samples.map((_, i) => differingBits(a, i, b, i)),
    nonMated: strangers.map(([i, j]) => differingBits(a, i, b, j)),
  };
}

export function joinedDistances(parts: readonly Distances[]): Distances {
  return {
    mated: parts.flatMap(({ mated }) => mated),
    nonMated: parts.flatMap(({ nonMated }) => nonMated),
  };
}

/**
 * One face comes again and again on one day: the longest run of codes that could be compared with each
 * other, because the epoch has one name or because the code is the same.
 */
export function longestRun(marks: readonly Mark[]): number {
  let longest = 0;
  let byName = 0;
  let byCode = 0;
  marks.forEach(({ epoch, code }, i) => {
    const before = marks[i - 1];
    byName = epoch === before?.epoch ? byName + 1 : 1;
    byCode = before && code.every((byte, at) => byte === before.code[at]) ? byCode + 1 : 1;
    longest = Math.max(longest, byName, byCode);
  });
  return longest;
}

export function countEpochs(marks: readonly Mark[]): number {
  return byEpoch(marks).length;
}

function byEpoch(marks: readonly Mark[]): Mark[][] {
  const epochs = new Map<string, Mark[]>();
  for (const mark of marks) {
    const own = epochs.get(mark.epoch);
    if (own) own.push(mark);
    else epochs.set(mark.epoch, [mark]);
  }
  return [...epochs.values()];
}

function codesOf(marks: readonly Mark[]): Codes {
  return packCodes(marks.map(({ code }) => code));
}
