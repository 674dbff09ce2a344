/**
 * The little of Protocol Buffers that an ONNX file needs: a message is cut into its fields without
 * copying, and put together again byte for byte. What a field means is the caller's business.
 * Wire format: https://protobuf.dev/programming-guides/encoding/
 */
export type Field = {
  readonly number: number;
  readonly wire: Wire;
  /** Tag and value as they stand in the file. */
  readonly raw: Uint8Array;
  /** The value without tag and length; of a varint, its bytes. */
  readonly value: Uint8Array;
};
const wires = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;
type Wire = (typeof wires)[keyof typeof wires];

/** The fields of one message in the order of the file. A message that ends within a field throws a RangeError. */
export function readFields(message: Uint8Array): Field[] {
  const fields: Field[] = [];
  for (let at = 0; at < message.length; ) {
    const tag = readVarint(message, at);
    const wire = wireOf(tag.value % 8);
    const length = wire === wires.bytes ? readVarint(message, tag.end) : undefined;
    const start = length?.end ?? tag.end;
    const end = length ? start + length.value : valueEnd(message, wire, start);
    const number = Math.floor(tag.value / 8);
    if (number === 0 || end > message.length) throw new RangeError('broken protobuf message');
    const value = message.subarray(start, end);
    fields.push({ number, wire, raw: message.subarray(at, end), value });
    at = end;
  }
  return fields;
}

/** All numbers of a repeated integer field, which its writer may have packed or not. RangeError above 2^53. */
export function readNumbers(field: Field): number[] {
  const numbers: number[] = [];
  for (let at = 0; at < field.value.length; ) {
    const { value, end } = readVarint(field.value, at);
    numbers.push(value);
    at = end;
  }
  return numbers;
}

export function readText(field: Field): string {
  return decoder.decode(field.value);
}

/** A whole number from 0 to 2^53 as field `number`. */
export function writeNumber(number: number, value: number): Uint8Array {
  return joinBytes([varint(number * 8 + wires.varint), varint(value)]);
}

export function writeFloat(number: number, value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return joinBytes([varint(number * 8 + wires.fixed32), bytes]);
}

/** A text, bytes, or a message that is already written, as field `number`. */
export function writeBytes(number: number, value: Uint8Array | string): Uint8Array {
  const bytes = typeof value === 'string' ? encoder.encode(value) : value;
  return joinBytes([varint(number * 8 + wires.bytes), varint(bytes.length), bytes]);
}

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

function readVarint(bytes: Uint8Array, at: number): { value: number; end: number } {
  let value = 0;
  let factor = 1;
  for (let index = at; index < at + 8; index++) {
    const byte = bytes[index];
    if (byte === undefined) break;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80 && Number.isSafeInteger(value)) return { value, end: index + 1 };
    factor *= 0x80;
  }
  throw new RangeError('broken protobuf number');
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  return Uint8Array.from([...bytes, rest]);
}

function wireOf(code: number): Wire {
  const wire = Object.values(wires).find((known) => known === code);
  if (wire === undefined) throw new RangeError(`unknown protobuf wire type ${code}`);
  return wire;
}

/** A varint is passed over without being read: negative numbers take ten bytes and fit no double. */
function valueEnd(message: Uint8Array, wire: Wire, start: number): number {
  if (wire === wires.fixed64) return start + 8;
  if (wire === wires.fixed32) return start + 4;
  let end = start;
  while ((message[end] ?? 0) >= 0x80) end++;
  return end + 1;
}
