import { decisionOf, type Vision } from '../agent.ts';
import { type CalibrationResult, runCalibration } from '../calibration.ts';
import type { Acquire } from '../gallery/acquisition.ts';
import type { EvaluationSet } from '../io/measuring/evaluation-run.ts';
import { galleryStatus } from '../renewal.ts';
import type { Context } from './command.ts';
import { lookAlikeText } from './gallery-text.ts';

/** `evaluate --calibrate`: the threshold, how to set it, and whom of this device it could confuse. */
export async function reportCalibration(
  context: Context,
  set: EvaluationSet,
  acquire: Acquire,
  vision: Vision,
  keys: number,
): Promise<void> {
  const progress = context.terminal.progress('pictures');
  const { margin } = decisionOf(context.config, vision.entry);
  const found = await runCalibration(set, acquire, vision, { keys, margin }, progress.update);
  progress.end();
  const status = await galleryStatus({
    ...context,
    config: { ...context.config, 'match.threshold': found.threshold },
  });
  context.terminal.result(
    { ...found, lookAlikes: status.lookAlikes },
    [calibrationText(found), ...lookAlikeText(status)].join('\n'),
  );
}

function calibrationText({
  model,
  threshold,
  target,
  residents,
  perKey,
}: CalibrationResult): string {
  const range = (values: readonly number[], text: (value: number) => string) =>
    `${text(Math.min(...values))} to ${text(Math.max(...values))}`;
  const asked = range(
    perKey.map((key) => key.threshold),
    (value) => value.toFixed(4),
  );
  const missed = range(
    perKey.map((key) => key.missRate),
    (value) => `${(value * 100).toFixed(2)} %`,
  );
  const most = `${target.rate} ≤ ${target.most * 100} %`;
  const miss = target.rate === 'FPIR' ? 'FNIR' : 'FNMR';
  return [
    `${model}: threshold ${threshold}`,
    `${most}${residents === null ? '' : ` with ${residents} residents`}: ${asked} under ${perKey.length} keys, ${miss} ${missed}`,
    `set it with --set match.threshold=${threshold}, in doorkeep.json, or as "threshold" in the model's manifest entry`,
  ].join('\n');
}
