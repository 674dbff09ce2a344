/** Something to be done later, unless it is cancelled; cancelling too late does nothing. */
export type Timers = { after(delayMs: number, run: () => void): () => void };

/** Resolves after the time, or at once when the signal is aborted. */
export function pause(timers: Timers, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const over = () => {
      cancel();
      signal.removeEventListener('abort', over);
      resolve();
    };
    const cancel = timers.after(delayMs, over);
    signal.addEventListener('abort', over);
  });
}
