import type { IrConstant } from './ir-constants.ts';
import { type IrLayer, wholeNumbers } from './ir-graph.ts';
import { tensorTypes } from './onnx-fields.ts';
import {
  wholeAttribute,
  wholesAttribute,
  writeNode,
  writeRawTensor,
  writeTensor,
} from './onnx-write.ts';

/** What a step of the model has to say what it becomes in ONNX. */
export type IrWriting = {
  readonly constants: ReadonlyMap<number, IrConstant>;
  /** Name of the value that a layer gives out, once it is written. */
  readonly names: Map<number, string>;
  /** Layers that take the output of this one. */
  consumersOf(layer: IrLayer): readonly IrLayer[];
  readonly nodes: Uint8Array[];
  readonly tensors: Uint8Array[];
};

type Operation = (layer: IrLayer, writing: IrWriting) => void;

/**
 * What each kind of OpenVINO step becomes in ONNX: the kinds that face-reidentification-retail-0095 is made
 * of. Each writes its nodes and weights and names its output; each throws a RangeError where it is told to
 * do what it cannot.
 */
export const irOperations: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ['Add', (layer, writing) => broadcast('Add', layer, writing)],
  ['Multiply', (layer, writing) => broadcast('Mul', layer, writing)],
  ['Convolution', convolution],
  ['GroupConvolution', convolution],
  ['PReLU', prelu],
  ['AvgPool', averagePool],
  ['Sigmoid', (layer, writing) => write('Sigmoid', layer, writing, [inputName(layer, writing, 0)])],
]);

function broadcast(op: string, layer: IrLayer, writing: IrWriting): void {
  expect(layer, 'auto_broadcast', 'numpy');
  const inputs = layer.inputs.map(({ layer: source }, port) => {
    const constant = writing.constants.get(source.id);
    if (!constant) return inputName(layer, writing, port);
    const name = `${nameOf(layer)}_c${port}`;
    writing.tensors.push(writeTensor(name, constant.shape, constant.values()));
    return name;
  });
  if (inputs.length !== 2) throw new RangeError(`it has ${inputs.length} inputs, not 2`);
  write(op, layer, writing, inputs);
}

/** Weights [out, in, h, w], or [groups, out/group, in/group, h, w]. */
function convolution(layer: IrLayer, writing: IrWriting): void {
  expect(layer, 'auto_pad', 'explicit');
  const weights = constantInput(layer, writing, 1);
  const isGrouped = layer.type === 'GroupConvolution';
  const [groups = 0, ...rest] = isGrouped ? weights.shape : [1, ...weights.shape];
  const [outputs = 0, inputs = 0, ...kernel] = rest;
  const shape = [groups * outputs, inputs, ...kernel];
  const channels = layer.inputs[0]?.shape[1];
  if (kernel.length !== 2 || channels !== groups * inputs) {
    throw new RangeError(`weights [${weights.shape}] do not fit ${channels} channels`);
  }
  const two = (key: string) => wholeNumbers(layer.data.get(key) ?? '', key, 2);
  const name = nameOf(layer);
  const written = writeWeights(`${name}_w`, { ...weights, shape }, writing);
  const bias = writeBias(layer, groups * outputs, writing);
  write(
    'Conv',
    layer,
    writing,
    [inputName(layer, writing, 0), written, ...bias],
    [
      wholesAttribute('dilations', two('dilations')),
      wholeAttribute('group', groups),
      wholesAttribute('kernel_shape', kernel),
      wholesAttribute('pads', [...two('pads_begin'), ...two('pads_end')]),
      wholesAttribute('strides', two('strides')),
    ],
  );
}

/** 16 bits stay 16 bits in the file, and become 32 when onnxruntime loads it. */
function writeWeights(
  name: string,
  { type, shape, raw }: IrConstant,
  { nodes, tensors }: IrWriting,
): string {
  if (type === 'float') tensors.push(writeRawTensor(name, type, shape, raw));
  else {
    tensors.push(writeRawTensor(`${name}_h`, type, shape, raw));
    const to = [wholeAttribute('to', tensorTypes.float)];
    nodes.push(writeNode('Cast', [`${name}_h`], name, to, `${name}_cast`));
  }
  return name;
}

/**
 * OpenVINO adds the bias of a convolution in a step of its own: if nothing else takes the convolution's
 * output, the two become one, and that step is named as written.
 */
function writeBias(layer: IrLayer, channels: number, writing: IrWriting): string[] {
  const [sum, ...others] = writing.consumersOf(layer);
  if (sum?.type !== 'Add' || others.length > 0) return [];
  const constants = sum.inputs.flatMap((input) => writing.constants.get(input.layer.id) ?? []);
  const [bias] = constants;
  if (!bias || bias.shape.join() !== [1, channels, 1, 1].join()) return [];
  expect(sum, 'auto_broadcast', 'numpy');
  const name = `${nameOf(layer)}_b`;
  writing.tensors.push(writeTensor(name, [channels], bias.values()));
  writing.names.set(sum.id, nameOf(layer));
  return [name];
}

/** One slope for all channels, or one for each. */
function prelu(layer: IrLayer, writing: IrWriting): void {
  const slope = constantInput(layer, writing, 1);
  const [count] = slope.shape;
  const channels = layer.inputs[0]?.shape[1];
  if (slope.shape.length !== 1 || count === undefined || (count !== 1 && count !== channels)) {
    throw new RangeError(`slopes [${slope.shape}] do not fit ${channels} channels`);
  }
  const name = `${nameOf(layer)}_s`;
  writing.tensors.push(writeTensor(name, [count, 1, 1], slope.values()));
  write('PRelu', layer, writing, [inputName(layer, writing, 0), name]);
}

/** Only over the whole picture. */
function averagePool(layer: IrLayer, writing: IrWriting): void {
  const [, , ...picture] = layer.inputs[0]?.shape ?? [];
  const [, , ...pooled] = layer.shape ?? [];
  const kernel = layer.data.get('kernel') ?? '';
  const pads = [layer.data.get('pads_begin'), layer.data.get('pads_end')];
  const isWhole = wholeNumbers(kernel, 'kernel').join() === picture.join();
  if (!isWhole || pooled.some((s) => s !== 1) || pads.some((pad) => pad !== '0, 0')) {
    throw new RangeError(`a mean over ${kernel} of [${picture}] is not known`);
  }
  write('GlobalAveragePool', layer, writing, [inputName(layer, writing, 0)]);
}

function write(
  op: string,
  layer: IrLayer,
  { nodes, names }: IrWriting,
  inputs: readonly string[],
  attributes: readonly Uint8Array[] = [],
): void {
  const name = nameOf(layer);
  nodes.push(writeNode(op, inputs, name, attributes, name));
  names.set(layer.id, name);
}

function nameOf({ id }: IrLayer): string {
  return `n${id}`;
}

function inputName(layer: IrLayer, { names }: IrWriting, port: number): string {
  const input = layer.inputs[port];
  const name = input && names.get(input.layer.id);
  if (name === undefined) throw new RangeError(`its input ${port} is no value of the model`);
  return name;
}

function constantInput(layer: IrLayer, { constants }: IrWriting, port: number): IrConstant {
  const input = layer.inputs[port];
  const constant = input && constants.get(input.layer.id);
  if (!constant) throw new RangeError(`its input ${port} is not constant`);
  return constant;
}

function expect({ data }: IrLayer, key: string, value: string): void {
  const found = data.get(key);
  if (found !== value) throw new RangeError(`${key} is ${found}, only ${value} is known`);
}
