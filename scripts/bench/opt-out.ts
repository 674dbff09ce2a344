/**
 * What an opt-out of a full store costs recognition: frames without a pause before, during and after it, in one run,
 * with the programme in a thread of its own as beside a door. `node scripts/bench/opt-out.ts [--rounds 5]`
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Place } from '../../agent/agent.ts';
import { withTemporaryFolder } from '../../agent/io/files/temporary-folder.ts';
import { textTable } from '../../agent/io/measuring/text-table.ts';
import { systemTimers } from '../../agent/io/process/clock.ts';
import { superviseProgramme } from '../../agent/io/programme/programme-thread.ts';
import { programmeCommands } from '../../agent/programme/commands.ts';
import { openProgramme } from '../../agent/programme/programme.ts';
import { systemOutside } from '../../agent/programme/system-outside.ts';
import type { OffOrder } from '../../agent/programme-commands.ts';
import { programmeConfig, resident } from '../../agent/test/fakes/programme-device.ts';
import { someRecords } from '../../agent/test/fakes/some-record.ts';
import { type BenchFrame, benchFrames } from './frames.ts';
import { type Ours, openOurs } from './ours.ts';
import { spread } from './timing.ts';

const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } });
const rounds = Number(options.rounds);
const people = fileURLToPath(new URL('../../../shared/faces/lfw/images', import.meta.url));
/** Of one round, before and after. */
const framesBeside = 150;

await withTemporaryFolder('doorkeep-opt-out-', async (folder) => {
  const config = { ...programmeConfig, 'device.timeZone': null };
  const frames = await benchFrames(people, 640, 480, 24);
  const ours = await openOurs({ dataDir: folder, config }, 1000);
  const timesMs: Record<'before' | 'during' | 'after', number[]> = {
    before: [],
    during: [],
    after: [],
  };
  const erasures: (Erased & { readonly elapsedMs: number })[] = [];
  await look(ours, frames, timesMs.before, (n) => n < 50);
  timesMs.before.length = 0;
  for (let round = 0; round < rounds; round++) {
    const place: Place = { dataDir: join(folder, `${round}`), config };
    await fill(place);
    const thread = superviseProgramme({
      workerUrl: new URL('../../agent/programme-worker.ts', import.meta.url),
      workerData: place,
      isNeeded: true,
      timers: systemTimers,
      onRestart: ({ message }) => {
        throw new Error(message);
      },
      onEnd: () => {},
    });
    // It is at work, its start and its first sweep are over.
    await thread.ask('ueip.status', {}, nobody);
    await look(ours, frames, timesMs.before, (n) => n < framesBeside);
    const startMs = performance.now();
    let isOver = false;
    const order: OffOrder = { by: resident, eraseCloud: false, verify: false };
    const off = thread.ask('ueip.off', order, nobody).then((result) => {
      isOver = true;
      erasures.push({ elapsedMs: performance.now() - startMs, ...erased(result) });
    });
    await look(ours, frames, timesMs.during, () => !isOver);
    await off;
    await look(ours, frames, timesMs.after, (n) => n < framesBeside);
    await thread.close();
  }
  await ours.close();
  print(timesMs, erasures);
});

async function nobody(): Promise<void> {}

type Erased = { readonly records: number; readonly sizeBytes: number };

function erased(result: unknown): Erased {
  if (isErased(result)) return result;
  throw new Error(`the opt-out ended with ${JSON.stringify(result)}`);
}

function isErased(result: unknown): result is Erased {
  return (
    typeof result === 'object' &&
    result !== null &&
    Reflect.get(result, 'kind') === 'erased' &&
    typeof Reflect.get(result, 'records') === 'number' &&
    typeof Reflect.get(result, 'sizeBytes') === 'number'
  );
}

/** As many records as the settings let a device keep. */
async function fill(place: Place): Promise<void> {
  const programme = await openProgramme(place, await systemOutside(place));
  await programmeCommands(programme).on({
    acceptPolicy: '2026-11',
    by: resident,
    allowVolatile: true,
  });
  const store = programme.records.store();
  const collected = programme.time.now();
  const most = place.config['ueip.maxRecords'];
  for (let first = 0; first < most; first += 1_000) {
    store.append(someRecords(1_000, first).map((record) => ({ ...record, collected })));
  }
  await programme.close();
}

async function look(
  ours: Ours,
  frames: readonly BenchFrame[],
  timesMs: number[],
  goesOn: (n: number) => boolean,
): Promise<void> {
  for (let n = 0; goesOn(n); n++) {
    const frame = frames[n % frames.length];
    if (!frame) throw new TypeError('there is no frame to measure with');
    const startMs = performance.now();
    await ours.recognise(frame.raw);
    timesMs.push(performance.now() - startMs);
    // The answer of the other thread must be heard in between.
    await new Promise(setImmediate);
  }
}

function print(
  timesMs: Readonly<Record<string, readonly number[]>>,
  erasures: readonly (Erased & { readonly elapsedMs: number })[],
): void {
  const ms = (value: number) => value.toFixed(2);
  const rows = Object.entries(timesMs).map(([when, values]) => {
    const { p50, p95, p99 } = spread(values);
    return [when, `${values.length}`, ms(p50), ms(p95), ms(p99)];
  });
  const head = ['', 'frames', 'p50 ms', 'p95 ms', 'p99 ms'];
  process.stdout.write(`${textTable([head, ...rows])}\n`);
  for (const { elapsedMs, records, sizeBytes } of erasures) {
    process.stdout.write(`${records} records, ${sizeBytes} bytes erased in ${ms(elapsedMs)} ms\n`);
  }
}
