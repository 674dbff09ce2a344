import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { acquireAll } from '../../agent/gallery/acquisition.ts';
import { cosineComparator } from '../../agent/gallery/comparator.ts';
import { studyFusion } from '../../agent/gallery/fusion-study.ts';
import { evaluateIdentification } from '../../agent/gallery/identification-evaluation.ts';
import { evaluateVerification } from '../../agent/gallery/verification-evaluation.ts';
import {
  fusionText,
  identificationSummary,
  identificationText,
  verificationSummary,
  verificationText,
} from '../../agent/io/measuring/evaluation-report.ts';
import { readIdentityFolders } from '../../agent/io/measuring/identification-files.ts';
import { loadManifest } from '../../agent/io/models/manifest.ts';
import { openModel } from '../../agent/io/models/sessions.ts';
import { loadKernels } from '../../agent/io/process/native.ts';
import type { ModelEntry } from '../../agent/ports.ts';
import { createFaceEncoder } from '../../agent/recognition/face-encoder.ts';
import { centralFace, primaryFace } from '../../agent/recognition/primary-face.ts';
import { createDetector } from '../../agent/vision/detection.ts';
import { acquireBy, readLfw, underKeys } from './lfw-run.ts';

const usage = `node scripts/evaluate/lfw.ts --models DIR --lfw DIR [options]
What docs/benchmarks.md says about accuracy: pairs, the open-set split, and the gain of more templates and
frames, on Labeled Faces in the Wild. DIR of --lfw holds pairs.txt, ident.csv and images/;
a manifest.json in DIR of --models adds to doorkeep's own.
  --detection NAME   of the manifest; yunet-n-dynamic by default
  --embedding NAME   of the manifest; face-reidentification-retail-0095 by default
  --face central     which face of a picture: the central one (the protocol of LFW, default), or
         primary     the one the door would take
  --margin N         least lead over the next resident; 0 by default
  --keys N           device keys: templates are measured under each of them; 1 by default
  --exclude FILE     names, one a line, that the study of templates and frames leaves out (label faults)
  --json             one JSON value instead of tables`;

const { values: options } = parseArgs({
  options: {
    models: { type: 'string' },
    lfw: { type: 'string' },
    detection: { type: 'string', default: 'yunet-n-dynamic' },
    embedding: { type: 'string', default: 'face-reidentification-retail-0095' },
    face: { type: 'string', default: 'central' },
    margin: { type: 'string', default: '0' },
    keys: { type: 'string', default: '1' },
    exclude: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const { models, lfw } = options;
const chooseFace = { central: centralFace, primary: primaryFace }[options.face];
if (!models || !lfw || !chooseFace) {
  process.stderr.write(`${usage}\n`);
  process.exit(64);
}

const { kernels } = loadKernels();
const detectionModel = await open('detection', options.detection);
const embeddingModel = await open('embedding', options.embedding);
const detector = createDetector(detectionModel, kernels);
const encoder = createFaceEncoder(embeddingModel, kernels);

const acquire = acquireBy(detector, encoder, chooseFace);
const { images, pairs, split } = await readLfw(lfw);
const { pictures } = await readIdentityFolders(images);
const acquired = await acquireAll(
  pictures.map(({ picture }) => picture),
  acquire,
  (done, total) => {
    if (done % 500 === 0 || done === total) process.stderr.write(`${done} of ${total} pictures\n`);
  },
);
await Promise.all([detectionModel.close(), embeddingModel.close()]);

const comparators = [
  cosineComparator,
  ...underKeys(embeddingModel.entry, kernels, Number(options.keys)),
];
const verification = evaluateVerification(pairs, acquired, comparators);
const identification = evaluateIdentification(split.gallery, split.visits, acquired, comparators, {
  margin: Number(options.margin),
  fpirTargets: [0.02, 0.01, 0.003],
});
const excluded = new Set(
  options.exclude ? (await readFile(options.exclude, 'utf8')).split('\n') : [],
);
const studied = pictures.filter(({ identity }) => !excluded.has(identity));
const studies = [
  { templatesPerResident: [1, 2, 3], framesPerDecision: [1], probePictures: 99 },
  { templatesPerResident: [1], framesPerDecision: [1, 2, 3] },
  { templatesPerResident: [1, 2], framesPerDecision: [1, 2] },
  { templatesPerResident: [1, 2, 3], framesPerDecision: [1, 2, 3] },
].map((study) => studyFusion(studied, acquired, comparators.slice(0, 2), study));

if (options.json) {
  const summary = {
    verification: verificationSummary(verification),
    identification: identificationSummary(identification),
    studies,
  };
  process.stdout.write(`${JSON.stringify(summary)}\n`);
} else {
  const texts = [
    `${options.detection}, ${options.embedding}, ${options.face} face, kernels ${kernels.name}`,
    verificationText(verification),
    identificationText(identification),
    ...studies.map(fusionText),
  ];
  process.stdout.write(`${texts.join('\n\n')}\n`);
}

async function open<T extends ModelEntry['task']>(task: T, name: string) {
  const isWanted = (entry: ModelEntry): entry is Extract<ModelEntry, { task: T }> =>
    entry.task === task && entry.name === name;
  const entry = loadManifest(models).entries.find(isWanted);
  if (!entry || !models) throw new Error(`the manifest has no ${task} model ${name}`);
  return openModel(entry, join(models, entry.file));
}
