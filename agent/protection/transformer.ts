import type { Kernels } from '../ports.ts';
import { createCoder } from '../template/coder.ts';
import { createProtector } from '../template/protect.ts';
import type { Marker } from '../ueip/attempt-rows.ts';
import type { RandomBytes } from '../ueip/random.ts';
import { createTelemetryCodes, type TelemetryBits } from '../ueip/telemetry-code.ts';

/** One code, of a key and an embedding that somebody outside has chosen. */
export type TransformRequest = { readonly embedding: Float32Array } & (
  | { readonly under: 'key'; readonly key: Uint8Array; readonly bits: number }
  | {
      /** A device's template. */
      readonly under: 'root';
      readonly rootKey: Uint8Array;
      readonly modelSha256: string;
      readonly version: number;
    }
  | {
      /** A telemetry code. */
      readonly under: 'epoch';
      readonly rootKey: Uint8Array;
      readonly localDate: string;
      /** One label: one start of the process on a device, as long as it is remembered. */
      readonly label: string;
      readonly bits: TelemetryBits;
    }
);

/** `epoch`: the name of the one the code belongs to, of telemetry codes only. */
export type Transformed = { readonly code: Uint8Array; readonly epoch: string | null };

export type Transformer = {
  /** @throws MODEL_CORRUPT for an embedding that is no direction */
  transform(request: TransformRequest): Transformed;
  wipe(): void;
};

/**
 * The product's own coder, protector and epochs, open to an evaluation from outside. The root key has no part in
 * telemetry codes, here as in the product: it only tells devices apart.
 */
export function createTransformer(options: {
  readonly kernels: Pick<Kernels, 'project'>;
  readonly random: RandomBytes;
}): Transformer {
  const { kernels, random } = options;
  const coders = createStock<Coding>(codersAtOnce);
  const markers = createStock<Marking>(startsAtOnce);

  function coding(request: Exclude<TransformRequest, { under: 'epoch' }>): Coding {
    const dimensions = request.embedding.length;
    if (request.under === 'key') {
      const { key, bits } = request;
      return coders.get(`key ${hex(key)} ${dimensions} ${bits}`, () => {
        const coder = createCoder({ key, dimensions, bits, kernels });
        return { code: (values) => coder.encode(values).code.slice(), wipe: coder.wipe };
      });
    }
    const { rootKey, modelSha256, version } = request;
    return coders.get(`root ${hex(rootKey)} ${dimensions} ${modelSha256} ${version}`, () => {
      const shape = { rootKey, modelSha256, version, dimensions, kernels };
      const protector = createProtector(shape);
      return {
        code: (values) => protector.template({ values, modelSha256 }).code,
        wipe: protector.wipe,
      };
    });
  }
  return {
    transform(request) {
      const { embedding } = request;
      if (request.under !== 'epoch') {
        return { code: coding(request).code(embedding), epoch: null };
      }
      const { rootKey, localDate, label, bits } = request;
      const dimensions = embedding.length;
      const start = `${hex(rootKey)} ${dimensions} ${bits} ${label}`;
      const { marker } = markers.get(start, () => {
        const made = createTelemetryCodes({ bits, dimensions, kernels, random });
        return { marker: made, wipe: made.end };
      });
      const mark = marker.mark(localDate, embedding);
      if (mark.kind !== 'code' || mark.code === null) throw new TypeError('a face gave no code');
      return { code: mark.code, epoch: mark.epoch };
    },
    wipe() {
      coders.clear();
      markers.clear();
    },
  };
}

type Coding = { code(values: Float32Array): Uint8Array; wipe(): void };
type Marking = { readonly marker: Marker; wipe(): void };

/** The signs of one of 4,096 bits and 512 dimensions take 256 KiB. */
const codersAtOnce = 32;
const startsAtOnce = 1024;

/** What was made once is kept for the next time; of too many, the one longest unused is wiped. */
function createStock<T extends { wipe(): void }>(capacity: number) {
  const stock = new Map<string, T>();
  return {
    get(name: string, make: () => T): T {
      const found = stock.get(name) ?? make();
      stock.delete(name);
      stock.set(name, found);
      const [oldest] = stock;
      if (oldest && stock.size > capacity) {
        stock.delete(oldest[0]);
        oldest[1].wipe();
      }
      return found;
    },
    clear(): void {
      for (const each of stock.values()) each.wipe();
      stock.clear();
    },
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
