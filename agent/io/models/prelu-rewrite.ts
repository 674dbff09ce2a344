import { constantsOf, type OnnxNode, readOnnx, replaceNodes } from './onnx-graph.ts';
import type { OnnxTensor } from './onnx-tensor.ts';
import {
  floatAttribute,
  wholeAttribute,
  wholesAttribute,
  writeConstant,
  writeNode,
} from './onnx-write.ts';

/**
 * How PRelu nodes are put in other words. onnxruntime has no fast PRelu, and one in the middle of
 * convolutions makes it reorder the memory around it (docs/benchmarks.md has the times).
 *
 * - leaky-relu: a slope that is the same everywhere becomes LeakyRelu, which onnxruntime computes within
 *   the convolution before it; to the bit the same result. The other forms do this too. Slopes that
 *   differ by channel become, besides,
 * - prelu-dw: two 1×1 depthwise convolutions, which keep the blocked memory layout of x64;
 * - prelu-max: products and maxima, for processors without that layout and for small pictures.
 */
export const preluForms = ['leaky-relu', 'prelu-dw', 'prelu-max'] as const;
export type PreluForm = (typeof preluForms)[number];

/**
 * The model with its PRelu nodes in other words, and how many there were. The same bytes and form give
 * the same result, always. Nodes whose slope is not known beforehand or has another shape stay.
 * Throws a RangeError where the bytes are no ONNX model.
 */
export function rewritePrelu(
  bytes: Uint8Array,
  form: PreluForm,
): { readonly bytes: Uint8Array; readonly rewritten: number } {
  const model = readOnnx(bytes);
  const replacements = new Map<OnnxNode, readonly Uint8Array[]>();
  const slopeOf = constantsOf(model);
  for (const [index, node] of model.nodes.entries()) {
    if (node.op !== 'PRelu' || node.domain !== '' || model.opset < oldestOpset) continue;
    const replacement = inOtherWords(node, slopeOf, form, `doorkeep.prelu.${index}`);
    if (replacement) replacements.set(node, replacement);
  }
  const rewritten = replacements.size;
  return { bytes: rewritten === 0 ? bytes : replaceNodes(model, replacements), rewritten };
}

/** From this version of ONNX on, PRelu, Mul and Add broadcast alike and Max takes any number of inputs. */
const oldestOpset = 9;

function inOtherWords(
  node: OnnxNode,
  slopeOf: (name: string) => OnnxTensor | undefined,
  form: PreluForm,
  prefix: string,
): readonly Uint8Array[] | undefined {
  const [x, slopeName] = node.inputs;
  const [y] = node.outputs;
  const slope = slopeName === undefined ? undefined : slopeOf(slopeName);
  if (x === undefined || y === undefined || !slope) return undefined;
  const first = slope.values[0];
  if (first === undefined || !slope.values.every(Number.isFinite)) return undefined;
  if (slope.values.every((value) => value === first)) {
    return [writeNode('LeakyRelu', [x], y, [floatAttribute('alpha', first)])];
  }
  if (form === 'leaky-relu' || !isPerChannel(slope.shape)) return undefined;
  const words: Words = { x, y, slope, prefix };
  // relu((1−a)·x) is (1−a)·relu(x) only where 1−a is not negative, and max(x, a·x) needs the same.
  const atMostOne = slope.values.every((value) => value <= 1);
  if (form === 'prelu-dw') return atMostOne ? convolved(words) : convolvedAnySlope(words);
  return atMostOne ? maximum(words) : sumAnySlope(words);
}

/** [C, 1, 1] or [1, C, 1, 1]: what an NCHW input broadcasts by channel. */
function isPerChannel(shape: readonly number[]): boolean {
  const [channels, ...rest] = shape.length === 4 && shape[0] === 1 ? shape.slice(1) : shape;
  return channels !== undefined && rest.length === 2 && rest.every((side) => side === 1);
}

type Words = {
  readonly x: string;
  readonly y: string;
  readonly slope: OnnxTensor;
  /** Begins the name of every value that is new. */
  readonly prefix: string;
};

/** relu((1−a)·x) + a·x, products as depthwise convolutions: the Relu becomes part of the first. */
function convolved({ x, y, slope, prefix }: Words): readonly Uint8Array[] {
  return [
    ...depthwise(x, `${prefix}.up`, oneMinus(slope.values)),
    writeNode('Relu', [`${prefix}.up`], `${prefix}.relu`),
    ...depthwise(x, `${prefix}.slope`, slope.values),
    writeNode('Add', [`${prefix}.relu`, `${prefix}.slope`], y),
  ];
}

/** (1−a)·relu(x) + a·x, true for every a. */
function convolvedAnySlope({ x, y, slope, prefix }: Words): readonly Uint8Array[] {
  return [
    writeNode('Relu', [x], `${prefix}.relu`),
    ...depthwise(`${prefix}.relu`, `${prefix}.up`, oneMinus(slope.values)),
    ...depthwise(x, `${prefix}.slope`, slope.values),
    writeNode('Add', [`${prefix}.up`, `${prefix}.slope`], y),
  ];
}

/** max(x, a·x) */
function maximum({ x, y, slope, prefix }: Words): readonly Uint8Array[] {
  return [
    ...times(x, `${prefix}.slope`, slope.values),
    writeNode('Max', [x, `${prefix}.slope`], y),
  ];
}

/** (1−a)·relu(x) + a·x, true for every a. */
function sumAnySlope({ x, y, slope, prefix }: Words): readonly Uint8Array[] {
  return [
    writeNode('Relu', [x], `${prefix}.relu`),
    ...times(`${prefix}.relu`, `${prefix}.up`, oneMinus(slope.values)),
    ...times(x, `${prefix}.slope`, slope.values),
    writeNode('Add', [`${prefix}.up`, `${prefix}.slope`], y),
  ];
}

function oneMinus(slopes: Float32Array): Float32Array {
  return slopes.map((slope) => 1 - slope);
}

function times(x: string, y: string, factors: Float32Array): readonly Uint8Array[] {
  return [
    writeConstant(`${y}.factors`, [factors.length, 1, 1], factors),
    writeNode('Mul', [x, `${y}.factors`], y),
  ];
}

/** Each channel times its factor, as a 1×1 convolution of as many groups as channels. */
function depthwise(x: string, y: string, factors: Float32Array): readonly Uint8Array[] {
  return [
    writeConstant(`${y}.weights`, [factors.length, 1, 1, 1], factors),
    writeNode('Conv', [x, `${y}.weights`], y, [
      wholeAttribute('group', factors.length),
      wholesAttribute('kernel_shape', [1, 1]),
    ]),
  ];
}
