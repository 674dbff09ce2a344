import type { InferenceSession } from 'onnxruntime-node';
import { AgentError } from '../../errors.ts';
import type { Model, ModelEntry, ModelOutputs, TensorSpec } from '../../ports.ts';
import { reasonOf } from '../files/file-fault.ts';
import { readModelBytes, sha256Of } from './model-bytes.ts';
import { createSession, loadRuntime } from './onnx-runtime.ts';
import { type PreluForm, rewritePrelu } from './prelu-rewrite.ts';

/** A form of a model that was compared with the original on this device (model-preparation.ts). */
export type CheckedForm = { readonly form: PreluForm; readonly sha256: string };

/**
 * Loads a model once its bytes are proved to be those of its manifest entry: the session is made of
 * the buffer that was hashed, so that nothing can be exchanged in between. `checked` puts PRelu nodes
 * in other words first; the result must be the one that was checked.
 *
 * MODEL_MISSING: no such file. MODEL_CORRUPT: other bytes, or no ONNX model. MODEL_MISMATCH: the
 * model's inputs or outputs are not those of the entry.
 */
export async function openModel<E extends ModelEntry>(
  entry: E,
  file: string,
  options: { readonly threads?: number; readonly checked?: CheckedForm | undefined } = {},
): Promise<Model<E>> {
  const original = await readModelBytes(entry, file);
  const { threads = 1, checked } = options;
  return openModelBytes(entry, checked ? rewritten(entry, original, checked) : original, {
    file,
    threads,
  });
}

/** The same for bytes whose origin the caller vouches for. `file` is for messages. */
export async function openModelBytes<E extends ModelEntry>(
  entry: E,
  bytes: Uint8Array,
  { file, threads }: { readonly file: string; readonly threads: number },
): Promise<Model<E>> {
  const session = await startSession(entry, bytes, file, threads);
  const differences = interfaceDifferences(entry, session);
  if (differences.length > 0) {
    await session.release();
    const message = `model ${entry.name}: ${file} does not fit its manifest entry: ${differences.join('; ')}`;
    throw new AgentError('MODEL_MISMATCH', message);
  }
  return modelOf(entry, session);
}

function rewritten(entry: ModelEntry, original: Uint8Array, checked: CheckedForm): Uint8Array {
  const { bytes } = rewritePrelu(original, checked.form);
  if (sha256Of(bytes) !== checked.sha256) {
    const message = `model ${entry.name}: its form ${checked.form} is not the one that was checked on this device`;
    throw new AgentError('MODEL_CORRUPT', message);
  }
  return bytes;
}

async function startSession(entry: ModelEntry, bytes: Uint8Array, file: string, threads: number) {
  try {
    return await createSession(bytes, threads);
  } catch (cause) {
    const message = `model ${entry.name}: ${file} cannot be loaded (${reasonOf(cause)})`;
    throw new AgentError('MODEL_CORRUPT', message, { cause });
  }
}

async function modelOf<E extends ModelEntry>(
  entry: E,
  session: InferenceSession,
): Promise<Model<E>> {
  const { Tensor } = await loadRuntime();
  let open = true;
  return {
    entry,
    async run(input, shape) {
      if (!open) throw new TypeError(`model ${entry.name} is closed`);
      checkInput(entry, input, shape);
      const feeds = { [entry.input.name]: new Tensor('float32', input, shape) };
      return outputsOf(entry, await infer(entry, session, feeds));
    },
    async close() {
      if (!open) return;
      open = false;
      await session.release();
    },
  };
}

async function infer(
  entry: ModelEntry,
  session: InferenceSession,
  feeds: InferenceSession.FeedsType,
): Promise<InferenceSession.ReturnType> {
  try {
    // Outputs given beforehand (`fetches`) save nothing: 2.27 ms with and without, YuNet at 320×192.
    return await session.run(feeds);
  } catch (cause) {
    const message = `model ${entry.name}: inference failed (${reasonOf(cause)})`;
    throw new AgentError('INTERNAL', message, { cause });
  }
}

function checkInput(entry: ModelEntry, input: Float32Array, shape: readonly number[]): void {
  const { input: spec, name } = entry;
  const fits =
    matches(spec.shape, shape) &&
    shape.slice(2).every((side) => side > 0 && side % spec.multipleOf === 0);
  const size = shape.reduce((product, side) => product * side, 1);
  if (fits && input.length === size) return;
  const wanted = `[${spec.shape.join(', ')}] in multiples of ${spec.multipleOf}`;
  throw new TypeError(
    `model ${name}: input of ${input.length} values as [${shape.join(', ')}], wanted ${wanted}`,
  );
}

function outputsOf(entry: ModelEntry, results: InferenceSession.ReturnType): ModelOutputs {
  const outputs: Record<string, Float32Array> = {};
  for (const spec of entry.outputs) {
    const result = results[spec.name];
    if (!(result?.data instanceof Float32Array) || !matches(spec.shape, result.dims)) {
      const got = result ? `${result.type} [${result.dims.join(', ')}]` : 'nothing';
      const message = `model ${entry.name}: output ${spec.name} is ${got}, the manifest says [${spec.shape.join(', ')}]`;
      throw new AgentError('MODEL_MISMATCH', message);
    }
    if (entry.task === 'embedding') checkFinite(entry, result.data);
    outputs[spec.name] = result.data;
  }
  return outputs;
}

/**
 * An embedding that is not finite would compare as "unlike everybody" for ever, or be enrolled: the
 * weights are broken although their hash is right. Other outputs are clamped where they are used.
 */
function checkFinite(entry: ModelEntry, values: Float32Array): void {
  if (values.every(Number.isFinite)) return;
  throw new AgentError('MODEL_CORRUPT', `model ${entry.name}: its output is not a number`);
}

/** Every way in which the session is not what the entry says. */
function interfaceDifferences(entry: ModelEntry, session: InferenceSession): string[] {
  return [
    ...tensorDifferences('input', [entry.input], session.inputMetadata),
    ...tensorDifferences('output', entry.outputs, session.outputMetadata),
  ];
}

function tensorDifferences(
  kind: 'input' | 'output',
  declared: readonly TensorSpec[],
  actual: readonly InferenceSession.ValueMetadata[],
): string[] {
  const differences = declared.flatMap((spec) => {
    const found = actual.find(({ name }) => name === spec.name);
    if (!found) return [`${kind} ${spec.name} is not there`];
    if (!found.isTensor || found.type !== 'float32') return [`${kind} ${spec.name} is not float32`];
    if (compatible(spec.shape, found.shape)) return [];
    return [`${kind} ${spec.name} is [${found.shape.join(', ')}], not [${spec.shape.join(', ')}]`];
  });
  const undeclared = actual.filter(({ name }) => !declared.some((spec) => spec.name === name));
  return [...differences, ...undeclared.map(({ name }) => `${kind} ${name} is not declared`)];
}

/** A declared number fits itself and a free dimension; a declared letter fits only a free one. */
function compatible(
  declared: readonly (number | string)[],
  actual: readonly (number | string)[],
): boolean {
  return (
    declared.length === actual.length &&
    declared.every((side, axis) => typeof actual[axis] === 'string' || actual[axis] === side)
  );
}

/** A letter fits any number. */
function matches(declared: readonly (number | string)[], actual: readonly number[]): boolean {
  return (
    declared.length === actual.length &&
    declared.every((side, axis) => typeof side === 'string' || actual[axis] === side)
  );
}
