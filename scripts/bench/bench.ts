/**
 * Speed and memory of the agent, beside the straightforward pipeline (naive.ts), in one run on the same
 * frames and models. `npm run bench [-- --frames 200 --out bench.json]`. Ratios hold on a noisy machine,
 * single times do not: every frame goes through all contestants in turn.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Place } from '../../agent/agent.ts';
import { presets } from '../../agent/config.ts';
import { readPicture } from '../../agent/io/camera/image.ts';
import { textTable } from '../../agent/io/measuring/text-table.ts';
import { systemClock } from '../../agent/io/process/clock.ts';
import { startRecognitionThread } from '../../agent/io/recognition/recognition-thread.ts';
import { createMotionGate } from '../../agent/vision/motion.ts';
import { type BenchFrame, benchFrames } from './frames.ts';
import { createNaive } from './naive.ts';
import { openOurs } from './ours.ts';
import { recordingCost, recordLimitUs } from './recording.ts';
import { searchRows } from './search.ts';
import { medianMs, type Spread, spread } from './timing.ts';

const { values: options } = parseArgs({
  options: { frames: { type: 'string', default: '200' }, out: { type: 'string' } },
});
const shared = fileURLToPath(new URL('../../../shared/', import.meta.url));
if (!existsSync(shared)) {
  process.stderr.write('bench: no models and faces to measure with: ../shared is not here\n');
  process.exit(66);
}
const models = join(shared, 'models');
const people = join(shared, 'faces/lfw/images');
const dataDir = mkdtempSync(join(tmpdir(), 'doorkeep-bench-'));
const sizes = [
  [640, 480],
  [1280, 720],
] as const;

try {
  const pipelines = [];
  for (const threads of [1, 2]) {
    for (const [width, height] of sizes) pipelines.push(await pipeline(width, height, threads));
  }
  const small = await benchFrames(people, 640, 480, 1);
  const place = { dataDir, config: presets };
  const report = {
    machine: { cpu: cpus()[0]?.model, cores: cpus().length, node: process.versions.node },
    pipelines,
    idle: idleCost(small),
    recording: await recordingCost(place, small, Number(options.frames)),
    thread: await threaded(small),
    memory: memoryUse(small),
    startUp: startUpTimes(small),
    search: searchRows([1_000, 20_000, 100_000, 1_000_000]),
  };
  print(report);
  if (options.out) writeFileSync(options.out, `${JSON.stringify(report, undefined, 2)}\n`);
} finally {
  rmSync(dataDir, { recursive: true, force: true });
}

type Pipeline = Awaited<ReturnType<typeof pipeline>>;

/** Raw frame and JPEG through the agent, JPEG through the straightforward pipeline: frame by frame in turn. */
async function pipeline(width: number, height: number, threads: number) {
  const frames = await benchFrames(people, width, height, 24);
  const place: Place = { dataDir, config: { ...presets, 'inference.threads': threads } };
  const ours = await openOurs(place, 1000);
  const residents = Array.from({ length: 1000 }, () =>
    Float32Array.from({ length: 256 }, () => Math.random() - 0.5),
  );
  const files = ['yunet_n_dynamic.onnx', 'face-reidentification-retail-0095.onnx'] as const;
  const naive = await createNaive(
    join(models, files[0]),
    join(models, files[1]),
    threads,
    residents,
  );
  const totals: Record<'raw' | 'jpeg' | 'naive', number[]> = { raw: [], jpeg: [], naive: [] };
  const stages: Record<string, number[]> = {};
  const naiveStages: Record<string, number[]> = {};
  let found = 0;
  for (let n = -10; n < Number(options.frames); n++) {
    const { raw, jpeg } = frames[(n + 24) % 24] as BenchFrame;
    const [rawMs, [event]] = await timed(() => ours.recognise(raw));
    const [jpegMs] = await timed(async () => ours.recognise(await readPicture(jpeg)));
    const [naiveMs, naively] = await timed(() => naive(jpeg));
    if (n < 0) continue;
    totals.raw.push(rawMs);
    totals.jpeg.push(jpegMs);
    totals.naive.push(naiveMs);
    if (event?.kind === 'no-match') found++;
    collect(stages, event?.timesMs ?? {});
    collect(naiveStages, naively.stages);
  }
  await ours.close();
  return {
    width,
    height,
    threads,
    decisions: found,
    totalMs: mapped(totals, spread),
    ratio: {
      rawToNaive: spread(totals.raw).p50 / spread(totals.naive).p50,
      jpegToNaive: spread(totals.jpeg).p50 / spread(totals.naive).p50,
    },
    stagesMs: mapped(stages, spread),
    naiveStagesMs: mapped(naiveStages, spread),
  };
}

