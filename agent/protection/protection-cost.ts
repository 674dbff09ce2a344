import type { Clock, Kernels } from '../ports.ts';
import type { Protector } from '../template/protect.ts';
import { codeOf } from './attacks.ts';
import type { FaceSample } from './labelled-faces.ts';

/** What protection costs on this machine. Times are means over all samples, of the fastest of five passes. */
export type ProtectionCost = {
  readonly bits: number;
  /** From the embedding to the code. */
  readonly transformMs: number;
  /** Of two codes, as the gallery is searched. */
  readonly hammingMs: number;
  /** Of a probe and a code: the second look at the nearest. */
  readonly softScoreMs: number;
};

export function protectionCost(
  samples: readonly FaceSample[],
  protector: Protector,
  kernels: Pick<Kernels, 'hammingTopK'>,
  clock: Pick<Clock, 'monotonicMs'>,
): ProtectionCost {
  const [first] = samples;
  if (!first) throw new TypeError('the cost is measured on at least one face');
  const timed = (pass: () => void): number => {
    let fastest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < passes; i++) {
      const begun = clock.monotonicMs();
      pass();
      fastest = Math.min(fastest, clock.monotonicMs() - begun);
    }
    return fastest / samples.length;
  };
  const codes = samples.map(({ embedding }) => codeOf(protector, embedding.values));
  const sizeBytes = codes[0]?.length ?? 0;
  const gallery = new Uint8Array(codes.length * sizeBytes);
  codes.forEach((code, i) => {
    gallery.set(code, i * sizeBytes);
  });
  const rows = new Uint32Array(nearest);
  const distances = new Uint32Array(nearest);
  const transformMs = timed(() => {
    for (const { embedding } of samples) protector.probe(embedding);
  });
  const probe = protector.probe(first.embedding);
  const cost = {
    bits: sizeBytes * 8,
    transformMs,
    hammingMs: timed(() => {
      kernels.hammingTopK(gallery, codes.length, probe.code, rows, distances);
    }),
    softScoreMs: timed(() => {
      for (const code of codes) protector.softScore(probe, code);
    }),
  };
  protector.forget();
  return cost;
}

const passes = 5;
/** As many as the gallery's search looks at a second time. */
const nearest = 16;
