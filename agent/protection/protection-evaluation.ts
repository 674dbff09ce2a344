import { AgentError } from '../errors.ts';
import type { Acquisition } from '../gallery/acquisition.ts';
import type { Clock, Kernels } from '../ports.ts';
import type { Protector } from '../template/protect.ts';
import { type AccuracyLoss, accuracyLoss } from './accuracy-loss.ts';
import { divideFaces } from './attack-success.ts';
import { type Attack, type AttackSizes, codeOf, runAttacks } from './attacks.ts';
import { packCodes } from './codes.ts';
import type { Draws } from './draws.ts';
import { type KeySeparation, keySeparation } from './key-separation.ts';
import type { LabelledFaces } from './labelled-faces.ts';
import { judge, type Verdict } from './limits.ts';
import { type ProtectionCost, protectionCost } from './protection-cost.ts';
import type { TelemetryScheme, TemplateScheme } from './scheme.ts';
import {
  type TelemetryPrivacy,
  type TelemetrySizes,
  telemetryPrivacy,
} from './telemetry-privacy.ts';

export type ProtectionSizes = AttackSizes &
  TelemetrySizes & {
    /** Random device keys. */
    readonly keys: number;
    /** Persons who are attacked. */
    readonly targets: number;
    /** Pictures of others that the attacker has. */
    readonly strangers: number;
    /** Non-mated scores of each pair of keys. */
    readonly nonMated: number;
  };

/** A few minutes on two cores for some thousand pictures. */
export const defaultSizes: ProtectionSizes = {
  keys: 5,
  targets: 200,
  strangers: 2000,
  nonMated: 20_000,
  examples: 600,
  aligned: 300,
  constrained: 40,
  knownPairs: [1, 10, 25, 50, 100, 200],
  epochs: 150,
};

export type ProtectionEvaluation = {
  readonly scheme: string;
  readonly sizes: ProtectionSizes;
  readonly faces: {
    readonly pictures: number;
    readonly persons: number;
    readonly targets: number;
    readonly strangers: number;
  };
  readonly accuracy: AccuracyLoss;
  readonly sameAfterRestart: number;
  readonly separation: KeySeparation;
  readonly attacks: readonly Attack[];
  readonly telemetry: readonly TelemetryPrivacy[];
  readonly cost: ProtectionCost;
  readonly verdicts: readonly Verdict[];
};

/** How far one gets; the last step is the last. */
export type OnStep = (done: number, total: number) => void;

/**
 * What protection costs in accuracy, and what it hides, under random keys: the protocol of docs/privacy.md.
 * @throws INPUT_INVALID for too few pictures to measure an attack with
 */
export function evaluateProtection(options: {
  readonly faces: LabelledFaces;
  readonly acquired: ReadonlyMap<string, Acquisition>;
  readonly templates: TemplateScheme;
  readonly telemetry: readonly TelemetryScheme[];
  readonly kernels: Pick<Kernels, 'hammingTopK'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly draws: Draws;
  readonly sizes?: Partial<ProtectionSizes>;
  readonly onStep?: OnStep;
}): ProtectionEvaluation {
  const { faces, acquired, templates, kernels, clock, draws, onStep = () => {} } = options;
  const sizes = { ...defaultSizes, ...options.sizes };
  const { samples } = faces;
  const attacked = divideFaces(samples, sizes.targets, sizes.strangers, draws);
  checkFaces(attacked.targets.length, attacked.strangers.length);
  const steps = 4 + options.telemetry.length;
  let done = 0;
  const step = <T>(result: T): T => {
    onStep(++done, steps);
    return result;
  };

  const rootKeys = Array.from({ length: sizes.keys }, () => draws.bytes(32));
  const protectors = rootKeys.map(templates.protect);
  const codes = protectors.map((protector) => codesOf(protector, faces));
  const accuracy = step(accuracyLoss(faces, acquired, protectors, kernels));
  const threshold = accuracy.plainThreshold;
  if (threshold === null) {
    throw new AgentError(
      'INPUT_INVALID',
      'too few pairs of two persons to find the threshold that attacks are judged by: give 1000',
    );
  }
  const packed = codes.map(packCodes);
  const separation = step(keySeparation(samples, packed, draws, sizes.nonMated));
  const attacks = step(runAttacks(attacked, protectors, threshold, sizes, draws));
  const restarted = rootKeys.map((rootKey) => {
    const again = templates.protect(rootKey);
    const result = codesOf(again, faces);
    again.wipe();
    return result;
  });
  const found = {
    accuracy,
    sameAfterRestart: shareOfEqual(codes.flat(), restarted.flat()),
    separation,
    attacks,
    telemetry: options.telemetry.map((scheme) =>
      step(telemetryPrivacy(samples, scheme, templates, sizes, draws)),
    ),
  };
  const [first] = protectors;
  if (!first) throw new TypeError('an evaluation needs keys');
  const cost = step(protectionCost(samples, first, kernels, clock));
  for (const protector of protectors) protector.wipe();
  return {
    scheme: templates.name,
    sizes,
    faces: {
      pictures: samples.length,
      persons: new Set(samples.map(({ identity }) => identity)).size,
      targets: attacked.targets.length,
      strangers: attacked.strangers.length,
    },
    ...found,
    cost,
    verdicts: judge(found),
  };
}

/** Fewer would not fill one attack. */
const fewest = { targets: 10, strangers: 20 };

function checkFaces(targets: number, strangers: number): void {
  if (targets >= fewest.targets && strangers >= fewest.strangers) return;
  throw new AgentError(
    'INPUT_INVALID',
    `attacks on ${targets} persons with ${strangers} pictures of others show nothing: give ${2 * fewest.targets} persons with two pictures each, and others`,
  );
}

function codesOf(protector: Protector, { samples }: LabelledFaces): Uint8Array[] {
  return samples.map(({ embedding }) => codeOf(protector, embedding.values));
}

function shareOfEqual(codes: readonly Uint8Array[], again: readonly Uint8Array[]): number {
  const equal = codes.filter((code, i) => {
    const other = again[i];
    return other?.length === code.length && code.every((byte, at) => byte === other[at]);
  });
  return equal.length / codes.length;
}
