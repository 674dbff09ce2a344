import type { Acquisition } from '../gallery/acquisition.ts';
import type { LabelledPicture, Visit } from '../gallery/identification-evaluation.ts';
import type { PicturePair } from '../gallery/verification-evaluation.ts';
import type { Embedding } from '../template/template.ts';
import type { Draws } from './draws.ts';

/** A picture that gave an embedding. */
export type FaceSample = {
  readonly picture: string;
  readonly identity: string;
  /** False: somebody of another identity may be the same person. */
  readonly certain: boolean;
  readonly embedding: Embedding;
};

/** Whom the pictures show, and which of them are compared for accuracy. */
export type LabelledFaces = {
  readonly samples: readonly FaceSample[];
  /** For the accuracy by folds. */
  readonly pairs: readonly PicturePair[];
  /** For rates: the same pairs, without folds, and further ones of two persons. */
  readonly trials: readonly PicturePair[];
};

/** Pairs of two persons that are drawn beside the listed ones: enough for an FMR of 1e-4. */
const drawnPairs = 20_000;

/**
 * Faces of a list of pairs. Who is who beyond the list: if the folder of a picture agrees with every
 * label, it is the person, as in <person>/<picture>. Otherwise pictures that pairs connect are one
 * identity, two of which may well be one person: no further pairs of two persons are drawn then.
 */
export function facesOfPairs(
  pairs: readonly PicturePair[],
  acquired: ReadonlyMap<string, Acquisition>,
  draws: Draws,
  further = drawnPairs,
): LabelledFaces {
  const certain = pairs.every(
    ({ probe, reference, same }) => (folderOf(probe) === folderOf(reference)) === same,
  );
  const identityOf = certain ? folderOf : connectedBy(pairs);
  const pictures = new Set(pairs.flatMap(({ probe, reference }) => [probe, reference]));
  const labels = [...pictures].map((picture) => ({ picture, identity: identityOf(picture) }));
  const samples = samplesOf(labels, () => certain, acquired);
  return { samples, pairs, trials: withDrawnPairs(pairs, samples, draws, further) };
}

/**
 * Faces of an identification set. Every stranger's picture is an identity of its own, and may show the
 * same person as another stranger's. Pairs: all of one resident, and as many of two persons, in ten folds
 * of residents.
 */
export function facesOfIdentities(
  gallery: readonly LabelledPicture[],
  visits: readonly Visit[],
  acquired: ReadonlyMap<string, Acquisition>,
  draws: Draws,
  further = drawnPairs,
): LabelledFaces {
  const labels = [
    ...gallery,
    ...visits.flatMap(({ mated, pictures }) =>
      pictures.map((picture) => ({ identity: mated ?? strangerIn(picture), picture })),
    ),
  ];
  const residents = [...new Set(gallery.map(({ identity }) => identity))];
  const known = new Set(residents);
  const samples = samplesOf(labels, (identity) => known.has(identity), acquired);
  const pairs = residents.length < 2 * foldCount ? [] : foldedPairs(residents, samples, draws);
  return { samples, pairs, trials: withDrawnPairs(pairs, samples, draws, further) };
}

/** The samples of each identity, in the order of the samples. */
export function byIdentity(samples: readonly FaceSample[]): Map<string, FaceSample[]> {
  const people = new Map<string, FaceSample[]>();
  for (const sample of samples) {
    const own = people.get(sample.identity);
    if (own) own.push(sample);
    else people.set(sample.identity, [sample]);
  }
  return people;
}

const foldCount = 10;

function foldedPairs(
  residents: readonly string[],
  samples: readonly FaceSample[],
  draws: Draws,
): PicturePair[] {
  const people = byIdentity(samples);
  const order = draws.take(residents, residents.length);
  return Array.from({ length: foldCount }, (_, fold) => {
    const own = order.flatMap((identity, i) =>
      i % foldCount === fold ? (people.get(identity) ?? []) : [],
    );
    const mated = own.flatMap((probe, i) =>
      own
        .slice(i + 1)
        .filter(({ identity }) => identity === probe.identity)
        .map((reference) => pairOf(probe, reference, fold)),
    );
    return [...mated, ...drawPairs(own, mated.length, draws, fold)];
  }).flat();
}

function withDrawnPairs(
  pairs: readonly PicturePair[],
  samples: readonly FaceSample[],
  draws: Draws,
  further: number,
): PicturePair[] {
  const listed = pairs.map((pair) => ({ ...pair, fold: undefined }));
  const known = samples.some(({ certain }) => certain);
  return known ? [...listed, ...drawPairs(samples, further, draws)] : listed;
}

/** Pairs that certainly show two persons. The same pair may come twice, which is rare. */
function drawPairs(
  samples: readonly FaceSample[],
  count: number,
  draws: Draws,
  fold?: number,
): PicturePair[] {
  const pairs: PicturePair[] = [];
  const isPair = (a: FaceSample, b: FaceSample) =>
    a.identity !== b.identity && (a.certain || b.certain);
  const possible = samples.some((a) => samples.some((b) => isPair(a, b)));
  while (possible && pairs.length < count) {
    const probe = samples[draws.below(samples.length)];
    const reference = samples[draws.below(samples.length)];
    if (probe && reference && isPair(probe, reference)) {
      pairs.push(pairOf(probe, reference, fold));
    }
  }
  return pairs;
}

function pairOf(probe: FaceSample, reference: FaceSample, fold: number | undefined): PicturePair {
  const same = probe.identity === reference.identity;
  return { probe: probe.picture, reference: reference.picture, same, fold };
}

function samplesOf(
  labels: readonly LabelledPicture[],
  isCertain: (identity: string) => boolean,
  acquired: ReadonlyMap<string, Acquisition>,
): FaceSample[] {
  return labels.flatMap(({ picture, identity }) => {
    const acquisition = acquired.get(picture);
    if (!acquisition) throw new TypeError(`${picture} was not acquired`);
    if (acquisition.kind === 'not-acquired') return [];
    const { embedding } = acquisition;
    return [{ picture, identity, certain: isCertain(identity), embedding }];
  });
}

function folderOf(picture: string): string {
  return picture.slice(0, Math.max(0, picture.lastIndexOf('/')));
}

/** No resident has such a name: folders cannot have a zero byte in theirs. */
function strangerIn(picture: string): string {
  return `\0${picture}`;
}

/** Pictures that pairs of one person connect have the same name, that of one of them. */
function connectedBy(pairs: readonly PicturePair[]): (picture: string) => string {
  const parents = new Map<string, string>();
  const rootOf = (picture: string): string => {
    let root = picture;
    for (let up = parents.get(root); up !== undefined; up = parents.get(root)) root = up;
    return root;
  };
  for (const { probe, reference, same } of pairs) {
    const [a, b] = [rootOf(probe), rootOf(reference)];
    if (same && a !== b) parents.set(a, b);
  }
  return rootOf;
}
