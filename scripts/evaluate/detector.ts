import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { readPicture } from '../../agent/io/camera/image.ts';
import { readIdentityFolders } from '../../agent/io/measuring/identification-files.ts';
import { textTable } from '../../agent/io/measuring/text-table.ts';
import { loadManifest } from '../../agent/io/models/manifest.ts';
import { openModel } from '../../agent/io/models/sessions.ts';
import { loadKernels } from '../../agent/io/process/native.ts';
import type { DetectionEntry, ModelEntry } from '../../agent/ports.ts';
import { centralFace } from '../../agent/recognition/primary-face.ts';
import { listOf, number, object, readShape, text } from '../../agent/shape.ts';
import {
  createDetector,
  type DetectionSettings,
  defaultDetectionSettings,
} from '../../agent/vision/detection.ts';
import type { Face, Point } from '../../agent/vision/face.ts';
import { detectorEntry } from '../train/built-in-entries.ts';
import {
  type Agreement,
  agreement,
  annotatedFaces,
  errorQuantile,
  heightSeen,
  type SeenTwice,
  thresholdAllowing,
} from './detector-agreement.ts';

const usage = `node scripts/evaluate/detector.ts --models DIR --faces DIR [--detector FILE...] [--every N]
How far detectors of our own find what a permitted one finds, on pictures that nobody trained on, through the agent's
own way from picture to faces. DIR of --models holds the permitted one, DIR of --faces lfw, multi, single, spoof and nonface.
  --detector FILE   ONNX, as detector.py exports it, several times; the built-in one by default
  --reference NAME  of the manifest; yunet-n-dynamic by default
  --every N         of the LFW pictures every n-th; 1 by default`;

const { values: options } = parseArgs({
  options: {
    models: { type: 'string' },
    faces: { type: 'string' },
    detector: { type: 'string', multiple: true },
    reference: { type: 'string', default: 'yunet-n-dynamic' },
    every: { type: 'string', default: '1' },
  },
});
const { models, faces } = options;
const every = Number(options.every);
if (!models || !faces || !(Number.isSafeInteger(every) && every > 0)) {
  process.stderr.write(`${usage}\n`);
  process.exit(64);
}

type Seen = { readonly reference: Face[]; readonly candidates: Face[][]; readonly frame: Size };
type Size = { readonly width: number; readonly height: number };

/** Of faces, in pixels of the detector's tensor. */
const heightSteps = [
  [0, 16],
  [16, 24],
  [24, 40],
  [40, 80],
  [80, 160],
  [160, Number.POSITIVE_INFINITY],
] as const;

/** Boxes of lower scores are not looked at; many, so that none of them is cut off. */
const low: DetectionSettings = { ...defaultDetectionSettings, scoreThreshold: 0.05, maxFaces: 100 };
const preset = defaultDetectionSettings.scoreThreshold;

const { kernels } = loadKernels();
const { entries } = loadManifest(models);
const isDetector = (entry: ModelEntry): entry is DetectionEntry => entry.task === 'detection';
const permitted = entries.filter(isDetector).find(({ name }) => name === options.reference);
const builtIn = entries.filter(isDetector).find((entry) => entry.builtin);
if (!permitted || !builtIn) throw new Error(`the manifest has no detector ${options.reference}`);
const own = fileURLToPath(new URL(`../../agent/models/${builtIn.file}`, import.meta.url));
const files = options.detector ?? [own];
const reference = await look(permitted, join(models, permitted.file), defaultDetectionSettings);
const candidates = await Promise.all(
  files.map((file) => look(detectorEntry(readFileSync(file)), file, low)),
);

const { pictures } = await readIdentityFolders(join(faces, 'lfw', 'images'));
const lfw = await seeAll(
  pictures.map(({ picture }) => picture).filter((_, at) => at % every === 0),
);
const groups = await seeAll(listed('multi'));
const others = await seeAll([...listed('single'), ...listed('spoof')]);
const faceless = await seeAll(listed('nonface'));
const noses = await annotatedNoses(listed('multi'));

process.stdout.write(
  `${options.reference} at ${preset}; ${lfw.length} LFW pictures, ${groups.length} group pictures, ${others.length} others, ${faceless.length} without a face\n`,
);
const known = (of: (seen: Seen) => Face[]) =>
  annotatedFaces([
    ...groups.map((seen, at) => ({ noses: noses[at] ?? [], faces: of(seen) })),
    ...faceless.map((seen) => ({ noses: [], faces: of(seen) })),
  ]);
const allowed = known((seen) => seen.reference);
process.stdout.write(
  `${options.reference}: ${allowed.found} of ${allowed.noses} annotated noses in a box, ${allowed.falseScores.length} boxes without one\n`,
);
for (const [at, file] of files.entries()) process.stdout.write(`\n${report(file, at)}\n`);

