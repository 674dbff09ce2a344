import { seededChance } from '../../io/process/seeded-chance.ts';
import type { Kernels } from '../../ports.ts';
import type { TelemetryScheme, TemplateScheme } from '../../protection/scheme.ts';
import { createCoder } from '../../template/coder.ts';
import { createProtector, type Protector } from '../../template/protect.ts';
import type { Embedding } from '../../template/template.ts';
import type { Marker } from '../../ueip/attempt-rows.ts';
import { createTelemetryCodes } from '../../ueip/telemetry-code.ts';

type Parts = {
  readonly modelSha256: string;
  readonly dimensions: number;
  readonly kernels: Pick<Kernels, 'project'>;
};
const fixedKey = new Uint8Array(32).fill(1);

/** Ways of protecting templates that look right and are not. */
export function wrongTemplates({ modelSha256, dimensions, kernels }: Parts) {
  const shape = { modelSha256, dimensions, kernels, version: 1 };
  const right = (rootKey: Uint8Array) => createProtector({ ...shape, rootKey });
  const random = seededChance('wrong templates');

  /** The key is ignored. */
  const unkeyed: TemplateScheme = { name: 'unkeyed', protect: () => right(fixedKey) };
  /** The embedding in 8 bits a number, and nothing done to it. */
  const plain: TemplateScheme = {
    name: 'plain',
    protect: (rootKey) =>
      withCode(right(rootKey), 8 * dimensions, ({ values }) => {
        const scale = (127 * Math.sqrt(dimensions)) / 4;
        const whole = values.map((value) =>
          Math.max(-127, Math.min(127, Math.round(scale * value))),
        );
        return new Uint8Array(Int8Array.from(whole).buffer);
      }),
  };
  /** The right steps with too few bits. */
  const short: TemplateScheme = {
    name: 'short',
    protect(rootKey) {
      const coder = createCoder({ key: rootKey, dimensions, bits: 64, kernels });
      return withCode(right(rootKey), 64, ({ values }) => coder.encode(values).code.slice());
    },
  };
  /** The same signs on every device, only the pad is another. */
  const padOnly: TemplateScheme = {
    name: 'pad only',
    protect(rootKey) {
      const fixed = right(fixedKey);
      const pad = seededChance(hex(rootKey))(512);
      return withCode(right(rootKey), 4096, (embedding) =>
        fixed.template(embedding).code.map((byte, i) => byte ^ (pad[i] ?? 0)),
      );
    },
  };
  /** After a restart nobody is recognised any more. */
  const forgetful: TemplateScheme = { name: 'forgetful', protect: () => right(random(32)) };
  /** Half the bits are the same for everybody. */
  const unbalanced: TemplateScheme = {
    name: 'unbalanced',
    protect(rootKey) {
      const real = right(rootKey);
      return withCode(real, 4096, (embedding) =>
        real.template(embedding).code.map((byte, i) => (i < 256 ? byte : 0)),
      );
    },
  };
  return { unkeyed, plain, short, padOnly, forgetful, unbalanced };
}

/** Ways of marking attempts that look right and are not. */
export function wrongTelemetry({ modelSha256, dimensions, kernels }: Parts) {
  const random = seededChance('wrong telemetry');
  const product = { bits: 24 as const, dimensions, kernels };
  const coderOf = (key: Uint8Array, bits: number) =>
    createCoder({ key, dimensions, bits, kernels });

  /** The keys of a day's epochs follow from the root key: a second start makes the same ones. */
  const derivedDay: TelemetryScheme = {
    name: 'derived',
    start: (rootKey) => createTelemetryCodes({ ...product, random: seededChance(hex(rootKey)) }),
  };
  /** One key for ever, under names that change. */
  const derivedForEver: TelemetryScheme = {
    name: 'derived for ever',
    start(rootKey) {
      const key = rootKey.slice();
      return marker(() => coderOf(key, 24));
    },
  };
  /** Three bytes of the enrolled template; made once for each device and face, to be quick. */
  const devices = new Map<string, (values: Float32Array) => Uint8Array>();
  const truncated: TelemetryScheme = {
    name: 'truncated',
    start(rootKey) {
      const name = hex(rootKey);
      const codeOf = devices.get(name) ?? truncatedTemplates(rootKey);
      devices.set(name, codeOf);
      return marker(() => ({ encode: (values) => ({ code: codeOf(values) }) }));
    },
  };
  /** An epoch ends at midnight, however many codes it has. */
  const unbounded: TelemetryScheme = {
    name: 'unbounded',
    start: () => marker(() => coderOf(random(32), 24), { codesPerName: Number.POSITIVE_INFINITY }),
  };
  /** The same, but the epoch gets a new name in time. */
  const unboundedRenamed: TelemetryScheme = {
    name: 'unbounded, renamed',
    start: () => marker(() => coderOf(random(32), 24)),
  };
  const long: TelemetryScheme = {
    name: 'long',
    start: () => marker(() => coderOf(random(32), 64), { codesPerKey: 128 }),
  };
  /** Bits by lot: nothing can be linked, and nothing learned. */
  const noise: TelemetryScheme = {
    name: 'noise',
    start: () => marker(() => ({ encode: () => ({ code: random(3) }) })),
  };
  return { derivedDay, derivedForEver, truncated, unbounded, unboundedRenamed, long, noise };

  function truncatedTemplates(rootKey: Uint8Array): (values: Float32Array) => Uint8Array {
    const protector = createProtector({ rootKey, modelSha256, version: 1, dimensions, kernels });
    const made = new Map<Float32Array, Uint8Array>();
    return (values) => {
      const code = made.get(values) ?? protector.template({ values, modelSha256 }).code.slice(0, 3);
      made.set(values, code);
      return code;
    };
  }

  type Coding = { encode(values: Float32Array): { readonly code: Uint8Array } };

  /** A new key each day, and after so many codes; a new name likewise. */
  function marker(
    begin: () => Coding,
    limits: { readonly codesPerKey?: number; readonly codesPerName?: number } = {},
  ): Marker {
    const { codesPerKey = Number.POSITIVE_INFINITY, codesPerName = 128 } = limits;
    let coding = begin();
    let day = '';
    let codes = 0;
    let epoch = '';
    return {
      mark(localDate, values) {
        if (localDate !== day || codes % codesPerKey === 0) coding = begin();
        if (localDate !== day || codes % codesPerName === 0) epoch = hex(random(8));
        if (localDate !== day) codes = 0;
        day = localDate;
        codes += 1;
        const code = values === undefined ? null : coding.encode(values).code.slice();
        return { kind: 'code', epoch, code };
      },
      keepOnly: () => {},
      end: () => {},
    };
  }
}

/** A protector whose codes are others; they are compared by their Hamming distance. */
function withCode(
  real: Protector,
  bits: number,
  codeOf: (embedding: Embedding) => Uint8Array,
): Protector {
  const { modelSha256, version } = real;
  return {
    ...real,
    template: (embedding) => ({ code: codeOf(embedding), modelSha256, version }),
    probe: (embedding) => {
      const projections = new Int32Array(bits).fill(1);
      return { code: codeOf(embedding), projections, modelSha256, version };
    },
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
