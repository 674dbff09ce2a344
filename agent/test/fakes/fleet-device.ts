import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { Place } from '../../agent.ts';
import { localTimeIn } from '../../io/process/local-time.ts';
import { seededChance } from '../../io/process/seeded-chance.ts';
import { createAttemptRecorder } from '../../io/programme/attempt-recorder.ts';
import { createAttemptRing } from '../../io/programme/attempt-ring.ts';
import type { Clock } from '../../ports.ts';
import { openCloud } from '../../programme/cloud.ts';
import { programmeCommands } from '../../programme/commands.ts';
import { openProgramme, type ProgrammeAtWork } from '../../programme/programme.ts';
import { usedModels } from '../../programme/used-models.ts';
import type { CloudPort } from '../../upload/cloud-port.ts';
import { fakeEvent } from './fake-event.ts';
import { createManualTime, type ManualTime } from './manual-time.ts';
import { resident } from './programme-device.ts';

/** One call of the uploader, by the true time at which it began, and what the device took it for. */
export type FleetCall = {
  readonly atMs: number;
  readonly believedMs: number;
  readonly step: keyof CloudPort;
  /** Of the grant that a PUT was made with. */
  readonly objectKey: string | null;
};

/** How many calls of all devices wait for an answer. */
export type FleetNetwork = { waiting: number };

export type FleetOptions = {
  readonly name: string;
  readonly config: Place['config'];
  /** An empty folder of its own. */
  readonly folder: string;
  readonly network: FleetNetwork;
  /** The same for all devices, and for the cloud. */
  readonly trueMs: () => number;
  /** How wrong its clock is, so long after a boot. */
  readonly errorMs: (trueMs: number, sinceBootMs: number) => number;
  readonly isSynchronised: (sinceBootMs: number) => boolean;
};

/** One device of many: the whole programme on files of its own, the real clients, a clock of its own. */
export type FleetDevice = ReturnType<typeof createFleetDevice>;

export function createFleetDevice(options: FleetOptions) {
  const { name, config, folder, trueMs } = options;
  const dimensions = usedModels({ dataDir: folder, config })().dimensions;
  const modelSha256 = usedModels({ dataDir: folder, config })().embeddingSha256;
  const toLocalTime = localTimeIn(config['device.timeZone']);
  const chance = seededChance(`visitors of ${name}`);
  const calls: FleetCall[] = [];
  const abandoned: ProgrammeAtWork[] = [];
  let boot: Boot | undefined;

  function booted(): Boot {
    if (boot === undefined) throw new Error(`${name} is switched off`);
    return boot;
  }
  async function start(dataDir: string): Promise<void> {
    const time = createManualTime();
    const place: Place = { dataDir, config };
    const bornMs = trueMs();
    const startMs = time.clock.monotonicMs();
    const sinceBootMs = () => time.clock.monotonicMs() - startMs;
    const now = () => bornMs + sinceBootMs();
    const clock: Clock = {
      monotonicMs: time.clock.monotonicMs,
      wallMs: () => Math.round(now() + options.errorMs(now(), sinceBootMs())),
    };
    const cloud = await openCloud({ config }, clock);
    if (cloud === undefined) throw new Error('the settings name no cloud');
    const outside = {
      clock,
      timers: time.timers,
      doNotTrack: false,
      isSynchronised: () => options.isSynchronised(sinceBootMs()),
      cloud: { port: watched(cloud.port, calls, options, moment), rules: cloud.rules },
    };
    const ring = createAttemptRing(dimensions);
    const programme = await openProgramme(place, outside, ring);
    const tell = createAttemptRecorder(ring, clock);
    boot = { time, dataDir, programme, clock, tell, zeroMs: () => bornMs - startMs };
  }
  /** A timer that is due in the middle of `live` fires at its own time. */
  function moment() {
    const { time, programme, zeroMs } = booted();
    const atMs = zeroMs() + time.clock.monotonicMs();
    return { atMs, believedMs: programme.time.watched.judge().wallMs };
  }
  async function stop(): Promise<void> {
    await boot?.programme.close();
    boot = undefined;
  }

  return {
    name,
    calls,
    toLocalTime,
    get programme() {
      return booted().programme;
    },
    start: () => start(join(folder, 'data-0')),
    async stop() {
      await stop();
      // What power cuts have left behind.
      for (const programme of abandoned) await programme.close();
    },
    optIn: () =>
      programmeCommands(booted().programme).on({
        acceptPolicy: '2026-11',
        by: resident,
        allowVolatile: true,
      }),
    optOut: (eraseCloud: boolean) =>
      programmeCommands(booted().programme).off({ by: resident, eraseCloud, verify: false }),
    /** As after an update of the agent. */
    async restart() {
      const { dataDir } = booted();
      await stop();
      await start(dataDir);
    },
    /** It goes on with its files as they lie there. What it leaves behind never hears of time again. */
    async powerCut() {
      const { dataDir, programme } = booted();
      abandoned.push(programme);
      const next = join(folder, `data-${abandoned.length}`);
      cpSync(dataDir, next, { recursive: true });
      await start(next);
    },
    /** The device lives up to this moment. */
    live() {
      const { time, programme, zeroMs } = booted();
      time.advance(trueMs() - zeroMs() - time.clock.monotonicMs());
      programme.work();
    },
    /** How wrong the time is that it goes by, when it lived last. */
    believedErrorMs() {
      const { atMs, believedMs } = moment();
      return believedMs - atMs;
    },
    visit(people: number) {
      const { clock, tell } = booted();
      for (let n = 0; n < people; n++) {
        const values = Float32Array.from(chance(dimensions), (byte) => byte - 127.5);
        const norm = Math.hypot(...values);
        const embedding = { values: values.map((value) => value / norm), modelSha256 };
        tell(fakeEvent.match(clock.monotonicMs() - 60), embedding);
      }
    },
    /** Of the records that wait. */
    lines(): readonly string[] {
      const { records } = booted().programme;
      const count = records.counts()?.records ?? 0;
      if (count === 0) return [];
      return records
        .store()
        .oldest(count)
        .map(({ line }) => new TextDecoder().decode(line));
    },
  };
}

type Boot = {
  readonly time: ManualTime;
  readonly dataDir: string;
  readonly programme: ProgrammeAtWork;
  readonly clock: Clock;
  readonly tell: ReturnType<typeof createAttemptRecorder>;
  /** The true time at which its monotonic clock was 0. */
  readonly zeroMs: () => number;
};

/** The clients as they are, and what is asked of them. */
function watched(
  port: CloudPort,
  calls: FleetCall[],
  { network }: FleetOptions,
  moment: () => Pick<FleetCall, 'atMs' | 'believedMs'>,
): CloudPort {
  async function noted<T>(
    step: keyof CloudPort,
    objectKey: string | null,
    make: () => Promise<T>,
  ): Promise<T> {
    calls.push({ ...moment(), step, objectKey });
    network.waiting += 1;
    try {
      return await make();
    } finally {
      network.waiting -= 1;
    }
  }
  return {
    link: (call) => noted('link', null, () => port.link(call)),
    requestGrant: (batch, call) =>
      noted('requestGrant', null, () => port.requestGrant(batch, call)),
    put: (grant, bytes, call) => noted('put', grant.objectKey, () => port.put(grant, bytes, call)),
    done: (report, call) => noted('done', null, () => port.done(report, call)),
    orderErasure: (order, call) =>
      noted('orderErasure', null, () => port.orderErasure(order, call)),
  };
}
