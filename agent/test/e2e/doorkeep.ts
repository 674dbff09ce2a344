import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const launcher = fileURLToPath(new URL('../../../scripts/doorkeep', import.meta.url));

export type Ran = {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The lines of stdout as JSON. */
  json(): unknown[];
};

/** Runs the command line as a person would, with `input` on its standard input and `env` besides its own. */
export function doorkeep(
  args: readonly string[],
  input?: Uint8Array,
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const child = spawn(launcher, args, { stdio: 'pipe', env: { ...process.env, ...env } });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  // A program that refuses its input closes it: that is its right.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      const json = () =>
        stdout
          .trim()
          .split('\n')
          .map((line): unknown => JSON.parse(line));
      resolve({ status, stdout, stderr, json });
    });
  });
}
