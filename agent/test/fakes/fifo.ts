import { execFileSync } from 'node:child_process';

/** Node cannot make a FIFO itself. */
export function makeFifo(path: string): void {
  execFileSync('sh', ['-c', 'mkfifo "$1"', 'sh', path]);
}
