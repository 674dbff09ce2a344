import type { StepReport } from '../../rights/receipt.ts';
import { startChildStream } from '../camera/child-stream.ts';
import type { Timers } from '../process/clock.ts';

const killMs = 2_000;

/**
 * Runs the device maker's program that wipes the volume of the records (volume.erase): no shell, no input, and it
 * has `timeoutMs`. Status 0 is all that counts as done.
 */
export async function eraseVolume(
  argv: readonly string[],
  timers: Timers,
  timeoutMs = 60_000,
): Promise<StepReport> {
  if (argv.length === 0) return { result: 'nothing-there' };
  let isLate = false;
  const child = startChildStream({ argv, env: {}, killMs, timers, onChunk: () => {} });
  const cancel = timers.after(timeoutMs, () => {
    isLate = true;
    void child.stop();
  });
  const end = await child.ended;
  cancel();
  if (isLate) return { result: 'failed', code: 'timeout' };
  if (end.kind === 'not-started') return { result: 'failed', code: end.errorCode };
  if (end.exitCode === 0) return { result: 'done' };
  return { result: 'failed', code: end.signal ?? `exit-${end.exitCode}` };
}
