import type { DetectionEntry, ModelEntry } from '../../ports.ts';
import {
  either,
  flag,
  isRecord,
  listOf,
  number,
  object,
  oneOf,
  type Shape,
  text,
  whole,
} from '../../shape.ts';

/** A manifest file: `{"models": [entry, …]}`, every entry as its task wants it, no unknown keys. */
export const manifestShape = object({ models: listOf(entryShape, { max: 200 }) });

/** What is well formed, entry by entry, but cannot be true. */
export function contradictions(entries: readonly ModelEntry[]): string[] {
  const twice = entries.filter((entry, index) =>
    entries.slice(0, index).some(({ name }) => name === entry.name),
  );
  return [
    ...twice.map(({ name }) => `${name}: declared twice`),
    ...entries.flatMap((entry) =>
      entryContradictions(entry).map((fault) => `${entry.name}: ${fault}`),
    ),
  ];
}

const finite = number(-1e6, 1e6);
const positive = number(1e-6, 1e6);
const tensorName = text({ max: 200 });
const dimension = either(whole(1, 65_536), text({ max: 32, what: 'a whole number, or a word' }));
const dimensions = listOf(dimension, { min: 1, max: 6 });
const tensorShape = object({ name: tensorName, shape: dimensions });

const inputShape = object({
  name: tensorName,
  shape: listOf(dimension, { min: 4, max: 4 }),
  layout: oneOf(['NCHW']),
  colour: oneOf(['RGB', 'BGR']),
  mean: triple(finite),
  std: triple(positive),
  multipleOf: whole(1, 256),
});

const alignmentShape = object({
  size: whole(16, 512),
  points: listOf(pair(number(0, 512)), { min: 5, max: 5 }),
});

const common = {
  name: text({ max: 64, pattern: /^[a-z0-9][a-z0-9.-]*$/, what: 'a name in kebab-case' }),
  file: text({
    max: 128,
    pattern: /^[A-Za-z0-9][\w.-]*\.onnx$/,
    what: 'the plain name of a file .onnx',
  }),
  sha256: text({ pattern: /^[0-9a-f]{64}$/, what: '64 hexadecimal digits, small letters' }),
  sizeBytes: whole(1, 1024 ** 3),
  licence: text({ max: 200 }),
  source: text({ max: 500 }),
  builtin: flag(),
  input: inputShape,
  outputs: listOf(tensorShape, { min: 1, max: 64 }),
};

const url = text({ max: 2000, pattern: /^https:\/\/[^\s@]+$/, what: 'an https address' });
const sourceFile = object({
  url,
  sha384: text({ pattern: /^[0-9a-f]{96}$/, what: '96 hexadecimal digits, small letters' }),
  sizeBytes: whole(1, 1024 ** 3),
});
const optional = {
  url,
  openvino: object({ xml: sourceFile, bin: sourceFile }),
  recommended: flag(),
};

const shapes = {
  detection: object(
    {
      ...common,
      task: oneOf(['detection']),
      family: oneOf(['face-maps', 'yunet']),
      strides: listOf(whole(1, 256), { min: 1, max: 8 }),
    },
    optional,
  ),
  embedding: object(
    {
      ...common,
      task: oneOf(['embedding']),
      family: oneOf(['embedding']),
      dimensions: whole(16, 4096),
      alignment: alignmentShape,
      threshold: number(-1, 1),
      margin: number(0, 1),
    },
    optional,
  ),
  pad: object(
    {
      ...common,
      task: oneOf(['pad']),
      family: oneOf(['minifasnet']),
      cropFactor: number(1, 10),
      bonaFideClass: whole(0, 15),
    },
    optional,
  ),
  quality: object(
    {
      ...common,
      task: oneOf(['quality']),
      family: oneOf(['lightqnet']),
      alignment: alignmentShape,
      threshold: number(0, 1),
    },
    optional,
  ),
};

/** The task says which keys an entry has. */
function entryShape(value: unknown, place: string, faults: string[]): ModelEntry {
  const task = isRecord(value) ? value['task'] : undefined;
  switch (task) {
    case 'embedding':
      return shapes.embedding(value, place, faults);
    case 'pad':
      return shapes.pad(value, place, faults);
    case 'quality':
      return shapes.quality(value, place, faults);
    default:
      return shapes.detection(value, place, faults);
  }
}

function entryContradictions(entry: ModelEntry): string[] {
  const faults: string[] = [];
  if (entry.name === 'recommended') faults.push('name: means all that are recommended');
  if (entry.openvino && entry.url !== undefined) faults.push('openvino: there is a url as well');
  const [first] = entry.outputs;
  const last = first?.shape.at(-1);
  if (entry.input.shape[1] !== 3)
    faults.push('input.shape: the second number, of colours, is not 3');
  if (entry.task === 'detection') faults.push(...missingOutputs(entry));
  else if (entry.outputs.length !== 1) faults.push('outputs: expected exactly one');
  if (entry.task === 'embedding' && last !== entry.dimensions) {
    faults.push(`outputs: the last number of the shape is not dimensions, ${entry.dimensions}`);
  }
  if (entry.task === 'pad' && !(typeof last === 'number' && entry.bonaFideClass < last)) {
    faults.push(`bonaFideClass: ${entry.bonaFideClass} is none of the ${last} classes`);
  }
  if (entry.task === 'embedding' || entry.task === 'quality') {
    const { size } = entry.alignment;
    const [, , height, width] = entry.input.shape;
    if (height !== size || width !== size) faults.push('alignment.size: is not that of the input');
  }
  return faults;
}

/** What a detector of each family gives out for every stride. */
const detectionOutputs: Record<DetectionEntry['family'], readonly string[]> = {
  'face-maps': ['faces'],
  yunet: ['cls', 'obj', 'bbox', 'kps'],
};

function missingOutputs({ family, strides, outputs }: DetectionEntry): string[] {
  return strides
    .flatMap((stride) => detectionOutputs[family].map((kind) => `${kind}_${stride}`))
    .filter((wanted) => !outputs.some(({ name }) => name === wanted))
    .map((wanted) => `outputs: ${wanted} is missing`);
}

function triple<T>(item: Shape<T>): Shape<readonly [T, T, T]> {
  return (value, place, faults) => {
    const given: readonly unknown[] = Array.isArray(value) && value.length === 3 ? value : [];
    if (given.length !== 3) faults.push(`${place}: expected a list of 3`);
    const at = (index: number) =>
      item(given[index], `${place}[${index}]`, given.length === 3 ? faults : []);
    return [at(0), at(1), at(2)];
  };
}

function pair<T>(item: Shape<T>): Shape<readonly [T, T]> {
  return (value, place, faults) => {
    const given: readonly unknown[] = Array.isArray(value) && value.length === 2 ? value : [];
    if (given.length !== 2) faults.push(`${place}: expected a list of 2`);
    const at = (index: number) =>
      item(given[index], `${place}[${index}]`, given.length === 2 ? faults : []);
    return [at(0), at(1)];
  };
}
