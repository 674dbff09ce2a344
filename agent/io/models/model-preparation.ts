import { AgentError } from '../../errors.ts';
import type { Model, ModelEntry } from '../../ports.ts';
import { sha256Of } from './model-bytes.ts';
import { firstDifference, type ProbeInput, probeInputs } from './model-probes.ts';
import { type PreluForm, preluForms, rewritePrelu } from './prelu-rewrite.ts';
import { openModelBytes } from './sessions.ts';

/** How a model is loaded on this device, and why so. */
export type Preparation = {
  readonly prepared: PreluForm | 'unchanged';
  /** Of the bytes onnxruntime gets: the original's own, if it is unchanged. */
  readonly preparedSha256: string;
  /** One line for a person. */
  readonly reason: string;
  /** Median of one inference with one thread, milliseconds; null where nothing was measured. */
  readonly originalMs: number | null;
  readonly preparedMs: number | null;
};

/**
 * Finds the fastest form of a verified model for this processor by trying: each form is first compared
 * with the original (model-probes.ts), then timed in turns with it. `file` is for messages.
 * MODEL_CORRUPT, MODEL_MISMATCH: the original itself cannot be used.
 */
export async function prepareModel(
  entry: ModelEntry,
  bytes: Uint8Array,
  file: string,
): Promise<Preparation> {
  const original = await openModelBytes(entry, bytes, { file, threads: 1 });
  const open: Model[] = [original];
  try {
    const probes = probeInputs(entry);
    const trials: Trial[] = [];
    const models: Model[] = [];
    for (const { form, sha256, rewritten } of distinctForms(bytes)) {
      const model = await openForm(entry, rewritten, `${file} as ${form}`);
      if (typeof model !== 'string') open.push(model);
      const fault =
        typeof model === 'string' ? model : await firstDifference(original, model, probes);
      trials.push({ form, sha256, fault });
      if (fault === undefined && typeof model !== 'string') models.push(model);
    }
    const [originalMs, ...formMs] =
      models.length === 0 ? [] : await medianTimes([original, ...models], probes);
    return choose(sha256Of(bytes), trials, originalMs, formMs);
  } finally {
    for (const model of open) await model.close();
  }
}

/** A form that was tried; `fault` says why it cannot be used. */
export type Trial = {
  readonly form: PreluForm;
  readonly sha256: string;
  readonly fault: string | undefined;
};

/** A form must save at least this share of the time: less is noise, and the original is the simpler. */
const leastSaving = 0.05;

/**
 * The rule: of the forms without a fault (`formMs` are their medians, in order) the one with the least
 * time, if it saves enough; of equals the first.
 */
export function choose(
  originalSha256: string,
  trials: readonly Trial[],
  originalMs: number | undefined,
  formMs: readonly number[],
): Preparation {
  const unchanged = { prepared: 'unchanged', preparedSha256: originalSha256 } as const;
  if (trials.length === 0) {
    const reason = 'it has no PRelu that could be put otherwise';
    return { ...unchanged, reason, originalMs: null, preparedMs: null };
  }
  const refused = trials.flatMap(({ form, fault }) =>
    fault === undefined ? [] : [`${form} refused: ${fault}`],
  );
  const preparedMs = Math.min(...formMs);
  const best = trials.filter(({ fault }) => fault === undefined)[formMs.indexOf(preparedMs)];
  if (!best || originalMs === undefined) {
    return { ...unchanged, reason: refused.join('; '), originalMs: null, preparedMs: null };
  }
  const times = `${best.form} ${preparedMs.toFixed(2)} ms, original ${originalMs.toFixed(2)} ms`;
  const reason = [times, ...refused].join('; ');
  if (preparedMs > originalMs * (1 - leastSaving)) {
    return { ...unchanged, reason: `not faster: ${reason}`, originalMs, preparedMs: null };
  }
  return { prepared: best.form, preparedSha256: best.sha256, reason, originalMs, preparedMs };
}

/** The forms that change something, without those that come to the same bytes. */
function distinctForms(bytes: Uint8Array) {
  const forms: { form: PreluForm; sha256: string; rewritten: Uint8Array }[] = [];
  for (const form of preluForms) {
    const { bytes: rewritten, rewritten: count } = rewritePrelu(bytes, form);
    const sha256 = sha256Of(rewritten);
    if (count === 0 || forms.some((other) => other.sha256 === sha256)) continue;
    forms.push({ form, sha256, rewritten });
  }
  return forms;
}

/** A text: why onnxruntime does not take this form. */
async function openForm(
  entry: ModelEntry,
  bytes: Uint8Array,
  file: string,
): Promise<Model | string> {
  try {
    return await openModelBytes(entry, bytes, { file, threads: 1 });
  } catch (fault) {
    if (fault instanceof AgentError) return fault.message;
    throw fault;
  }
}

/** Runs that are not counted, then runs that are: the models in turns, so that a busy moment hits all. */
const warmUpRuns = 2;
const timedRuns = 9;

async function medianTimes(
  models: readonly Model[],
  [probe]: readonly ProbeInput[],
): Promise<number[]> {
  const times = models.map((): number[] => []);
  for (let round = 0; probe && round < warmUpRuns + timedRuns; round++) {
    for (const [index, model] of models.entries()) {
      const startedAt = performance.now();
      await model.run(probe.tensor, probe.shape);
      if (round >= warmUpRuns) times[index]?.push(performance.now() - startedAt);
    }
  }
  return times.map(median);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
