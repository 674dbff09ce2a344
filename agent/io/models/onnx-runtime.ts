import type * as Ort from 'onnxruntime-node';

export type Runtime = typeof Ort;

let loaded: Promise<Runtime> | undefined;

/**
 * onnxruntime-node, loaded when the first model is opened: commands without a model start faster.
 * Later versions of the library report its use to their maker unless this variable is set before
 * they load. The one that is pinned does not (a test says so); it is set all the same.
 */
export function loadRuntime(): Promise<Runtime> {
  process.env['ORT_DISABLE_TELEMETRY'] = '1';
  loaded ??= import('onnxruntime-node').then((runtime) => {
    // Faults come as exceptions, which name the model; the library's own words stay off the console.
    runtime.env.logLevel = 'error';
    return runtime;
  });
  return loaded;
}

/**
 * `bytes` may be released afterwards. Layout-aware optimisation ('all') is worth a factor of two to
 * three on x64. A second thread that spins, which is the preset, burns the processor after every
 * inference while it waits for the next.
 * Rejects with onnxruntime's own error.
 */
export async function createSession(
  bytes: Uint8Array,
  threads: number,
): Promise<Ort.InferenceSession> {
  const { InferenceSession } = await loadRuntime();
  return InferenceSession.create(bytes, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    interOpNumThreads: 1,
    intraOpNumThreads: threads,
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
}
