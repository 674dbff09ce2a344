import { hammingTopK } from '../../agent/gallery/top-k.ts';
import { loadKernels } from '../../agent/io/process/native.ts';
import { templateBytes } from '../../agent/template/template.ts';
import { medianMs } from './timing.ts';

export type SearchRow = {
  readonly templates: number;
  readonly nativeMs: number;
  readonly scriptMs: number;
  /** One pass over the same bytes by memcmp of two equal buffers of half the size: what reading costs. */
  readonly readMs: number;
  readonly partOfBandwidth: number;
};

/** 1:N over random templates of 512 bytes, the best 16, one thread; native, script, and the memory's own speed. */
export function searchRows(sizes: readonly number[]): SearchRow[] {
  const { kernels } = loadKernels();
  const probe = random(templateBytes);
  const rows = new Uint32Array(16);
  const distances = new Uint32Array(16);
  return sizes.map((templates) => {
    const codes = random(templates * templateBytes);
    const runs = templates >= 1e5 ? 9 : 51;
    const nativeMs = medianMs(runs, () => {
      kernels.hammingTopK(codes, templates, probe, rows, distances);
    });
    const scriptMs = medianMs(Math.min(runs, 9), () => {
      hammingTopK(codes, templates, probe, rows, distances);
    });
    const half = codes.length / 2;
    codes.copyWithin(half, 0, half);
    const first = Buffer.from(codes.buffer, 0, half);
    const second = Buffer.from(codes.buffer, half, half);
    const readMs = medianMs(runs, () => {
      if (!first.equals(second)) throw new Error('equal halves differ');
    });
    return { templates, nativeMs, scriptMs, readMs, partOfBandwidth: readMs / nativeMs };
  });
}

function random(sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  for (let at = 0; at < sizeBytes; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, Math.min(sizeBytes, at + 65_536)));
  }
  return bytes;
}
