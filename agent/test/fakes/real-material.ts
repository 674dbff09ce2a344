import { join } from 'node:path';
import sharp from 'sharp';
import { loadManifest } from '../../io/models/manifest.ts';
import { openModel } from '../../io/models/sessions.ts';
import type { Model, ModelEntry, ModelTask } from '../../ports.ts';
import type { Frame } from '../../vision/frame.ts';
import { sharedFaces, sharedModels } from './shared-material.ts';

/** A real model of the manifest by its name, from the folder of real weights. */
export async function openReal<T extends ModelTask>(
  task: T,
  name: string,
): Promise<Model<Extract<ModelEntry, { task: T }>>> {
  const entry = loadManifest().entries.find((candidate) => candidate.name === name);
  if (!entry || !hasTask(entry, task)) throw new Error(`the manifest has no ${task} model ${name}`);
  return openModel(entry, join(sharedModels ?? '', entry.file));
}

function hasTask<T extends ModelTask>(
  entry: ModelEntry,
  task: T,
): entry is Extract<ModelEntry, { task: T }> {
  return entry.task === task;
}

/** A labelled picture as an rgb24 frame, shrunk (never enlarged) to fit a square of `maxSide`. */
export async function readReal(file: string, maxSide = 4096): Promise<Frame> {
  const { data, info } = await sharp(join(sharedFaces ?? '', file))
    .autoOrient()
    .removeAlpha()
    .toColourspace('srgb')
    .resize(maxSide, maxSide, { fit: 'inside', withoutEnlargement: true })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  return {
    format: 'rgb24',
    width,
    height,
    data: new Uint8Array(data),
    capturedAtMs: 0,
    sourceId: file,
  };
}
