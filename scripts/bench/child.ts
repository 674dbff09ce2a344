/** What must be measured in a process of its own: `child.ts memory|start|start-naive DATADIR PEOPLE FRAMES`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { presets } from '../../agent/config.ts';
import { openOurs } from './ours.ts';

const [what = '', dataDir = '', file = '', models = '', count = '1'] = process.argv.slice(2);

if (what === 'start-naive') {
  const { createNaive } = await import('./naive.ts');
  const naive = await createNaive(
    join(models, 'yunet_n_dynamic.onnx'),
    join(models, 'face-reidentification-retail-0095.onnx'),
    1,
    [],
  );
  await naive(readFileSync(file));
} else {
  const data = new Uint8Array(readFileSync(file));
  const frame = {
    format: 'nv12',
    width: 640,
    height: 480,
    data,
    capturedAtMs: 0,
    sourceId: 'bench',
  } as const;
  const ours = await openOurs({ dataDir, config: presets }, 1000);
  const rssMb: number[] = [];
  for (let n = 0; n < Number(count); n++) {
    await ours.recognise(frame);
    if (n % 100 === 99) rssMb.push(Math.round(process.memoryUsage.rss() / 1e6));
  }
  process.stdout.write(`${JSON.stringify({ rssMb })}\n`);
}
