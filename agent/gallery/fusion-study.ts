import type { Acquisition } from './acquisition.ts';
import type { Comparator } from './comparator.ts';
import type { IdentificationAccuracy, IdentificationOptions } from './identification-accuracy.ts';
import {
  evaluateIdentification,
  type LabelledPicture,
  type Visit,
} from './identification-evaluation.ts';

export type FusionStudyOptions = IdentificationOptions & {
  readonly templatesPerResident: readonly number[];
  readonly framesPerDecision: readonly number[];
  /** Pictures of one person that are searched, at most; as many as the longest fusion takes by default. */
  readonly probePictures?: number;
};

export type FusionStudy = {
  readonly residents: number;
  readonly strangers: number;
  readonly configurations: readonly {
    readonly templatesPerResident: number;
    readonly framesPerDecision: number;
    readonly comparators: readonly {
      readonly name: string;
      readonly accuracy: IdentificationAccuracy;
    }[];
  }[];
};

/**
 * What a second and third picture at enrolment, or at the door, bring: FNIR at equal FPIR. So that
 * nothing else differs, every configuration sees the same residents, the same strangers and the same
 * probe pictures. With T the most templates and F the most frames of any configuration:
 * - residents are the identities with at least T + F pictures. The first T are set aside for enrolment,
 *   and a configuration with t templates enrols the first t of them; the pictures after them are probes;
 * - strangers are the other identities with at least F pictures, all of which are probes;
 * - of f frames per decision, each probe picture begins one decision and the f - 1 after it join in,
 *   round the circle: every picture weighs the same for every f. All rotations of one and the same set
 *   are one decision.
 * Decisions of one person share pictures and are not independent: the intervals are then too narrow.
 */
export function studyFusion(
  pictures: readonly LabelledPicture[],
  acquired: ReadonlyMap<string, Acquisition>,
  comparators: readonly Comparator[],
  options: FusionStudyOptions,
): FusionStudy {
  const { templatesPerResident, framesPerDecision } = options;
  const most = { templates: largest(templatesPerResident), frames: largest(framesPerDecision) };
  const atMost = options.probePictures ?? most.frames;
  if (atMost < most.frames) throw new TypeError('fewer probe pictures than frames in a decision');
  const people = [...byIdentity(pictures)];
  const isResident = (own: readonly string[]) => own.length >= most.templates + most.frames;
  const residents = people.filter(([, own]) => isResident(own));
  const strangers = people.filter(([, own]) => !isResident(own) && own.length >= most.frames);
  const configurations = templatesPerResident.flatMap((templates) =>
    framesPerDecision.map((frames) => {
      const gallery = residents.flatMap(([identity, own]) =>
        own.slice(0, templates).map((picture) => ({ identity, picture })),
      );
      const visits = [
        ...residents.flatMap(([identity, own]) =>
          visitsOf(identity, own.slice(most.templates, most.templates + atMost), frames),
        ),
        ...strangers.flatMap(([, own]) => visitsOf(null, own.slice(0, atMost), frames)),
      ];
      const evaluation = evaluateIdentification(gallery, visits, acquired, comparators, options);
      return {
        templatesPerResident: templates,
        framesPerDecision: frames,
        comparators: evaluation.comparators.map(({ name, accuracy }) => ({ name, accuracy })),
      };
    }),
  );
  return { residents: residents.length, strangers: strangers.length, configurations };
}

/** In the order of the pictures. */
function byIdentity(pictures: readonly LabelledPicture[]): Map<string, string[]> {
  const people = new Map<string, string[]>();
  for (const { identity, picture } of pictures) {
    const own = people.get(identity);
    if (own) own.push(picture);
    else people.set(identity, [picture]);
  }
  return people;
}

function visitsOf(mated: string | null, pictures: readonly string[], frames: number): Visit[] {
  if (frames === pictures.length) return [{ mated, pictures }];
  const round = [...pictures, ...pictures];
  return pictures.map((_, i) => ({ mated, pictures: round.slice(i, i + frames) }));
}

function largest(counts: readonly number[]): number {
  const most = Math.max(...counts);
  if (!counts.every((count) => Number.isInteger(count) && count > 0) || !(most > 0)) {
    throw new TypeError('templates and frames are counted from 1');
  }
  return most;
}
