/** Runs one thing that must be so, and says how long it took; the name of one that is not so comes first in its error. */
export async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  const startedMs = performance.now();
  const tookS = () => ((performance.now() - startedMs) / 1000).toFixed(1);
  try {
    const result = await work();
    console.log(`ok      ${tookS().padStart(5)} s  ${name}`);
    return result;
  } catch (cause) {
    console.log(`FAILED  ${tookS().padStart(5)} s  ${name}`);
    throw cause;
  }
}
