/** What two processes of a test must agree on without telling each other. */
import { createHash } from 'node:crypto';
import type { Kernels } from '../../ports.ts';
import { deriveKey } from '../../template/keys.ts';
import { createProtector } from '../../template/protect.ts';
import type { Allocate } from '../../template/secret-memory.ts';
import type { Embedding } from '../../template/template.ts';

export const keyedScope = { modelSha256: '3'.repeat(64), version: 1, dimensions: 128 } as const;

/** The n-th made-up face. */
export function patternedFace(n: number): Embedding {
  const values = Float32Array.from({ length: keyedScope.dimensions }, (_, j) =>
    Math.sin((n + 1) * 12.9898 * (j + 1)),
  );
  return { values, modelSha256: keyedScope.modelSha256 };
}

/** The same bytes each time, with no other copy of them than the one that is handed out. */
export function patternedRandom(allocate: Allocate): (sizeBytes: number) => Uint8Array {
  let state = 0x2545f491;
  return (sizeBytes) => {
    const bytes = allocate(sizeBytes);
    for (let i = 0; i < sizeBytes; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      bytes[i] = state >>> 11;
    }
    return bytes;
  };
}

/** What is made of this root key: at most 64 bytes of each, to be searched for. */
export function secretsOf(rootKey: Uint8Array, kernels: Pick<Kernels, 'project'>) {
  const matchKey = deriveKey(rootKey, 'match', keyedScope);
  const { dimensions } = keyedScope;
  const protector = createProtector({ ...keyedScope, rootKey, kernels });
  const codes = [1, 2, 3].map((face) => protector.template(patternedFace(face)).code);
  const { projections } = protector.probe(patternedFace(4));
  return {
    keys: { rootKey, matchKey, sealKey: deriveKey(rootKey, 'seal', keyedScope) },
    streams: {
      signs: streamOf(matchKey, `W/${dimensions}/4096`, 65_536),
      pad: streamOf(matchKey, `P/${dimensions}/4096`, 512),
    },
    // From the middle: malloc writes over the beginning of what is freed.
    codes: Object.fromEntries(codes.map((code, i) => [`code ${i + 1}`, code.subarray(200, 264)])),
    projections: new Uint8Array(projections.slice(100, 116).buffer),
  };
}

/** 64 bytes from the middle of SHAKE256(key || 00 || label). */
export function streamOf(key: Uint8Array, label: string, outputLength: number): Uint8Array {
  const hash = createHash('shake256', { outputLength });
  const stream = hash.update(key).update(Uint8Array.of(0)).update(label).digest();
  const middle = (outputLength >> 1) & ~7;
  return stream.subarray(middle, middle + 64);
}
