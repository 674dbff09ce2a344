import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { parseManifest } from '../../agent/io/models/manifest.ts';
import { openModel } from '../../agent/io/models/sessions.ts';
import { loadKernels } from '../../agent/io/process/native.ts';
import type { DetectionEntry, EmbeddingEntry, ModelEntry } from '../../agent/ports.ts';
import { isRecord } from '../../agent/shape.ts';
import { createDetector } from '../../agent/vision/detection.ts';
import { readLfw } from '../evaluate/lfw-run.ts';
import { detectorEntry, int8Entry, recogniserEntry } from './built-in-entries.ts';
import { makeRecogniser, type RecogniserFiles } from './made-recogniser.ts';
import {
  figuresText,
  measureRecogniser,
  quantisationFaults,
  type RecogniserFigures,
} from './recogniser-figures.ts';

const usage = `node scripts/train/ship.ts [--detector FILE] [--checkpoint FILE --faces DIR... --lfw DIR] [options]
Takes models into agent/models, and describes them in its manifest as built in: digest and size of the file, and
for a recogniser the threshold it needs at a door. Run again, it replaces.
  --detector FILE      ONNX, as detector.py exports it
  --checkpoint FILE    a recogniser's: exported, quantised and measured here; both forms are shipped, or none
  --faces DIR          aligned crops to calibrate the int8 form with; several times
  --lfw DIR            pairs.txt, ident.csv and images/: what the recogniser is measured with, behind the new or
                       else the built-in detector
  --python PROGRAM     with what recogniser.py and quantise.py need; python3 by default
  --recogniser FILE --int8 FILE   ONNX files instead of a checkpoint
  --margin N           least lead over the next resident; 0.05 by default
  --into DIR           another folder with a manifest.json, to try it out
Refused, with a reason: models that the agent could not load, and int8 weights that are too large or not as good.`;

const { values: options } = parseArgs({
  options: {
    detector: { type: 'string' },
    checkpoint: { type: 'string' },
    faces: { type: 'string', multiple: true, default: [] },
    lfw: { type: 'string' },
    python: { type: 'string', default: 'python3' },
    recogniser: { type: 'string' },
    int8: { type: 'string' },
    margin: { type: 'string', default: '0.05' },
    into: { type: 'string' },
  },
});

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = options.into ?? join(root, 'agent/models');
const manifest = join(folder, 'manifest.json');
const content = readFileSync(manifest, 'utf8');
const before = parseManifest(content, manifest);

const scratch = mkdtempSync(join(tmpdir(), 'ship-'));
try {
  const recogniser = await recogniserFiles();
  if (!options.detector && !recogniser) {
    process.stderr.write(`${usage}\n`);
    process.exitCode = 64;
  } else {
    // The first of a task that is built in is used where the settings name none: float32 before int8.
    const shipped: { entry: ModelEntry; from: string }[] = [];
    if (options.detector) {
      const from = options.detector;
      shipped.push({ entry: detectorEntry(readFileSync(from)), from });
    }
    if (recogniser) shipped.push(...(await measured(recogniser)));
    for (const { entry, from } of shipped) await loadable(entry, from);
    await take(shipped);
  }
} finally {
  rmSync(scratch, { recursive: true });
}

async function recogniserFiles(): Promise<
  (RecogniserFiles & { readonly lfw: string }) | undefined
> {
  const { checkpoint, faces, lfw, python, recogniser, int8 } = options;
  if (!lfw) return undefined;
  if (recogniser && int8) return { float32: recogniser, int8, lfw };
  if (!checkpoint || faces.length === 0) return undefined;
  return { ...(await makeRecogniser(checkpoint, faces, { python, folder: scratch })), lfw };
}

/** The entries of both forms of a recogniser, each with the threshold that was found for it. */
async function measured(files: RecogniserFiles & { readonly lfw: string }) {
  const teacher = teacherEntry();
  const detection = await openDetector();
  const detector = createDetector(detection, loadKernels().kernels);
  const set = await readLfw(files.lfw);

  async function figures(describe: typeof recogniserEntry, from: string) {
    const bytes = readFileSync(from);
    const entryAt = (threshold: number): EmbeddingEntry =>
      describe(bytes, teacher, { threshold, margin: Number(options.margin) });
    const model = await openModel(entryAt(0), from);
    const found: RecogniserFigures = await measureRecogniser(model, detector, set);
    await model.close();
    const entry = entryAt(found.door.threshold);
    process.stdout.write(`${entry.name}: ${figuresText(found)}\n`);
    return { entry, from, found };
  }

  const float32 = await figures(recogniserEntry, files.float32);
  const int8 = await figures(int8Entry, files.int8);
  await detection.close();
  const faults = quantisationFaults(float32.found, int8.found, int8.entry.sizeBytes);
  if (faults.length > 0) throw new Error(faults.join('; '));
  return [float32, int8];
}

function teacherEntry(): EmbeddingEntry {
  const teacher = before.find(({ name }) => name === 'face-reidentification-retail-0095');
  if (teacher?.task === 'embedding') return teacher;
  throw new Error(`${manifest}: the teacher is not in it`);
}

/** The one that is shipped with it, or the one that is built in. */
async function openDetector() {
  const isBuiltIn = (entry: ModelEntry): entry is DetectionEntry =>
    entry.task === 'detection' && entry.builtin;
  if (options.detector) {
    return openModel(detectorEntry(readFileSync(options.detector)), options.detector);
  }
  const entry = before.find(isBuiltIn);
  if (!entry) throw new Error(`${manifest}: no detector is built in`);
  return openModel(entry, join(folder, entry.file));
}

async function loadable(entry: ModelEntry, from: string): Promise<void> {
  const model = await openModel(entry, from);
  await model.close();
}

/** Files and manifest, once nothing can refuse them any more. */
async function take(shipped: readonly { entry: ModelEntry; from: string }[]): Promise<void> {
  const models = placed(shipped, modelsIn(content));
  const text = `${JSON.stringify({ models }, null, 2)}\n`;
  parseManifest(text, manifest);
  for (const { entry, from } of shipped) {
    copyFileSync(from, join(folder, entry.file));
    process.stdout.write(`${entry.name}: ${entry.sizeBytes} bytes, SHA-256 ${entry.sha256}\n`);
  }
  writeFileSync(manifest, text);
  if (options.into) return;
  await promisify(execFile)(join(root, 'node_modules/.bin/biome'), ['check', '--write', manifest]);
}

/** In the place of the entry of the same name; a new one after all that are built in. */
function placed(
  shipped: readonly { entry: ModelEntry }[],
  others: readonly unknown[],
): readonly unknown[] {
  const names = others.map((other) => (isRecord(other) ? other['name'] : undefined));
  const added = shipped.filter(({ entry }) => !names.includes(entry.name));
  const kept = others.map(
    (other, at) => shipped.find(({ entry }) => entry.name === names[at])?.entry ?? other,
  );
  const end = kept.findLastIndex((entry) => isRecord(entry) && entry['builtin'] === true) + 1;
  return [...kept.slice(0, end), ...added.map(({ entry }) => entry), ...kept.slice(end)];
}

/** As they are written, key by key: other entries stay as they are. */
function modelsIn(manifestText: string): readonly unknown[] {
  const json: unknown = JSON.parse(manifestText);
  const models = isRecord(json) ? json['models'] : undefined;
  if (!Array.isArray(models)) throw new Error(`${manifest}: has no models`);
  return models;
}
