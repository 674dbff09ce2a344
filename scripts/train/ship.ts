import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseManifest } from '../../agent/io/models/manifest.ts';
import { sha256Of } from '../../agent/io/models/model-bytes.ts';
import { openModel } from '../../agent/io/models/sessions.ts';
import type { DetectionEntry, EmbeddingEntry, ModelEntry } from '../../agent/ports.ts';
import { isRecord } from '../../agent/shape.ts';

const usage = `node scripts/train/ship.ts [--detector FILE] [--recogniser FILE --threshold T [--margin M]]
Takes exported models into agent/models, and describes them in its manifest as built in: digest and size of the
file, and for the recogniser the threshold that 'doorkeep evaluate --calibrate' found. Run again, it replaces.
Models that the agent could not load are refused.`;

const { values: options } = parseArgs({
  options: {
    detector: { type: 'string' },
    recogniser: { type: 'string' },
    threshold: { type: 'string' },
    margin: { type: 'string', default: '0.05' },
    /** Another folder than agent/models, to try it out. */
    into: { type: 'string' },
  },
});
const threshold = Number(options.threshold);
const hasThreshold = options.recogniser === undefined || Number.isFinite(threshold);
if ((!options.detector && !options.recogniser) || !hasThreshold) {
  process.stderr.write(`${usage}\n`);
  process.exit(64);
}

const folder = options.into ?? fileURLToPath(new URL('../../agent/models', import.meta.url));
const manifest = join(folder, 'manifest.json');

/** Of both: trained from scratch by the scripts beside this one. */
const common = { licence: 'Apache-2.0', builtin: true } as const;

const strides = [8, 16, 32];

/** As detector.py exports it: YuNet's outputs, any size. */
function detectorEntry(file: string, bytes: Uint8Array): DetectionEntry {
  const values = { cls: 1, obj: 1, bbox: 4, kps: 10 };
  return {
    name: 'doorkeep-detector',
    task: 'detection',
    family: 'yunet',
    file,
    sha256: sha256Of(bytes),
    sizeBytes: bytes.length,
    source: 'scripts/train/detector.py; docs/models.md says from what it was trained',
    ...common,
    input: {
      name: 'input',
      shape: ['batch', 3, 'height', 'width'],
      layout: 'NCHW',
      colour: 'BGR',
      mean: [0, 0, 0],
      std: [1, 1, 1],
      multipleOf: 32,
    },
    outputs: Object.entries(values).flatMap(([kind, size]) =>
      strides.map((stride) => ({ name: `${kind}_${stride}`, shape: ['batch', 'cells', size] })),
    ),
    strides,
  };
}

/** As recogniser.py exports it: aligned as its teacher is, at three quarters of the size. */
function recogniserEntry(file: string, bytes: Uint8Array, teacher: EmbeddingEntry): EmbeddingEntry {
  const size = 96;
  const scale = size / teacher.alignment.size;
  const scaled = (value: number) => Number((value * scale).toFixed(4));
  return {
    name: 'doorkeep-recogniser',
    task: 'embedding',
    family: 'embedding',
    file,
    sha256: sha256Of(bytes),
    sizeBytes: bytes.length,
    source: 'scripts/train/recogniser.py; docs/models.md says from what it was trained',
    ...common,
    input: {
      name: 'input',
      shape: ['batch', 3, size, size],
      layout: 'NCHW',
      colour: 'RGB',
      mean: [127.5, 127.5, 127.5],
      std: [127.5, 127.5, 127.5],
      multipleOf: 1,
    },
    outputs: [{ name: 'embedding', shape: ['batch', 256] }],
    dimensions: 256,
    alignment: {
      size,
      points: teacher.alignment.points.map(([x, y]) => [scaled(x), scaled(y)] as const),
    },
    threshold,
    margin: Number(options.margin),
  };
}

const content = readFileSync(manifest, 'utf8');
const before = parseManifest(content, manifest);
const shipped: ModelEntry[] = [];
if (options.detector) await ship(options.detector, 'doorkeep-detector.onnx', detectorEntry);
if (options.recogniser) {
  const teacher = before.find(({ name }) => name === 'face-reidentification-retail-0095');
  if (teacher?.task !== 'embedding') throw new Error(`${manifest}: the teacher is not in it`);
  await ship(options.recogniser, 'doorkeep-recogniser.onnx', (file, bytes) =>
    recogniserEntry(file, bytes, teacher),
  );
}

const others = modelsIn(content).filter(
  (entry) => !shipped.some(({ name }) => isRecord(entry) && entry['name'] === name),
);
const text = JSON.stringify({ models: [...shipped, ...others] }, null, 2);
parseManifest(text, manifest);
writeFileSync(manifest, `${text}\n`);
process.stdout.write(`${manifest}: now 'npx biome check --write' it\n`);

async function ship(
  from: string,
  file: string,
  describe: (file: string, bytes: Uint8Array) => ModelEntry,
): Promise<void> {
  const entry = describe(file, readFileSync(from));
  const model = await openModel(entry, from);
  await model.close();
  copyFileSync(from, join(folder, file));
  shipped.push(entry);
  process.stdout.write(`${entry.name}: ${entry.sizeBytes} bytes, SHA-256 ${entry.sha256}\n`);
}

/** As they are written, key by key: other entries stay as they are. */
function modelsIn(manifestText: string): readonly unknown[] {
  const json: unknown = JSON.parse(manifestText);
  const models = isRecord(json) ? json['models'] : undefined;
  if (!Array.isArray(models)) throw new Error(`${manifest}: has no models`);
  return models;
}
