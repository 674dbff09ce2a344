/**
 * A process that ends while a thread of it is within a model's run, which no thread can be called back from: see
 * threads.test.ts. Argument: its status.
 */
import { readFileSync } from 'node:fs';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { inPackage } from '../../io/files/package-root.ts';
import { endProcess, leaveThread } from '../../io/process/threads.ts';

const side = 96;

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url));
  worker.once('message', () => {
    leaveThread(worker);
    endProcess(Number(process.argv[2]));
  });
} else {
  const model = readFileSync(inPackage('agent/models/doorkeep-recogniser.onnx'));
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1 });
  const pixels = new Tensor('float32', new Float32Array(3 * side * side), [1, 3, side, side]);
  parentPort?.postMessage('running');
  for (;;) await session.run({ input: pixels });
}
