import { type Acquisition, type AcquisitionCounts, countAcquisitions } from './acquisition.ts';
import type { Comparator, Reference, Search } from './comparator.ts';
import {
  type IdentificationAccuracy,
  type IdentificationOptions,
  identificationAccuracy,
  type ProbeResult,
  type SearchOutcome,
} from './identification-accuracy.ts';
import { meanEmbedding } from './mean-embedding.ts';

export type LabelledPicture = { readonly identity: string; readonly picture: string };

/** What is decided at once: one picture, or several of one visit. `mated`: the resident it shows, null a stranger. */
export type Visit = { readonly mated: string | null; readonly pictures: readonly string[] };

export type IdentificationEvaluation = {
  /** Of all pictures, enrolled and searched. */
  readonly acquisition: AcquisitionCounts;
  readonly residents: number;
  readonly templates: number;
  /** Residents of whom no picture gave a template (FTE). */
  readonly notEnrolled: number;
  readonly comparators: readonly {
    readonly name: string;
    readonly accuracy: IdentificationAccuracy;
    /** In the order of the visits. */
    readonly results: readonly ProbeResult[];
  }[];
};

/**
 * Enrols every picture of the gallery and searches every visit, in every way. Pictures of one visit are
 * fused: the mean of their normalised embeddings. `acquired` holds all pictures.
 */
export function evaluateIdentification(
  gallery: readonly LabelledPicture[],
  visits: readonly Visit[],
  acquired: ReadonlyMap<string, Acquisition>,
  comparators: readonly Comparator[],
  options?: IdentificationOptions,
): IdentificationEvaluation {
  const get = (picture: string): Acquisition => {
    const acquisition = acquired.get(picture);
    if (!acquisition) throw new TypeError(`${picture} was not acquired`);
    return acquisition;
  };
  const residents = new Set(gallery.map(({ identity }) => identity));
  const references = gallery.flatMap(({ identity, picture }): Reference[] => {
    const acquisition = get(picture);
    return acquisition.kind === 'acquired'
      ? [{ residentId: identity, embedding: acquisition.embedding }]
      : [];
  });
  const enrolled = new Set(references.map(({ residentId }) => residentId));
  const pictures = new Set([
    ...gallery.map(({ picture }) => picture),
    ...visits.flatMap((visit) => visit.pictures),
  ]);
  const probes = visits.map((visit) => {
    if (visit.mated !== null && !residents.has(visit.mated)) {
      throw new TypeError(`${visit.mated} is not in the gallery`);
    }
    return meanEmbedding(
      visit.pictures.flatMap((picture) => {
        const acquisition = get(picture);
        return acquisition.kind === 'acquired' ? [acquisition.embedding] : [];
      }),
    );
  });
  return {
    acquisition: countAcquisitions([...pictures].map(get)),
    residents: residents.size,
    templates: references.length,
    notEnrolled: residents.size - enrolled.size,
    comparators: comparators.map(({ name, enrol }) => {
      const search = enrol(references);
      const results = visits.map(({ mated }, i): ProbeResult => {
        const probe = probes[i];
        return {
          mated,
          enrolled: mated === null || enrolled.has(mated),
          outcome: probe ? outcomeOf(search(probe)) : { kind: 'not-acquired' },
        };
      });
      return { name, results, accuracy: identificationAccuracy(results, options) };
    }),
  };
}

function outcomeOf([best, runnerUp]: ReturnType<Search>): SearchOutcome {
  return {
    kind: 'searched',
    best: best ? { residentId: best.residentId, score: best.score } : null,
    runnerUpScore: runnerUp?.score ?? null,
  };
}
