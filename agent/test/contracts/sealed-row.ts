import type { SealedTemplate } from '../../ports.ts';

/** A sealed row with bytes that tell it from every other. */
export function sealed(
  residentId: string,
  n: number,
  more: Partial<SealedTemplate> = {},
): SealedTemplate {
  const bytes = Uint8Array.from(
    { length: 540 },
    (_, i) => (Math.imul(n + 1, 2654435761 + i) >>> 13) & 255,
  );
  return {
    rowId: `row-${n}`,
    residentId,
    label: null,
    modelSha256: 'a'.repeat(64),
    version: 1,
    sealed: bytes,
    createdAt: 100 + n,
    ...more,
  };
}
