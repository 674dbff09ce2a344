import { quantile } from '../../agent/recognition/quantile.ts';

/** Median of `runs` timed calls, after a tenth of them untimed. */
export function medianMs(runs: number, work: () => void): number {
  for (let n = 0; n <= runs / 10; n++) work();
  return quantile(
    Array.from({ length: runs }, () => {
      const start = performance.now();
      work();
      return performance.now() - start;
    }),
    0.5,
  );
}

export type Spread = { readonly p50: number; readonly p95: number; readonly p99: number };

export function spread(values: readonly number[]): Spread {
  return { p50: quantile(values, 0.5), p95: quantile(values, 0.95), p99: quantile(values, 0.99) };
}
