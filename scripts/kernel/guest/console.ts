/** Checks, one line each on the console of the virtual machine. */
import { setTimeout } from 'node:timers/promises';
import { systemClock } from '../../../agent/io/process/clock.ts';

let failed = 0;

/** True: all was well. `run` says what it has found, or throws. */
export async function check(what: string, run: () => Promise<string>): Promise<boolean> {
  const startedAtMs = systemClock.monotonicMs();
  const seconds = () => ((systemClock.monotonicMs() - startedAtMs) / 1000).toFixed(1);
  try {
    const detail = await run();
    say(`ok ${what}: ${detail} (${seconds()} s)`);
    return true;
  } catch (error) {
    failed++;
    say(`FAILED ${what}: ${error instanceof Error ? error.message : error} (${seconds()} s)`);
    return false;
  }
}

/** The last line: how many failed. */
export function conclude(): void {
  say(failed === 0 ? 'ALL WELL' : `${failed} FAILED`);
}

export function say(line: string): void {
  process.stdout.write(`kernel: ${line}\n`);
}

export function expect(isSo: boolean, otherwise: string): void {
  if (!isSo) throw new Error(otherwise);
}

export async function until(isSo: () => boolean, mostMs: number): Promise<void> {
  const endMs = systemClock.monotonicMs() + mostMs;
  while (!isSo()) {
    expect(systemClock.monotonicMs() < endMs, `it did not happen within ${mostMs / 1000} s`);
    await setTimeout(5);
  }
}
