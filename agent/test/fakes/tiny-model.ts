import { createHash } from 'node:crypto';
import { graphFields, modelFields, opsetFields, tensorTypes } from '../../io/models/onnx-fields.ts';
import {
  wholeAttribute,
  writeConstant,
  writeNode,
  writeTensor,
} from '../../io/models/onnx-write.ts';
import { joinBytes, writeBytes, writeNumber } from '../../io/models/protobuf.ts';
import type { EmbeddingEntry } from '../../ports.ts';

export type TinyModel = { readonly bytes: Uint8Array; readonly entry: EmbeddingEntry };

type Options = {
  readonly name?: string;
  readonly side?: number;
  /** One for all channels, or one for each of 16. */
  readonly slopes?: readonly number[];
  /** How the file keeps them. */
  readonly slopesAs?: 'initializer' | 'constant' | 'half-and-cast' | 'input';
  readonly opset?: number;
  /** Multiplies the weights; Infinity makes a model whose output is not a number. */
  readonly gain?: number;
};

const channels = 16;

/**
 * A recogniser that knows nobody: [1, 3, side, side] -> 1×1 convolution -> PRelu -> mean -> [1, 16].
 * Made here, so that loading and rewriting are tested with no model at hand.
 */
export function tinyModel(options: Options = {}): TinyModel {
  const { name = 'tiny', side = 8, gain = 1, opset = 13 } = options;
  const { slopes = [0.25], slopesAs = 'initializer' } = options;
  const weights = Float32Array.from({ length: channels * 3 }, (_, at) => gain * Math.sin(at + 1));
  const shape = [slopes.length, 1, 1];
  const values = Float32Array.from(slopes);
  const nodes = [
    writeNode('Conv', ['picture', 'weights'], 'x'),
    ...(slopesAs === 'constant' ? [writeConstant('slopes', shape, values)] : []),
    ...(slopesAs === 'half-and-cast' ? [castToFloat('halves', 'slopes')] : []),
    writeNode('PRelu', ['x', 'slopes'], 'y'),
    writeNode('GlobalAveragePool', ['y'], 'mean'),
    writeNode('Flatten', ['mean'], 'code'),
  ];
  const tensors = [
    writeTensor('weights', [channels, 3, 1, 1], weights),
    ...(slopesAs === 'initializer' ? [writeTensor('slopes', shape, values)] : []),
    ...(slopesAs === 'half-and-cast' ? [halfTensor('halves', shape, slopes)] : []),
  ];
  const inputs = [
    valueInfo('picture', [1, 3, side, side]),
    ...(slopesAs === 'input' ? [valueInfo('slopes', shape)] : []),
  ];
  const graph = joinBytes([
    ...nodes.map((node) => writeBytes(graphFields.node, node)),
    writeBytes(graphFields.name, 'tiny'),
    ...tensors.map((tensor) => writeBytes(graphFields.initializer, tensor)),
    ...inputs.map((input) => writeBytes(graphFields.input, input)),
    writeBytes(graphFields.output, valueInfo('code', [1, channels])),
  ]);
  const bytes = joinBytes([
    writeNumber(modelFields.irVersion, 8),
    writeBytes(modelFields.graph, graph),
    writeBytes(modelFields.opset, writeNumber(opsetFields.version, opset)),
  ]);
  return { bytes, entry: entryFor(name, side, bytes) };
}

/** What a manifest would say about these bytes. */
function entryFor(name: string, side: number, bytes: Uint8Array): EmbeddingEntry {
  const at = side / 2;
  return {
    name,
    task: 'embedding',
    family: 'embedding',
    file: `${name}.onnx`,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    sizeBytes: bytes.length,
    licence: 'none: made by a test',
    source: 'agent/test/fakes/tiny-model.ts',
    builtin: false,
    input: {
      name: 'picture',
      shape: [1, 3, side, side],
      layout: 'NCHW',
      colour: 'RGB',
      mean: [127.5, 127.5, 127.5],
      std: [127.5, 127.5, 127.5],
      multipleOf: 1,
    },
    outputs: [{ name: 'code', shape: [1, channels] }],
    dimensions: channels,
    alignment: {
      size: side,
      points: [
        [at, at],
        [at + 1, at],
        [at, at + 1],
        [at, at + 2],
        [at + 1, at + 2],
      ],
    },
    threshold: 0.5,
    margin: 0.05,
  };
}

function castToFloat(from: string, to: string): Uint8Array {
  return writeNode('Cast', [from], to, [wholeAttribute('to', tensorTypes.float)]);
}

/** ValueInfoProto of 32-bit floats: name, type { tensor_type { elem_type, shape { dim { dim_value } } } }. */
function valueInfo(name: string, shape: readonly number[]): Uint8Array {
  const sides = joinBytes(shape.map((side) => writeBytes(1, writeNumber(1, side))));
  const tensor = joinBytes([writeNumber(1, tensorTypes.float), writeBytes(2, sides)]);
  return joinBytes([writeBytes(1, name), writeBytes(2, writeBytes(1, tensor))]);
}

/** A TensorProto of 16-bit floats whose values are sums of few powers of two. */
function halfTensor(name: string, shape: readonly number[], values: readonly number[]): Uint8Array {
  const raw = new DataView(new ArrayBuffer(values.length * 2));
  for (const [index, value] of values.entries()) raw.setUint16(index * 2, toHalf(value), true);
  return joinBytes([
    ...shape.map((side) => writeNumber(1, side)),
    writeNumber(2, tensorTypes.half),
    writeBytes(8, name),
    writeBytes(9, new Uint8Array(raw.buffer)),
  ]);
}

/** Exact for normal numbers of at most 11 significant bits. */
function toHalf(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const fraction = (Math.abs(value) / 2 ** exponent - 1) * 1024;
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | fraction;
}
