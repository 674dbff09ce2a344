import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { textTable } from '../../agent/io/measuring/text-table.ts';
import { loadManifest } from '../../agent/io/models/manifest.ts';
import { openModel } from '../../agent/io/models/sessions.ts';
import type { Model, ModelEntry } from '../../agent/ports.ts';
import { quantile } from '../../agent/recognition/quantile.ts';

const usage = `node scripts/bench/models.ts [--models DIR] [--runs N]
Milliseconds of one inference, one thread, in turn through all detectors (320 × 256 where the size is free) and all
recognisers of the manifest whose files are in DIR or built in; each beside the permitted one of its task.
  --runs N    rounds; 200 by default`;

/** What the others are compared with. */
const permitted = ['yunet-n-dynamic', 'face-reidentification-retail-0095'];

const { values: options } = parseArgs({
  options: { models: { type: 'string' }, runs: { type: 'string', default: '200' } },
});
const runs = Number(options.runs);
if (!(Number.isSafeInteger(runs) && runs > 0)) {
  process.stderr.write(`${usage}\n`);
  process.exit(64);
}

type Timed = {
  readonly entry: ModelEntry;
  readonly run: () => Promise<void>;
  readonly ms: number[];
};

for (const task of ['detection', 'embedding'] as const) {
  const timed: Timed[] = [];
  for (const entry of loadManifest(options.models).entries) {
    const file = fileOf(entry);
    if (entry.task === task && file) timed.push(inferences(await openModel(entry, file)));
  }
  // The first rounds are for the caches.
  const warmUp = Math.ceil(runs / 10);
  for (let round = 0; round < warmUp + runs; round++) {
    for (const { run, ms } of timed) {
      const start = performance.now();
      await run();
      if (round >= warmUp) ms.push(performance.now() - start);
    }
  }
  process.stdout.write(`${table(timed)}\n`);
}

function inferences(model: Model): Timed {
  const [, channels, height, width] = model.entry.input.shape.map((side, axis) =>
    typeof side === 'number' ? side : [1, 3, 256, 320][axis],
  );
  const shape = [1, channels ?? 3, height ?? 256, width ?? 320] as const;
  const input = Float32Array.from({ length: shape[1] * shape[2] * shape[3] }, () => Math.random());
  return { entry: model.entry, run: async () => void (await model.run(input, shape)), ms: [] };
}

function table(timed: readonly Timed[]): string {
  const reference = timed.find(({ entry }) => permitted.includes(entry.name));
  const median = ({ ms }: Timed) => quantile(ms, 0.5);
  const rows = timed.map((each) => [
    each.entry.name,
    Math.min(...each.ms).toFixed(2),
    median(each).toFixed(2),
    reference ? (median(each) / median(reference)).toFixed(2) : '',
  ]);
  return textTable([['', 'best', 'median', 'ratio'], ...rows], 2);
}

function fileOf({ file, builtin }: ModelEntry): string | undefined {
  const root = fileURLToPath(new URL('../../agent/models', import.meta.url));
  const folders = [...(options.models ? [options.models] : []), ...(builtin ? [root] : [])];
  return folders.map((folder) => join(folder, file)).find((path) => existsSync(path));
}