/** CPU of a frame in which nothing moves. */
function idleCost([frame]: readonly BenchFrame[]) {
  const gate = createMotionGate({ threshold: 2, holdMs: 0 });
  const { raw } = frame as BenchFrame;
  let capturedAtMs = 0;
  const motionGateMs = medianMs(501, () => {
    capturedAtMs += 1000;
    gate.opensFor({ ...raw, capturedAtMs });
  });
  return { motionGateMs };
}

/** How long the process that serves the relay is held up while its thread recognises without a pause. */
async function threaded([frame]: readonly BenchFrame[]) {
  const { raw } = frame as BenchFrame;
  const thread = startRecognitionThread({
    workerUrl: new URL('../../dist/agent/worker.js', import.meta.url),
    workerData: { dataDir, config: presets } satisfies Place,
    maxFrameBytes: raw.data.length,
  });
  await thread.ready;
  const next = () => thread.recognise({ ...raw, capturedAtMs: systemClock.monotonicMs() });
  for (let n = 0; n < 20; n++) await next();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const totals: number[] = [];
  for (let n = 0; n < 200; n++) totals.push((await timed(next))[0]);
  delay.disable();
  await thread.close();
  const delayMs = (q: number) => delay.percentile(q) / 1e6;
  return { totalMs: spread(totals), loopDelayMs: { p50: delayMs(50), p99: delayMs(99) } };
}

/** Resident memory of a process of its own on the raw path. */
function memoryUse([frame]: readonly BenchFrame[]) {
  const { rssMb } = JSON.parse(child('memory', frame as BenchFrame, 2000)) as { rssMb: number[] };
  return { after100Mb: rssMb[0], after1000Mb: rssMb[9], after2000Mb: rssMb.at(-1) };
}

/** From the start of the process to its first decision, the two in turn. */
function startUpTimes([frame]: readonly BenchFrame[]) {
  const ours: number[] = [];
  const naive: number[] = [];
  for (let n = 0; n < 11; n++) {
    for (const [what, list] of [
      ['start', ours],
      ['start-naive', naive],
    ] as const) {
      const start = performance.now();
      child(what, frame as BenchFrame, 1);
      list.push(performance.now() - start);
    }
  }
  const ratio = spread(ours).p50 / spread(naive).p50;
  return { oursMs: spread(ours), naiveMs: spread(naive), ratio };
}

function child(what: string, { raw, jpeg }: BenchFrame, count: number): string {
  const file = join(dataDir, what === 'start-naive' ? 'frame.jpg' : 'frame.nv12');
  writeFileSync(file, what === 'start-naive' ? jpeg : raw.data);
  const script = fileURLToPath(new URL('../../dist/scripts/bench/child.js', import.meta.url));
  // As scripts/doorkeep starts the agent.
  const args = ['--max-semi-space-size=1', script, what, dataDir, file, models, String(count)];
  const env = { ...process.env, MALLOC_ARENA_MAX: '1' };
  const ran = spawnSync(process.execPath, args, { env });
  if (ran.status !== 0) throw new Error(ran.stderr.toString());
  return ran.stdout.toString();
}

async function timed<T>(work: () => Promise<T>): Promise<[number, T]> {
  const start = performance.now();
  const value = await work();
  return [performance.now() - start, value];
}

