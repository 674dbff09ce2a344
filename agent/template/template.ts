/** The model's output, L2-normalised. Lives in memory for one attempt; never stored, logged or sent. */
export type Embedding = {
  readonly values: Float32Array;
  readonly modelSha256: string;
};

/** UFC-1 code of a face: 512 bytes that mean nothing without the device's key. */
export type Template = {
  readonly code: Uint8Array;
  readonly modelSha256: string;
  readonly version: number;
};

/** A fresh template together with the projections it was made of, for the soft re-scoring. */
export type Probe = Template & { readonly projections: Int32Array };

/** Bits of a template (templates of 4,096 bits lose nothing that can be measured: docs/privacy.md). */
export const templateBits = 4096;
export const templateBytes = templateBits / 8;
