/** How fast this device is, stage by stage. No picture is needed: the path is the same whatever it shows. */
import type { Vision } from './agent.ts';
import { createGallery } from './gallery/gallery.ts';
import { search } from './gallery/search.ts';
import { randomKey } from './io/process/chance.ts';
import { systemClock } from './io/process/clock.ts';
import { scratchProtector } from './operations.ts';
import { quantile } from './recognition/quantile.ts';
import { type Stage, type StageTimes, startStopwatch } from './recognition/stopwatch.ts';
import { templateBytes } from './template/template.ts';
import type { Face } from './vision/face.ts';
import { type Frame, frameSizeBytes } from './vision/frame.ts';

export type DeviceBenchRow = {
  readonly frame: string;
  readonly stage: Stage | 'total';
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
};

const frameSizes = [
  [640, 480],
  [1280, 720],
] as const;
const warmUp = 5;

/** `residents` random templates are searched. Quality and attack checks are left out: they need a face. */
export async function benchDevice(
  vision: Vision,
  { rounds, residents }: { readonly rounds: number; readonly residents: number },
): Promise<DeviceBenchRow[]> {
  const protector = scratchProtector(vision);
  const gallery = randomGallery(protector, residents);
  const rows: DeviceBenchRow[] = [];
  for (const [width, height] of frameSizes) {
    const frame = gradient(width, height);
    const times: StageTimes[] = [];
    for (let round = 0; round < rounds + warmUp; round++) {
      const watch = startStopwatch(systemClock);
      await vision.pipeline.locate(frame, watch.lap);
      const embedding = await vision.pipeline.embed(frame, faceInTheMiddle(frame), watch.lap);
      if (!embedding) throw new TypeError('the recogniser gives nothing that can be compared');
      const probe = protector.probe(embedding);
      watch.lap('template');
      search(gallery, probe, vision.kernels);
      watch.lap('search');
      embedding.values.fill(0);
      if (round >= warmUp) times.push(watch.times());
    }
    for (const stage of ['detect', 'align', 'embed', 'template', 'search', 'total'] as const) {
      const values = times.map((each) => each[stage] ?? 0);
      rows.push({
        frame: `${width}x${height}`,
        stage,
        p50Ms: quantile(values, 0.5),
        p95Ms: quantile(values, 0.95),
        p99Ms: quantile(values, 0.99),
      });
    }
  }
  protector.wipe();
  return rows;
}

function randomGallery(scope: { modelSha256: string; version: number }, residents: number) {
  const gallery = createGallery({ ...scope, capacity: residents });
  const seed = randomKey();
  const code = new Uint8Array(templateBytes);
  for (let n = 0; n < residents; n++) {
    // Any bytes do: a search takes as long whatever it compares.
    for (let i = 0; i < templateBytes; i++) code[i] = (seed[i % 32] ?? 0) ^ Math.imul(n + i, 97);
    gallery.add(`R-${n}`, { code, ...scope });
  }
  return gallery;
}

function gradient(width: number, height: number): Frame {
  const data = new Uint8Array(frameSizeBytes('nv12', width, height));
  for (let at = 0; at < data.length; at++) data[at] = (at % width) & 0xff;
  return { format: 'nv12', width, height, data, capturedAtMs: 0, sourceId: 'bench' };
}

/** As if somebody stood there, the face a third of the frame's height. */
function faceInTheMiddle({ width, height }: Frame): Face {
  const [x, y, unit] = [width / 2, height / 2, height / 12];
  return {
    box: { x: x - 1.5 * unit, y: y - 2 * unit, width: 3 * unit, height: 4 * unit },
    landmarks: [
      [x - 0.7 * unit, y - 0.6 * unit],
      [x + 0.7 * unit, y - 0.6 * unit],
      [x, y],
      [x - 0.6 * unit, y + 0.8 * unit],
      [x + 0.6 * unit, y + 0.8 * unit],
    ],
    score: 1,
  };
}
