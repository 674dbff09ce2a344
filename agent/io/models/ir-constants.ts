import { type IrLayer, inLayer, wholeNumber, wholeNumbers } from './ir-graph.ts';
import { floats, halves } from './onnx-tensor.ts';

/** Weights as they lie in the file, and as numbers when they are asked for. */
export type IrConstant = {
  readonly type: 'float' | 'half';
  readonly shape: readonly number[];
  readonly raw: Uint8Array;
  values(): Float32Array;
};

/**
 * Every constant of the model by the id of the layer that gives it out: the constants themselves, and the
 * conversions to 32 bits through which those of 16 bits go. Throws a RangeError where one lies outside
 * `weights`, does not fill its shape, or is of another type.
 */
export function readIrConstants(
  layers: readonly IrLayer[],
  weights: Uint8Array,
): ReadonlyMap<number, IrConstant> {
  const constants = new Map<number, IrConstant>();
  for (const layer of layers) {
    try {
      if (layer.type === 'Const') constants.set(layer.id, readConstant(layer, weights));
      if (layer.type === 'Convert') constants.set(layer.id, converted(layer, constants));
    } catch (fault) {
      throw inLayer(layer, fault);
    }
  }
  return constants;
}

const elements = new Map<string, { type: 'float' | 'half'; sizeBytes: number }>([
  ['f16', { type: 'half', sizeBytes: 2 }],
  ['f32', { type: 'float', sizeBytes: 4 }],
]);

function readConstant({ data, shape = [] }: IrLayer, weights: Uint8Array): IrConstant {
  const element = elements.get(data.get('element_type') ?? '');
  if (!element) throw new RangeError(`weights of type ${data.get('element_type')} are not known`);
  const declared = wholeNumbers(data.get('shape') ?? '', 'shape');
  if (declared.join() !== shape.join()) {
    throw new RangeError(`its shape is [${declared}], and its output's [${shape}]`);
  }
  const offset = wholeNumber(data.get('offset') ?? '', 'offset');
  const size = wholeNumber(data.get('size') ?? '', 'size');
  const wanted = shape.reduce((product, side) => product * side, element.sizeBytes);
  if (size !== wanted) throw new RangeError(`[${shape}] takes ${wanted} bytes, not ${size}`);
  if (offset + size > weights.length) {
    const end = offset + size;
    throw new RangeError(`its weights end at byte ${end}, the file at ${weights.length}`);
  }
  const raw = weights.subarray(offset, offset + size);
  const { type } = element;
  return { type, shape, raw, values: () => (type === 'half' ? halves(raw) : floats(raw)) };
}

function converted(
  { data, inputs }: IrLayer,
  constants: ReadonlyMap<number, IrConstant>,
): IrConstant {
  const target = data.get('destination_type');
  if (target !== 'f32') throw new RangeError(`a conversion to ${target} is not known`);
  const [input] = inputs;
  const constant = input && constants.get(input.layer.id);
  if (!constant) throw new RangeError('only constants are converted');
  return constant;
}