function collect(lists: Record<string, number[]>, times: Readonly<Record<string, number>>): void {
  for (const [name, ms] of Object.entries(times)) {
    lists[name] ??= [];
    lists[name].push(ms);
  }
}

function mapped<K extends string, V, W>(record: Record<K, V>, of: (value: V) => W): Record<K, W> {
  return Object.fromEntries(
    Object.entries<V>(record).map(([key, value]) => [key, of(value)]),
  ) as Record<K, W>;
}

function print({
  pipelines,
  idle,
  recording,
  thread,
  memory,
  startUp,
  search,
}: {
  pipelines: Pipeline[];
  idle: ReturnType<typeof idleCost>;
  recording: Awaited<ReturnType<typeof recordingCost>>;
  thread: Awaited<ReturnType<typeof threaded>>;
  memory: ReturnType<typeof memoryUse>;
  startUp: ReturnType<typeof startUpTimes>;
  search: ReturnType<typeof searchRows>;
}): void {
  const say = (text: string) => process.stdout.write(`${text}\n`);
  const ms = ({ p50, p95, p99 }: Spread) => [p50, p95, p99].map((value) => value.toFixed(2));
  for (const run of pipelines) {
    say(`\n${run.width}x${run.height}, ${run.threads} thread(s), ${options.frames} frames`);
    const rows = [
      ...Object.entries(run.stagesMs).map(([name, times]) => [`  ${name}`, ...ms(times)]),
      ['raw frame to decision', ...ms(run.totalMs.raw)],
      ['JPEG to decision', ...ms(run.totalMs.jpeg)],
      ...Object.entries(run.naiveStagesMs).map(([name, times]) => [
        `  naive ${name}`,
        ...ms(times),
      ]),
      ['naive: JPEG to decision', ...ms(run.totalMs.naive)],
    ];
    say(textTable([['milliseconds', 'p50', 'p95', 'p99'], ...rows]));
    say(
      `ratio to naive: raw ${run.ratio.rawToNaive.toFixed(2)}, JPEG ${run.ratio.jpegToNaive.toFixed(2)}`,
    );
  }
  say(`\nframe without motion: ${idle.motionGateMs.toFixed(3)} ms`);
  const { recordUs, unheardUs, withoutMs, withMs } = recording;
  say(
    `record an attempt: p50 ${recordUs.p50.toFixed(1)}, p99 ${recordUs.p99.toFixed(1)} µs (limit ${recordLimitUs} at p99); nobody listens: p99 ${unheardUs.p99.toFixed(1)} µs`,
  );
  say(
    `raw frame to decision without, with recording: p50 ${withoutMs.p50.toFixed(2)}, ${withMs.p50.toFixed(2)} ms; p99 ${withoutMs.p99.toFixed(2)}, ${withMs.p99.toFixed(2)} ms`,
  );
  say(
    `in the recognition thread: p50 ${thread.totalMs.p50.toFixed(1)} ms; event loop held up p50 ${thread.loopDelayMs.p50.toFixed(1)}, p99 ${thread.loopDelayMs.p99.toFixed(1)} ms`,
  );
  say(
    `resident memory after 100, 1,000, 2,000 frames: ${memory.after100Mb}, ${memory.after1000Mb}, ${memory.after2000Mb} MB`,
  );
  say(
    `start to first decision: ${startUp.oursMs.p50.toFixed(0)} ms, naive ${startUp.naiveMs.p50.toFixed(0)} ms, ratio ${startUp.ratio.toFixed(2)}`,
  );
  say(
    `\n${textTable([
      ['templates', 'native ms', 'script ms', 'reading ms', 'of read bandwidth'],
      ...search.map((row) => [
        row.templates.toLocaleString('en'),
        row.nativeMs.toFixed(3),
        row.scriptMs.toFixed(2),
        row.readMs.toFixed(3),
        `${Math.round(row.partOfBandwidth * 100)} %`,
      ]),
    ])}`,
  );
}
