import {
  attributeFields,
  attributeTypes,
  nodeFields,
  tensorFields,
  tensorTypes,
} from './onnx-fields.ts';
import { joinBytes, writeBytes, writeFloat, writeNumber } from './protobuf.ts';

/** A NodeProto of the default operator set. `attributes` are written by the functions below. */
export function writeNode(
  op: string,
  inputs: readonly string[],
  output: string,
  attributes: readonly Uint8Array[] = [],
): Uint8Array {
  return joinBytes([
    ...inputs.map((input) => writeBytes(nodeFields.input, input)),
    writeBytes(nodeFields.output, output),
    writeBytes(nodeFields.op, op),
    ...attributes.map((attribute) => writeBytes(nodeFields.attribute, attribute)),
  ]);
}

export function floatAttribute(name: string, value: number): Uint8Array {
  return attribute(name, attributeTypes.float, writeFloat(attributeFields.float, value));
}

export function wholeAttribute(name: string, value: number): Uint8Array {
  return attribute(name, attributeTypes.whole, writeNumber(attributeFields.whole, value));
}

export function wholesAttribute(name: string, values: readonly number[]): Uint8Array {
  const written = values.map((value) => writeNumber(attributeFields.wholes, value));
  return attribute(name, attributeTypes.wholes, joinBytes(written));
}

/** A Constant node, which needs no entry among the initializers: their rules differ by file version. */
export function writeConstant(
  output: string,
  shape: readonly number[],
  values: Float32Array,
): Uint8Array {
  const tensor = writeBytes(attributeFields.tensor, writeTensor(output, shape, values));
  return writeNode('Constant', [], output, [attribute('value', attributeTypes.tensor, tensor)]);
}

/** A TensorProto of 32-bit floats. */
export function writeTensor(
  name: string,
  shape: readonly number[],
  values: Float32Array,
): Uint8Array {
  const raw = new DataView(new ArrayBuffer(values.length * 4));
  for (const [index, value] of values.entries()) raw.setFloat32(index * 4, value, true);
  return joinBytes([
    ...shape.map((side) => writeNumber(tensorFields.shape, side)),
    writeNumber(tensorFields.type, tensorTypes.float),
    writeBytes(tensorFields.name, name),
    writeBytes(tensorFields.raw, new Uint8Array(raw.buffer)),
  ]);
}

function attribute(name: string, type: number, value: Uint8Array): Uint8Array {
  return joinBytes([
    writeBytes(attributeFields.name, name),
    value,
    writeNumber(attributeFields.type, type),
  ]);
}
