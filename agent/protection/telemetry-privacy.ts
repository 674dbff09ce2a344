import { codeOf } from './attacks.ts';
import { signsOf } from './codes.ts';
import type { Draws } from './draws.ts';
import { byIdentity, type FaceSample } from './labelled-faces.ts';
import { agreement, learnDecoder } from './learned-decoder.ts';
import { areaUnderRoc, linkability, linkabilityFloor } from './linkability.ts';
import type { TelemetryScheme, TemplateScheme } from './scheme.ts';
import {
  countEpochs,
  type Distances,
  distancesAcross,
  distancesWithin,
  joinedDistances,
  longestRun,
  type Mark,
  marksOf,
} from './telemetry-marks.ts';

/** What telemetry codes tell, and do not tell. Areas under the ROC: 0.5 says nothing, 1 everything. */
export type TelemetryPrivacy = {
  readonly name: string;
  /** T1. Of the longest code. */
  readonly bits: number;
  /** T2. Other pictures of one person, within an epoch. */
  readonly withinEpoch: { readonly area: number; readonly epochs: number };
  /** T3. One picture on one day of one device, before and after a restart. */
  readonly acrossStarts: number;
  /** T4. One picture on two days. */
  readonly acrossDays: {
    readonly area: number;
    readonly dSys: number;
    readonly floor: number;
    readonly bins: number;
    readonly epochs: number;
  };
  /** T5. Enrolled templates against codes, by a decoder learned before a restart. */
  readonly linker: { readonly area: number; readonly examples: number };
  /** T6. */
  readonly longestRun: { readonly codes: number; readonly of: number };
  /** For a picture of them. */
  readonly distances: { readonly within: Distances; readonly across: Distances };
};

export type TelemetrySizes = {
  /** Epochs of each measurement, at least: the codes of a single one agree or disagree by chance. */
  readonly epochs: number;
  /** Examples of the linker. */
  readonly examples: number;
};

const days = ['2027-03-01', '2027-03-02'] as const;
/** As many as one epoch has at most: a lot of them is, for the product, an epoch. */
const lot = 128;
/** Three times the most that one key may have. */
const attemptsOfOneFace = 3 * lot;

export function telemetryPrivacy(
  samples: readonly FaceSample[],
  scheme: TelemetryScheme,
  templates: TemplateScheme,
  sizes: TelemetrySizes,
  draws: Draws,
): TelemetryPrivacy {
  const key = () => draws.bytes(32);
  const [first] = samples;
  if (!first) throw new TypeError('telemetry codes are made of at least one face');
  const sameFace = Array.from({ length: attemptsOfOneFace }, () => first);
  const run = marksOf(scheme.start(key()), days[0], sameFace);
  const within = repeated((rest) => {
    const marks = marksOf(scheme.start(key()), days[0], rest);
    return { distances: distancesWithin(marks), epochs: countEpochs(marks) };
  });
  const starts = repeated((rest) => {
    const rootKey = key();
    const [before, after] = [scheme.start(rootKey), scheme.start(rootKey)];
    return across(marksOf(before, days[0], rest), marksOf(after, days[0], rest));
  });
  const nextDay = repeated((rest) => {
    const marker = scheme.start(key());
    return across(marksOf(marker, days[0], rest), marksOf(marker, days[1], rest));
  });
  return {
    name: scheme.name,
    bits: Math.max(...run.map(({ code }) => code.length * 8)),
    withinEpoch: { area: areaOf(within.distances), epochs: within.epochs },
    acrossStarts: areaOf(starts.distances),
    acrossDays: {
      area: areaOf(nextDay.distances),
      ...linkability(nextDay.distances.mated, nextDay.distances.nonMated),
      floor: linkabilityFloor(nextDay.distances.mated, nextDay.distances.nonMated, draws).mean,
      epochs: nextDay.epochs,
    },
    linker: templateLinker(),
    longestRun: { codes: longestRun(run), of: run.length },
    distances: { within: within.distances, across: nextDay.distances },
  };

  type Part = { readonly distances: Distances; readonly epochs: number };

  function across(a: readonly Mark[], b: readonly Mark[]): Part {
    return { distances: distancesAcross(a, b, draws), epochs: 1 };
  }
  /** Lots of pictures, people by lot and their pictures together, until there are epochs enough. */
  function repeated(measure: (lotOf: readonly FaceSample[]) => Part): Part {
    const parts: Part[] = [];
    let epochs = 0;
    while (epochs < sizes.epochs) {
      const part = measure(drawLot(samples, draws));
      parts.push(part);
      epochs += part.epochs;
    }
    return { distances: joinedDistances(parts.map(({ distances }) => distances)), epochs };
  }
  /**
   * Somebody has the enrolled templates of a device, and the telemetry codes of people he knows. What he learns
   * from them he tries on other people, after a restart on the same day.
   */
  function templateLinker(): TelemetryPrivacy['linker'] {
    const people = draws.take([...byIdentity(samples).values()], samples.length);
    const half = people.slice(0, people.length >> 1).flat();
    const known = draws.take(half, sizes.examples);
    const others = people.slice(people.length >> 1).flat();
    const rootKey = key();
    const protector = templates.protect(rootKey);
    const before = marksOf(scheme.start(rootKey), days[0], known);
    const decode = learnDecoder(
      known.map(({ embedding }) => codeOf(protector, embedding.values)),
      before.map(({ code }) => signsOf(code)),
    );
    const expected = new Map(
      others.map((sample) => [sample, decode(codeOf(protector, sample.embedding.values))]),
    );
    const mated: number[] = [];
    const nonMated: number[] = [];
    for (let epoch = 0; epoch < sizes.epochs; epoch++) {
      const marks = marksOf(scheme.start(rootKey), days[0], drawLot(others, draws));
      marks.forEach(({ sample, code }, i) => {
        const signs = signsOf(code);
        const stranger = marks[(i + lot / 2) % marks.length]?.sample;
        if (!stranger || stranger.identity === sample.identity) return;
        // The more they agree the nearer they are.
        mated.push(-agreement(expected.get(sample) ?? new Float64Array(), signs));
        nonMated.push(-agreement(expected.get(stranger) ?? new Float64Array(), signs));
      });
    }
    protector.wipe();
    return { area: areaUnderRoc(mated, nonMated), examples: known.length };
  }
}

/** At most 128 pictures; those with several pictures come first, so that there is somebody to recognise. */
function drawLot(samples: readonly FaceSample[], draws: Draws): FaceSample[] {
  const people = [...byIdentity(samples).values()];
  const several = people.filter(({ length }) => length > 1);
  const single = people.filter(({ length }) => length === 1);
  return [...draws.take(several, several.length), ...draws.take(single, single.length)]
    .flatMap((own) => draws.take(own, mostPicturesOfOne))
    .slice(0, lot);
}

/** So that a few much photographed people do not fill an epoch. */
const mostPicturesOfOne = 4;

function areaOf({ mated, nonMated }: Distances): number {
  return areaUnderRoc(mated, nonMated);
}
