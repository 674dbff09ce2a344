import type { Worker } from 'node:worker_threads';
import { loadProcess } from './native.ts';

/** Threads that were left to themselves, and are still there. */
const left = new Set<Worker>();

/**
 * Waits no longer for a thread that does not end when it is told to. It is never terminated: Node's `terminate()`
 * makes the next call of Node-API fail, and onnxruntime-node and better-sqlite3 abort the whole process at that.
 */
export function leaveThread(worker: Worker): void {
  left.add(worker);
  worker.once('exit', () => left.delete(worker));
}

/**
 * The last call of a process. Node would terminate the threads that are left, and wait for them: with some left the
 * process ends at once, with the same status (by SIGKILL where there is no addon).
 */
export function endProcess(status: number): void {
  process.exitCode = status;
  if (left.size === 0) return;
  const loaded = loadProcess();
  if (loaded.kind === 'loaded') loaded.process.exitNow(status);
  process.kill(process.pid, 'SIGKILL');
}
