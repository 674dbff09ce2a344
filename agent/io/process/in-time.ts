import type { Timers } from './clock.ts';

/** What `work` settles to; 'too-late' if that takes longer. `work` then goes on, and what becomes of it, a failure too, is lost. */
export async function inTime<T>(
  work: Promise<T>,
  limitMs: number,
  timers: Timers,
): Promise<T | 'too-late'> {
  let cancel = () => {};
  const late = new Promise<'too-late'>((resolve) => {
    cancel = timers.after(limitMs, () => resolve('too-late'));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    cancel();
  }
}
