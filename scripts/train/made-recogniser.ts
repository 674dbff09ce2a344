import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export type RecogniserFiles = { readonly float32: string; readonly int8: string };

/**
 * Exports a checkpoint and quantises it, into `folder`. `python` must have what both scripts need (README.md).
 * `faces`: folders of aligned crops, to calibrate the int8 form with.
 */
export async function makeRecogniser(
  checkpoint: string,
  faces: readonly string[],
  { python, folder }: { readonly python: string; readonly folder: string },
): Promise<RecogniserFiles> {
  const float32 = join(folder, 'recogniser.onnx');
  const int8 = join(folder, 'recogniser-int8.onnx');
  await run(python, 'recogniser.py', 'export', '--checkpoint', checkpoint, '--onnx', float32);
  await run(python, 'quantise.py', '--onnx', float32, '--out', int8, '--faces', ...faces);
  return { float32, int8 };
}

async function run(python: string, script: string, ...words: string[]): Promise<void> {
  const { stdout } = await promisify(execFile)(python, [inThisFolder(script), ...words]);
  process.stdout.write(stdout);
}

function inThisFolder(script: string): string {
  return fileURLToPath(new URL(script, import.meta.url));
}
