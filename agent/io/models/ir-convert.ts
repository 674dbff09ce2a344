import type { ModelEntry } from '../../ports.ts';
import { readIrConstants } from './ir-constants.ts';
import { type IrLayer, inLayer, readIrGraph } from './ir-graph.ts';
import { type IrWriting, irOperations } from './ir-operations.ts';
import { graphFields, modelFields, opsetFields } from './onnx-fields.ts';
import { wholeAttribute, writeNode, writeValue } from './onnx-write.ts';
import { joinBytes, writeBytes, writeNumber } from './protobuf.ts';

/**
 * An OpenVINO model (the .xml and the .bin of one precision) as ONNX. Weights stay as they are found:
 * those of convolutions that have 16 bits are kept so, each with a Cast after it that onnxruntime folds
 * when it loads; the few others become 32 bits, which is exact. Names of input and output, and which of
 * their sides are free, are the entry's. The same files and entry give the same bytes, always.
 *
 * Throws a RangeError, in one line, where a file is broken or uses what is not known here.
 */
export function convertIr(
  entry: Pick<ModelEntry, 'name' | 'input' | 'outputs'>,
  xml: Uint8Array,
  weights: Uint8Array,
): Uint8Array {
  const layers = readIrGraph(readUtf8(xml));
  const constants = readIrConstants(layers, weights);
  const names = new Map<number, string>();
  const nodes: Uint8Array[] = [];
  const tensors: Uint8Array[] = [];
  const writing: IrWriting = { constants, names, consumersOf: consumers(layers), nodes, tensors };
  let result: IrLayer | undefined;
  for (const layer of layers) {
    try {
      if (constants.has(layer.id)) continue;
      if (layer.type === 'Parameter') takeInput(layer, entry, names);
      else if (layer.type === 'Result') result = onlyResult(layer, result);
      else if (!names.has(layer.id)) writeLayer(layer, writing);
    } catch (fault) {
      throw inLayer(layer, fault);
    }
  }
  if (!result) throw new RangeError('it has no result');
  nodes.push(writeResult(result, entry, names));
  return writeModel(entry, nodes, tensors);
}

/** What the operators written here need, and what onnxruntime reads since long. */
const opset = 13;
const irVersion = 8;

function writeLayer(layer: IrLayer, writing: IrWriting): void {
  const operation = irOperations.get(layer.type);
  if (!operation) throw new RangeError('this operation is not known');
  operation(layer, writing);
}

function takeInput(
  layer: IrLayer,
  { input }: Pick<ModelEntry, 'input'>,
  names: Map<number, string>,
): void {
  if ([...names.values()].includes(input.name)) throw new RangeError('it is a second input');
  const fits =
    layer.shape?.length === input.shape.length &&
    input.shape.every((side, axis) => typeof side === 'string' || side === layer.shape?.[axis]);
  if (!fits) throw new RangeError(`the model takes [${layer.shape}], not [${input.shape}]`);
  names.set(layer.id, input.name);
}

function onlyResult(layer: IrLayer, earlier: IrLayer | undefined): IrLayer {
  if (earlier) throw new RangeError('it is a second result');
  return layer;
}

/** [n, values, 1, 1] becomes [n, values]. */
function writeResult(
  { inputs: [input] }: IrLayer,
  { outputs: [output] }: Pick<ModelEntry, 'outputs'>,
  names: ReadonlyMap<number, string>,
): Uint8Array {
  const [, values, ...rest] = input?.shape ?? [];
  const name = input && names.get(input.layer.id);
  if (!output || name === undefined || values !== output.shape[1] || rest.some((s) => s !== 1)) {
    throw new RangeError(`the model gives [${input?.shape}], not [${output?.shape}]`);
  }
  return writeNode('Flatten', [name], output.name, [wholeAttribute('axis', 1)], 'flat');
}

function writeModel(
  { name, input, outputs }: Pick<ModelEntry, 'name' | 'input' | 'outputs'>,
  nodes: readonly Uint8Array[],
  tensors: readonly Uint8Array[],
): Uint8Array {
  const graph = joinBytes([
    ...nodes.map((node) => writeBytes(graphFields.node, node)),
    writeBytes(graphFields.name, name),
    ...tensors.map((tensor) => writeBytes(graphFields.initializer, tensor)),
    writeBytes(graphFields.input, writeValue(input.name, input.shape)),
    ...outputs.map((each) => writeBytes(graphFields.output, writeValue(each.name, each.shape))),
  ]);
  const operators = [writeBytes(opsetFields.domain, ''), writeNumber(opsetFields.version, opset)];
  return joinBytes([
    writeNumber(modelFields.irVersion, irVersion),
    writeBytes(modelFields.graph, graph),
    writeBytes(modelFields.opset, joinBytes(operators)),
  ]);
}

function consumers(layers: readonly IrLayer[]): (layer: IrLayer) => readonly IrLayer[] {
  const found = new Map<IrLayer, IrLayer[]>();
  for (const layer of layers) {
    for (const input of layer.inputs) {
      const known = found.get(input.layer);
      if (known) known.push(layer);
      else found.set(input.layer, [layer]);
    }
  }
  return (layer) => found.get(layer) ?? [];
}

function readUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new RangeError('its description is not UTF-8', { cause });
  }
}
