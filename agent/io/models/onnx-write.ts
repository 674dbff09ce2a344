import {
  attributeFields,
  attributeTypes,
  nodeFields,
  shapeFields,
  sideFields,
  tensorFields,
  tensorTypeFields,
  tensorTypes,
  typeFields,
  valueFields,
} from './onnx-fields.ts';
import { joinBytes, writeBytes, writeFloat, writeNumber } from './protobuf.ts';

/** A NodeProto of the default operator set. `attributes` are written by the functions below. */
export function writeNode(
  op: string,
  inputs: readonly string[],
  output: string,
  attributes: readonly Uint8Array[] = [],
  name?: string,
): Uint8Array {
  return joinBytes([
    ...inputs.map((input) => writeBytes(nodeFields.input, input)),
    writeBytes(nodeFields.output, output),
    ...(name === undefined ? [] : [writeBytes(nodeFields.name, name)]),
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
  return writeRawTensor(name, 'float', shape, new Uint8Array(raw.buffer));
}

/** The same for values that are already in bytes, least significant first. */
export function writeRawTensor(
  name: string,
  type: keyof typeof tensorTypes,
  shape: readonly number[],
  raw: Uint8Array,
): Uint8Array {
  return joinBytes([
    ...shape.map((side) => writeNumber(tensorFields.shape, side)),
    writeNumber(tensorFields.type, tensorTypes[type]),
    writeBytes(tensorFields.name, name),
    writeBytes(tensorFields.raw, raw),
  ]);
}

/** A ValueInfoProto of 32-bit floats: an input or output. A word stands for a free side. */
export function writeValue(name: string, shape: readonly (number | string)[]): Uint8Array {
  const sides = shape.map((side) =>
    writeBytes(
      shapeFields.side,
      typeof side === 'number'
        ? writeNumber(sideFields.number, side)
        : writeBytes(sideFields.word, side),
    ),
  );
  const tensor = joinBytes([
    writeNumber(tensorTypeFields.element, tensorTypes.float),
    writeBytes(tensorTypeFields.shape, joinBytes(sides)),
  ]);
  return joinBytes([
    writeBytes(valueFields.name, name),
    writeBytes(valueFields.type, writeBytes(typeFields.tensor, tensor)),
  ]);
}

function attribute(name: string, type: number, value: Uint8Array): Uint8Array {
  return joinBytes([
    writeBytes(attributeFields.name, name),
    value,
    writeNumber(attributeFields.type, type),
  ]);
}
