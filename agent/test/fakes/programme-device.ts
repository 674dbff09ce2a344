import { existsSync } from 'node:fs';
import type { Place } from '../../agent.ts';
import { type Config, presets } from '../../config.ts';
import type { Actor } from '../../consent/consent.ts';
import type { Policy } from '../../consent/policy.ts';
import { layoutOf } from '../../io/process/environment.ts';
import { localTimeIn } from '../../io/process/local-time.ts';
import { seededChance } from '../../io/process/seeded-chance.ts';
import { createAttemptRecorder } from '../../io/programme/attempt-recorder.ts';
import { createAttemptRing } from '../../io/programme/attempt-ring.ts';
import type { Clock } from '../../ports.ts';
import { programmeCommands } from '../../programme/commands.ts';
import type { Outside } from '../../programme/outside.ts';
import { openProgramme, type ProgrammeAtWork } from '../../programme/programme.ts';
import { usedModels } from '../../programme/used-models.ts';
import type { OffResult, OnResult, ProgrammeCommands } from '../../programme-commands.ts';
import type { CloudPort } from '../../upload/cloud-port.ts';
import { fakeEvent } from './fake-event.ts';
import { createManualTime, type ManualTime } from './manual-time.ts';
import { createMemoryCloud, type Fate, type MemoryCloud } from './memory-cloud.ts';

export const resident: Actor = { name: 'resident', channel: 'cli' };
export const zone = 'Europe/Berlin';
export const minuteMs = 60_000;
export const hourMs = 3_600_000;
export const dayMs = 86_400_000;
/** A Monday at noon, in the house's time. */
const beginMs = Date.UTC(2027, 2, 1, 11);

/** What the installer has set before anybody can be asked. */
export const programmeConfig: Config = {
  ...presets,
  'device.timeZone': zone,
  'cloud.region': 'eu-central-1',
  'controller.name': 'A Maker',
  'controller.contact': '1 Street, Town',
  'controller.privacyPolicy': 'https://maker.example/privacy',
};

/** What a test changes about the world. */
export type World = {
  /** How wrong the device's clock is. */
  wallOffsetMs: number;
  isSynchronised: boolean;
  doNotTrack: boolean;
  policies: readonly Policy[] | undefined;
  /** False: the settings name no cloud. */
  hasCloud: boolean;
};

/** The whole programme of a device on real files, with a door's ring, a cloud, and time that goes as the test wants. */
export type ProgrammeDevice = {
  readonly place: Place;
  readonly layout: ReturnType<typeof layoutOf>;
  readonly world: World;
  readonly time: ManualTime;
  readonly clock: Clock;
  readonly cloud: MemoryCloud;
  readonly ring: SharedArrayBuffer;
  /** As it was started last. */
  readonly programme: ProgrammeAtWork;
  readonly commands: ProgrammeCommands;
  trueMs(): number;
  start(): Promise<ProgrammeAtWork>;
  stop(): Promise<void>;
  on(): Promise<OnResult>;
  off(order?: { readonly eraseCloud?: boolean; readonly verify?: boolean }): Promise<OffResult>;
  /** So many people at the door, now. */
  visit(people?: number): void;
  /** Lets time go by, with the programme at work in it. */
  pass(ms: number, stepMs?: number): Promise<void>;
  /** Until the house's clock shows this hour. */
  passUntil(hour: number): Promise<void>;
};

export type DeviceOptions = {
  readonly dataDir: string;
  readonly config?: Partial<Config>;
  readonly fate?: Parameters<typeof createMemoryCloud>[0];
  readonly world?: Partial<World>;
  /** How long it has been running before. */
  readonly ranMs?: number;
  /** One that it has spoken to before; undefined: a new one. */
  readonly cloud?: MemoryCloud;
  /** What it speaks to instead. */
  readonly port?: CloudPort;
};

