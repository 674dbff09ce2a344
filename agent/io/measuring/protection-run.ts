import { type Acquire, acquireAll } from '../../gallery/acquisition.ts';
import type { Clock, EmbeddingEntry, Kernels } from '../../ports.ts';
import { createDraws } from '../../protection/draws.ts';
import { facesOfIdentities, facesOfPairs } from '../../protection/labelled-faces.ts';
import {
  evaluateProtection,
  type ProtectionEvaluation,
  type ProtectionSizes,
} from '../../protection/protection-evaluation.ts';
import { productTelemetry, productTemplates } from '../../protection/scheme.ts';
import { seededChance } from '../process/seeded-chance.ts';
import type { Terminal } from '../process/terminal.ts';
import type { EvaluationSet } from './evaluation-run.ts';

export type ProtectionRun = {
  readonly set: EvaluationSet;
  readonly acquire: Acquire;
  readonly vision: { readonly entry: EmbeddingEntry; readonly kernels: Kernels };
  readonly templateVersion: number;
  readonly clock: Clock;
  /** Keys, and whatever else is drawn by lot. */
  readonly seed: string;
  readonly sizes: Partial<ProtectionSizes>;
  readonly progress: Terminal['progress'];
};

/** Every picture once through the models; then the product's own schemes are evaluated on the embeddings. */
export async function runProtection(run: ProtectionRun): Promise<ProtectionEvaluation> {
  const { set, acquire, vision, templateVersion, clock, seed, sizes } = run;
  const { entry, kernels } = vision;
  const pictures = run.progress('pictures');
  const acquired = await acquireAll(picturesIn(set), acquire, pictures.update);
  pictures.end();
  const random = seededChance(seed);
  const draws = createDraws(random);
  const faces =
    'pairs' in set
      ? facesOfPairs(set.pairs, acquired, draws)
      : facesOfIdentities(set.gallery, set.visits, acquired, draws);
  const measured = run.progress('measurements');
  try {
    return evaluateProtection({
      faces,
      acquired,
      templates: productTemplates(entry, templateVersion, kernels),
      telemetry: ([24, 16] as const).map((bits) =>
        productTelemetry(bits, entry.dimensions, kernels, random),
      ),
      kernels,
      clock,
      draws,
      sizes,
      onStep: measured.update,
    });
  } finally {
    measured.end();
  }
}

function picturesIn(set: EvaluationSet): string[] {
  if ('pairs' in set) return set.pairs.flatMap(({ probe, reference }) => [probe, reference]);
  const { gallery, visits } = set;
  return [...gallery.map(({ picture }) => picture), ...visits.flatMap(({ pictures }) => pictures)];
}
