import { externalLocation, tensorFields, tensorTypes } from './onnx-fields.ts';
import { joinBytes, readFields, readNumbers } from './protobuf.ts';

export type OnnxTensor = {
  readonly type: keyof typeof tensorTypes;
  readonly shape: readonly number[];
  readonly values: Float32Array;
};

/**
 * A TensorProto of 32- or 16-bit floats, given as raw bytes or as numbers. Undefined: another type, or
 * values that lie in another file or do not fill the shape.
 */
export function readTensor(message: Uint8Array): OnnxTensor | undefined {
  const fields = readFields(message);
  const all = (number: number) => fields.filter((field) => field.number === number);
  const numbers = (number: number) => all(number).flatMap(readNumbers);
  const code = numbers(tensorFields.type)[0];
  if (numbers(tensorFields.location)[0] === externalLocation) return undefined;
  const raw = all(tensorFields.raw)[0]?.value;
  const shape = numbers(tensorFields.shape);
  const size = shape.reduce((product, side) => product * side, 1);
  if (code === tensorTypes.float) {
    const values = floats(raw ?? joinBytes(all(tensorFields.floats).map((field) => field.value)));
    return values.length === size ? { type: 'float', shape, values } : undefined;
  }
  if (code === tensorTypes.half) {
    const values = raw ? halves(raw) : Float32Array.from(numbers(tensorFields.codes), fromHalf);
    return values.length === size ? { type: 'half', shape, values } : undefined;
  }
  return undefined;
}

/** 32-bit floats, least significant byte first. */
export function floats(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.length >> 2 }, (_, at) => view.getFloat32(at * 4, true));
}

/** 16-bit floats, least significant byte first; exact. */
export function halves(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.length >> 1 }, (_, at) =>
    fromHalf(view.getUint16(at * 2, true)),
  );
}

/** IEEE 754 binary16 -> number. */
function fromHalf(code: number): number {
  const sign = code & 0x8000 ? -1 : 1;
  const exponent = (code >> 10) & 0x1f;
  const fraction = code & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
