import type { EmbeddingEntry, Kernels } from '../ports.ts';
import { createProtector, type Protector } from '../template/protect.ts';
import type { Marker } from '../ueip/attempt-rows.ts';
import type { RandomBytes } from '../ueip/random.ts';
import { createTelemetryCodes, type TelemetryBits } from '../ueip/telemetry-code.ts';

/** A way of protecting templates, as an evaluation sees it: the product's, or a wrong one in a test. */
export type TemplateScheme = {
  readonly name: string;
  /** A device that has just started, with this key. */
  protect(rootKey: Uint8Array): Protector;
};

/** A way of marking attempts for the improvement programme. */
export type TelemetryScheme = {
  readonly name: string;
  /** A process that has just started on the device with this root key, which it may use or not. */
  start(rootKey: Uint8Array): Marker;
};

/** What the product does. */
export function productTemplates(
  { sha256: modelSha256, dimensions }: Pick<EmbeddingEntry, 'sha256' | 'dimensions'>,
  version: number,
  kernels: Pick<Kernels, 'project'>,
): TemplateScheme {
  return {
    name: 'UFC-1',
    protect: (rootKey) => createProtector({ rootKey, modelSha256, version, dimensions, kernels }),
  };
}

/** What the product does: the root key has no part in it. */
export function productTelemetry(
  bits: TelemetryBits,
  dimensions: number,
  kernels: Pick<Kernels, 'project'>,
  random: RandomBytes,
): TelemetryScheme {
  return {
    name: `UFC-T ${bits}`,
    start: () => createTelemetryCodes({ bits, dimensions, kernels, random }),
  };
}
