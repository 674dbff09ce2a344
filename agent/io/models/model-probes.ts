import type { Model, ModelEntry, ModelOutputs } from '../../ports.ts';

export type ProbeInput = {
  readonly tensor: Float32Array;
  readonly shape: readonly [number, number, number, number];
};

/**
 * Pictures on which two forms of one model are compared: noise and shapes, in the range of pixels
 * that the entry declares. Always the same ones.
 */
export function probeInputs(entry: ModelEntry): readonly ProbeInput[] {
  const [, , height = 0, width = 0] = entry.input.shape.map((side) =>
    typeof side === 'number' ? side : freeSide(entry.input.multipleOf),
  );
  return patterns.map((pattern) => {
    const tensor = new Float32Array(3 * height * width);
    const next = noise();
    for (const [channel, mean] of entry.input.mean.entries()) {
      const std = entry.input.std[channel] ?? 1;
      for (let at = 0; at < height * width; at++) {
        const pixel = pattern((at % width) / width, Math.floor(at / width) / height, next);
        tensor[channel * height * width + at] = (pixel - mean) / std;
      }
    }
    return { tensor, shape: [1, 3, height, width] };
  });
}

/** Greatest difference of an output, in parts of its largest value, that rounding may explain. */
const mostDifference = 1e-4;
/** Least cosine between two embeddings of one picture. */
const leastCosine = 0.99999;

/** What keeps the two models from being the same to a threshold, or undefined: they are. */
export async function firstDifference(
  original: Model,
  other: Model,
  probes: readonly ProbeInput[],
): Promise<string | undefined> {
  for (const { tensor, shape } of probes) {
    const expected = await original.run(tensor, shape);
    const difference = outputDifference(original.entry, expected, await other.run(tensor, shape));
    if (difference !== undefined) return difference;
  }
  return undefined;
}

/** The same for the outputs of one picture. */
export function outputDifference(
  entry: ModelEntry,
  expected: ModelOutputs,
  actual: ModelOutputs,
): string | undefined {
  for (const { name } of entry.outputs) {
    const wanted = expected[name] ?? new Float32Array();
    const got = actual[name] ?? new Float32Array();
    const relative = relativeDifference(wanted, got);
    // Written so that NaN is a difference.
    if (!(relative <= mostDifference))
      return `output ${name} differs by ${relative.toPrecision(2)}`;
    if (entry.task === 'embedding' && !(cosine(wanted, got) >= leastCosine)) {
      return `output ${name} has cosine ${cosine(wanted, got)}`;
    }
  }
  return undefined;
}

/** Of a free height or width: as large as a small face, and what the model can take. */
function freeSide(multipleOf: number): number {
  return Math.ceil(96 / multipleOf) * multipleOf;
}

type Pattern = (x: number, y: number, next: () => number) => number;

const patterns: readonly Pattern[] = [
  (_x, _y, next) => 255 * next(),
  (x) => 255 * x,
  (_x, y) => 255 * y,
  (x, y) => ((Math.floor(x * 8) + Math.floor(y * 8)) % 2) * 255,
  (x, y, next) => 255 * Math.exp(-8 * ((x - 0.5) ** 2 + (y - 0.5) ** 2)) * (0.9 + 0.1 * next()),
  () => 0,
  () => 255,
];

/** 0…1, always the same row: a linear congruential generator (Numerical Recipes' constants). */
function noise(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** NaN where a value is not a number or the lengths differ. */
function relativeDifference(wanted: Float32Array, got: Float32Array): number {
  if (wanted.length !== got.length) return Number.NaN;
  let largest = 0;
  let difference = 0;
  for (const [index, value] of wanted.entries()) {
    largest = Math.max(largest, Math.abs(value));
    difference = Math.max(difference, Math.abs(value - (got[index] ?? Number.NaN)));
  }
  return difference === 0 ? 0 : difference / largest;
}

function cosine(a: Float32Array, b: Float32Array): number {
  let product = 0;
  let squaresA = 0;
  let squaresB = 0;
  for (const [index, value] of a.entries()) {
    const other = b[index] ?? Number.NaN;
    product += value * other;
    squaresA += value * value;
    squaresB += other * other;
  }
  return squaresA === 0 && squaresB === 0 ? 1 : product / Math.sqrt(squaresA * squaresB);
}