export function createProgrammeDevice(options: DeviceOptions): ProgrammeDevice {
  const { dataDir, config, fate = (): Fate => 'fine', ranMs = 1_000 } = options;
  const place: Place = { dataDir, config: { ...programmeConfig, ...config } };
  const time = createManualTime(ranMs);
  const world: World = {
    wallOffsetMs: 0,
    isSynchronised: true,
    doNotTrack: false,
    policies: undefined,
    hasCloud: true,
    ...options.world,
  };
  const trueMs = () => beginMs + time.clock.monotonicMs();
  const clock: Clock = {
    monotonicMs: time.clock.monotonicMs,
    wallMs: () => trueMs() + world.wallOffsetMs,
  };
  const cloud = options.cloud ?? createMemoryCloud(fate, trueMs);
  const dimensions = usedModels(place)().dimensions;
  const ring = createAttemptRing(dimensions);
  const tellAttempt = createAttemptRecorder(ring, clock);
  const chance = seededChance('visitors');
  const toLocalTime = localTimeIn(zone);
  let programme: ProgrammeAtWork | undefined;

  function started(): ProgrammeAtWork {
    if (!programme) throw new Error('the device was not started');
    return programme;
  }
  function outside(): Outside {
    return {
      clock,
      timers: time.timers,
      doNotTrack: world.doNotTrack,
      isSynchronised: () => world.isSynchronised,
      cloud: world.hasCloud ? { port: options.port ?? cloud.port, rules } : undefined,
      policies: world.policies,
    };
  }
  async function pass(ms: number, stepMs = minuteMs): Promise<void> {
    const endMs = time.clock.monotonicMs() + ms;
    for (;;) {
      const leftMs = endMs - time.clock.monotonicMs();
      if (leftMs <= 0) return;
      time.advance(Math.min(stepMs, leftMs));
      started().work();
      // What a pass over the network waits for.
      await new Promise(setImmediate);
    }
  }
  const device: ProgrammeDevice = {
    place,
    layout: layoutOf(dataDir),
    world,
    time,
    clock,
    cloud,
    ring,
    get programme() {
      return started();
    },
    get commands() {
      return programmeCommands(started());
    },
    trueMs,
    async start() {
      programme = await openProgramme(place, outside(), ring);
      programme.work();
      return programme;
    },
    async stop() {
      await programme?.close();
      programme = undefined;
    },
    async on() {
      const result = await device.commands.on({
        acceptPolicy: '2026-11',
        by: resident,
        allowVolatile: true,
      });
      started().work();
      return result;
    },
    off: ({ eraseCloud = false, verify = false } = {}) =>
      device.commands.off({ by: resident, eraseCloud, verify }),
    visit(people = 1) {
      for (let n = 0; n < people; n++) {
        const event = fakeEvent.match(clock.monotonicMs() - 60);
        const values = Float32Array.from(chance(dimensions), (byte) => byte - 127.5);
        const norm = Math.hypot(...values);
        tellAttempt(event, {
          values: values.map((value) => value / norm),
          modelSha256: usedModels(place)().embeddingSha256,
        });
      }
    },
    pass,
    async passUntil(hour) {
      const hourNow = () => toLocalTime(trueMs()).hour;
      // Long before, nobody has to look every minute.
      while ((hour - hourNow() + 23) % 24 > 1) await pass(hourMs / 4, hourMs / 4);
      do await pass(minuteMs);
      while (hourNow() !== hour);
    },
  };
  return device;
}

const rules = {
  hostSuffixes: ['example'],
  ports: [],
  encryptionRequired: true,
  encryptionKeyId: null,
};

/** Readable rows: files of the programme that hold anything, or a key that could open them. */
export function leftOn({ layout }: Pick<ProgrammeDevice, 'layout'>): readonly string[] {
  const { ueip, records, epochKey } = layout;
  return [ueip, records, `${records}-wal`, epochKey].filter((path) => existsSync(path));
}
