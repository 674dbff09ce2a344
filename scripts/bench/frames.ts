import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { toNv12 } from '../../agent/io/camera/nv12.ts';
import type { Frame } from '../../agent/vision/frame.ts';

/** One scene twice: as a camera's raw frame, and as the JPEG that the straightforward pipeline takes. */
export type BenchFrame = { readonly raw: Frame; readonly jpeg: Buffer };

/**
 * Scenes of a door: a portrait whose face is about a third of the frame's height, on a blurred
 * background. Every nth person of a folder `<person>/<picture>`.
 */
export async function benchFrames(
  people: string,
  width: number,
  height: number,
  count: number,
): Promise<BenchFrame[]> {
  const persons = readdirSync(people).sort();
  const step = Math.floor(persons.length / count);
  const frames: BenchFrame[] = [];
  for (let index = 0; index < count; index++) {
    const person = join(people, persons[index * step] ?? '');
    frames.push(await scene(join(person, readdirSync(person).sort()[0] ?? ''), width, height));
  }
  return frames;
}

async function scene(picture: string, width: number, height: number): Promise<BenchFrame> {
  const side = Math.round(height * 0.72);
  const background = await sharp(picture)
    .resize(width, height, { fit: 'cover' })
    .blur(20)
    .toBuffer();
  const portrait = await sharp(picture).resize(side, side).toBuffer();
  const rgb = await sharp(background)
    .composite([{ input: portrait, gravity: 'centre' }])
    .removeAlpha()
    .raw()
    .toBuffer();
  const data = new Uint8Array((width * height * 3) / 2);
  toNv12(rgb, width, height, data);
  const jpeg = await sharp(rgb, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 85 })
    .toBuffer();
  const raw: Frame = { format: 'nv12', width, height, data, capturedAtMs: 0, sourceId: 'bench' };
  return { raw, jpeg };
}