async function look(entry: DetectionEntry, file: string, settings: DetectionSettings) {
  const { detect } = createDetector(await openModel(entry, file), kernels, settings);
  return detect;
}

async function seeAll(paths: readonly string[]): Promise<Seen[]> {
  const seen: Seen[] = [];
  for (const path of paths) {
    const frame = await readPicture(path);
    const found: Face[][] = [];
    for (const detect of candidates) found.push(await detect(frame));
    const { width, height } = frame;
    seen.push({ reference: await reference(frame), candidates: found, frame: { width, height } });
    if (seen.length % 1000 === 0) process.stderr.write(`${seen.length} of ${paths.length}\n`);
  }
  return seen;
}

function listed(folder: string): string[] {
  const names = readdirSync(join(faces ?? '', folder)).filter((name) => /\.(jpg|png)$/.test(name));
  return names.sort().map((name) => join(faces ?? '', folder, name));
}

/** Of each picture, in pixels of the frame that the agent makes of it. */
async function annotatedNoses(paths: readonly string[]): Promise<Point[][]> {
  const at = listOf(number(0, 1e5), { min: 2, max: 2 });
  const image = object({ file: text(), noses: listOf(at) }, { person: text() });
  const shape = object({ source: text(), fields: text(), images: listOf(image) });
  const file = join(faces ?? '', 'multi', 'annotations.json');
  const read = readShape(shape, JSON.parse(readFileSync(file, 'utf8')));
  if (!('value' in read)) throw new Error(`${file}: ${read.faults.join('; ')}`);
  return Promise.all(
    paths.map(async (path, index) => {
      const { width, height } = await sharp(path).metadata();
      const frame = groups[index]?.frame;
      const listedImage = read.value.images.find((each) => each.file === basename(path));
      if (!frame || !listedImage) throw new Error(`${file}: nothing about ${path}`);
      const scale = Math.max(frame.width, frame.height) / Math.max(width, height);
      return listedImage.noses.map(([x = 0, y = 0]): Point => [x * scale, y * scale]);
    }),
  );
}

function report(file: string, candidate: number): string {
  const of = (seen: readonly Seen[]) => seen.map((each) => twice(each, candidate));
  const all = [...of(lfw), ...of(groups), ...of(others)];
  const central = of(lfw.map((each) => ({ ...each, reference: centralOf(each) })));
  const annotated = known((seen) => seen.candidates[candidate] ?? []);
  const equal = thresholdAllowing(
    annotated.falseScores,
    allowed.falseScores.length,
    low.scoreThreshold,
  );
  const rows = [...new Set([equal, 0.6, 0.5, 0.4, 0.3])].map((threshold) => {
    const passing = known((seen) =>
      (seen.candidates[candidate] ?? []).filter(({ score }) => score >= threshold),
    );
    const found = agreement(all, threshold);
    return [
      `${threshold.toFixed(3)}${threshold === equal ? ' *' : ''}`,
      share(found),
      share(agreement(central, threshold)),
      `${passing.found} / ${passing.noses}`,
      `${passing.falseScores.length}`,
      `${found.others}`,
      ...landmarks(found),
    ];
  });
  const sizes = heightSteps.map(([from, to]) => {
    const found = agreement(all, preset, (face, picture) => {
      const height = heightSeen(face, picture);
      return height >= from && height < to;
    });
    return [rangeText(from, to), `${found.wanted}`, share(found), ...landmarks(found)];
  });
  return [
    `${basename(file)}   (*: as many boxes without a face as ${options.reference})`,
    textTable([
      ['threshold', 'all', 'central', 'noses', 'false', 'others', 'landmarks', 'p90'],
      ...rows,
    ]),
    '',
    textTable([[`height px, at ${preset}`, 'faces', 'found', 'landmarks', 'p90'], ...sizes]),
  ].join('\n');
}

function twice(
  { reference: wanted, candidates: found, frame }: Seen,
  candidate: number,
): SeenTwice {
  const scale = Math.min(1, low.inputWidth / Math.max(frame.width, frame.height));
  return { reference: wanted, candidate: found[candidate] ?? [], scale };
}

/** LFW's own face: the one in the middle. */
function centralOf(seen: Seen): Face[] {
  const face = centralFace(seen.reference, seen.frame);
  return face ? [face] : [];
}

function share({ found, wanted }: Agreement): string {
  return wanted === 0 ? 'none' : `${percent(found / wanted)} of ${wanted}`;
}

function rangeText(from: number, to: number): string {
  return Number.isFinite(to) ? `${from} to ${to}` : `${from} or more`;
}

function landmarks(found: Agreement): string[] {
  if (found.found === 0) return ['-', '-'];
  return [percent(errorQuantile(found, 0.5)), percent(errorQuantile(found, 0.9))];
}

function percent(value: number): string {
  return `${(100 * value).toFixed(2)} %`;
}
