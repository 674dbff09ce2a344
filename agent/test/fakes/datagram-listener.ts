import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { eventually } from './eventually.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Listens at a unix datagram socket, which Node cannot; lines of "sender's process, message". */
export async function datagramListener(name: string): Promise<{ lines(): readonly string[] }> {
  const source = fileURLToPath(new URL('./datagram-listener.c', import.meta.url));
  const program = join(temporaryFolder(), 'datagram-listener');
  execFileSync('cc', ['-o', program, source]);
  const child = spawn(program, [name], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  const lines = () => text.split('\n').slice(0, -1);
  await eventually(() => lines().length > 0 || child.exitCode !== null);
  if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
  return { lines: () => lines().slice(1) };
}
