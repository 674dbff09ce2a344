import {
  attributeFields,
  graphFields,
  modelFields,
  nodeFields,
  opsetFields,
  tensorFields,
  tensorTypes,
} from './onnx-fields.ts';
import { type OnnxTensor, readTensor } from './onnx-tensor.ts';
import {
  type Field,
  joinBytes,
  readFields,
  readNumbers,
  readText,
  writeBytes,
} from './protobuf.ts';

/** An ONNX file taken apart as far as replacing single nodes asks for; the rest stays bytes. */
export type OnnxModel = {
  readonly fields: readonly Field[];
  readonly graph: readonly Field[];
  /** Version of the default operator set; 0 where the file names none. */
  readonly opset: number;
  readonly nodes: readonly OnnxNode[];
};

export type OnnxNode = {
  readonly field: Field;
  readonly op: string;
  /** Empty for the operators of ONNX itself. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
};

/** Throws a RangeError where the bytes are no ONNX model. */
export function readOnnx(bytes: Uint8Array): OnnxModel {
  // A Buffer's subarray is several times slower than that of a plain Uint8Array.
  const fields = readFields(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const graphs = fields.filter((field) => field.number === modelFields.graph);
  const [graph, ...more] = graphs;
  if (!graph || more.length > 0) throw new RangeError('not an ONNX model: it has no single graph');
  const inner = readFields(graph.value);
  const nodes = inner.filter((field) => field.number === graphFields.node).map(readNode);
  return { fields, graph: inner, opset: readOpset(fields), nodes };
}

/** The file with some nodes replaced by others, in their place. Whatever is not replaced keeps its bytes. */
export function replaceNodes(
  model: OnnxModel,
  replacements: ReadonlyMap<OnnxNode, readonly Uint8Array[]>,
): Uint8Array {
  const byField = new Map([...replacements].map(([node, written]) => [node.field, written]));
  const graph = joinBytes(
    model.graph.flatMap(
      (field) => byField.get(field)?.map((node) => writeBytes(graphFields.node, node)) ?? field.raw,
    ),
  );
  return joinBytes(
    model.fields.map((field) =>
      field.number === modelFields.graph ? writeBytes(modelFields.graph, graph) : field.raw,
    ),
  );
}

/**
 * Looks up 32-bit values that are known before the model runs: initializers, constants, and the casts
 * through which weights kept in half precision reach their node.
 */
export function constantsOf(model: OnnxModel): (name: string) => OnnxTensor | undefined {
  const initializers = new Map<string, Uint8Array>();
  for (const field of model.graph) {
    if (field.number !== graphFields.initializer) continue;
    const name = readFields(field.value).find((part) => part.number === tensorFields.name);
    if (name) initializers.set(readText(name), field.value);
  }
  const makers = new Map(model.nodes.map((node) => [node.outputs[0] ?? '', node]));
  return (name) => {
    const maker = makers.get(name);
    const message = initializers.get(name) ?? (maker && constantIn(maker));
    const tensor = message && readTensor(message);
    if (tensor) return tensor.type === 'float' ? tensor : undefined;
    if (maker?.op !== 'Cast' || castTarget(maker) !== tensorTypes.float) return undefined;
    const source = initializers.get(maker.inputs[0] ?? '');
    const kept = source && readTensor(source);
    return kept && { ...kept, type: 'float' };
  };
}

function readNode(field: Field): OnnxNode {
  const fields = readFields(field.value);
  const texts = (number: number) => fields.filter((one) => one.number === number).map(readText);
  return {
    field,
    op: texts(nodeFields.op)[0] ?? '',
    domain: texts(nodeFields.domain)[0] ?? '',
    inputs: texts(nodeFields.input),
    outputs: texts(nodeFields.output),
  };
}

function readOpset(fields: readonly Field[]): number {
  for (const field of fields) {
    if (field.number !== modelFields.opset) continue;
    const parts = readFields(field.value);
    const domain = parts.find((part) => part.number === opsetFields.domain);
    const version = parts.find((part) => part.number === opsetFields.version);
    const isDefault = domain === undefined || ['', 'ai.onnx'].includes(readText(domain));
    if (isDefault && version) return readNumbers(version)[0] ?? 0;
  }
  return 0;
}

function constantIn(node: OnnxNode): Uint8Array | undefined {
  return node.op === 'Constant' ? attributePart(node, attributeFields.tensor)?.value : undefined;
}

function castTarget(node: OnnxNode): number | undefined {
  const to = attributePart(node, attributeFields.whole);
  return to && readNumbers(to)[0];
}

/** The first attribute's value of this kind: Constant and Cast have only one that matters. */
function attributePart(node: OnnxNode, kind: number): Field | undefined {
  return readFields(node.field.value)
    .filter((field) => field.number === nodeFields.attribute)
    .flatMap((field) => readFields(field.value))
    .find((part) => part.number === kind);
}
