import type { Kernels } from '../ports.ts';
import { createCoder } from '../template/coder.ts';
import { type Allocate, ordinaryMemory } from '../template/secret-memory.ts';
import type { Marker } from './attempt-rows.ts';
import { createEpochs } from './epoch.ts';
import type { RandomBytes } from './random.ts';

/** 24 is the ceiling, 16 the strict setting: longer codes could be matched with a pile of photos (docs/privacy.md). */
export type TelemetryBits = 24 | 16;

/**
 * With a resemblance as noisy as that of 24 bits, matching the codes of an epoch with photos of the same
 * people needs at least 244 of them (Wu, Xu and Yu, 2021). So no epoch has more than about half as many.
 */
export const codesPerEpoch = 128;

/**
 * UFC-T: the steps of UFC-1 with few bits, under the key of an epoch. Each code alone is a one-time pad
 * of the face: every code is equally likely for every face. The codes of one epoch tell who resembles
 * whom, roughly; those of two epochs nothing.
 */
export function createTelemetryCodes(options: {
  readonly bits: TelemetryBits;
  readonly dimensions: number;
  readonly kernels: Pick<Kernels, 'project'>;
  readonly random: RandomBytes;
  readonly allocate?: Allocate;
}): Marker {
  const { bits, dimensions, kernels, random, allocate = ordinaryMemory } = options;
  const epochs = createEpochs({
    random,
    begin(key) {
      const coder = createCoder({ key, dimensions, bits, kernels, allocate });
      return { coder, codes: 0, wipe: coder.wipe };
    },
  });
  return {
    mark(localDate, values) {
      const { id: epoch, content } = epochs.at(localDate);
      if (values === undefined) return { kind: 'code', epoch, code: null };
      const code = new Uint8Array(content.coder.encode(values).code);
      content.coder.forget();
      content.codes += 1;
      if (content.codes >= codesPerEpoch) epochs.end();
      return { kind: 'code', epoch, code };
    },
    keepOnly: epochs.keepOnly,
    end: epochs.end,
  };
}
