import { setTimeout } from 'node:timers/promises';

/** Waits until a real process or thread has got there; if it never does, the test runs out of time. */
export async function eventually(isSo: () => boolean): Promise<void> {
  while (!isSo()) await setTimeout(1);
}
