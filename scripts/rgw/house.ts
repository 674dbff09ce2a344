import { setTimeout } from 'node:timers/promises';
import { type Config, readSettings } from '../../agent/config.ts';
import { seededChance } from '../../agent/io/process/seeded-chance.ts';
import { createAttemptRecorder } from '../../agent/io/programme/attempt-recorder.ts';
import { createAttemptRing } from '../../agent/io/programme/attempt-ring.ts';
import { bundledPolicies } from '../../agent/io/programme/policies.ts';
import type { Clock } from '../../agent/ports.ts';
import { openCloud } from '../../agent/programme/cloud.ts';
import { programmeCommands } from '../../agent/programme/commands.ts';
import type { Cloud } from '../../agent/programme/outside.ts';
import { openProgramme } from '../../agent/programme/programme.ts';
import { usedModels } from '../../agent/programme/used-models.ts';
import type { ProgrammeCommands, ProgrammeStatus, Write } from '../../agent/programme-commands.ts';
import { fakeEvent } from '../../agent/test/fakes/fake-event.ts';
import { createManualTime } from '../../agent/test/fakes/manual-time.ts';
import type { CloudPort } from '../../agent/upload/cloud-port.ts';

/** The programme of a device, whole, with real files and a real network; only its clock is made to hurry. */
export type House = {
  readonly commands: ProgrammeCommands;
  /** Its own way to the cloud, as the settings name it. */
  readonly cloud: Cloud;
  /** Of its grant. */
  consentId(): string;
  policyVersion(): string;
  /** What it would send next: the very bytes. */
  preview(): Promise<Buffer>;
  /** Its history, an entry a line. */
  history(): Promise<string>;
  /** Lets the night's pass begin, and waits until it has ended; what the status says then. */
  night(): Promise<ProgrammeStatus>;
  close(): Promise<void>;
};

/**
 * Somebody has opted in the evening before, and people have come. The house lies in a time zone of its own in which
 * it is twenty past one at night now, so that this is the hour in which records travel. By its own clock it comes
 * at a moment that chance has drawn, up to half an hour beside the true time, as devices are.
 */
export async function openHouse(
  dataDir: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<House> {
  const config = configOf(settings);
  const place = { dataDir, config };
  const time = createManualTime();
  const beganMs = Date.now() - eveningMs;
  const clock: Clock = {
    monotonicMs: time.clock.monotonicMs,
    wallMs: () => beganMs + Math.floor(time.clock.monotonicMs()),
  };
  const opened = await openCloud(place, clock);
  if (opened === undefined) throw new TypeError('the settings name no cloud');
  let underWay = 0;
  const cloud = { ...opened, port: counting(opened.port, (change) => (underWay += change)) };
  const { dimensions, embeddingSha256 } = usedModels(place)();
  const ring = createAttemptRing(dimensions);
  const outside = {
    ...{ clock, cloud, timers: time.timers },
    doNotTrack: false,
    isSynchronised: () => false,
  };
  const programme = await openProgramme(place, outside, ring);
  const commands = programmeCommands(programme);
  const pass = async (ms: number) => {
    time.advance(ms);
    programme.work();
    await setTimeout(1);
  };

  const grant = () => {
    const { consent } = programme.consent.programme();
    if (consent.state !== 'granted') throw new TypeError('nothing is granted');
    return consent;
  };

  await pass(minuteMs);
  await commands.on({
    acceptPolicy: bundledPolicies().at(-1)?.version ?? '',
    by,
    allowVolatile: true,
  });
  await pass(minuteMs);
  visit(createAttemptRecorder(ring, clock), clock, dimensions, embeddingSha256);
  // Records are made when their hour is over.
  for (let steps = 0; steps < 12; steps++) await pass(stepMs);

  return {
    commands,
    cloud,
    consentId: () => grant().consentId,
    policyVersion: () => grant().policyVersion,
    preview: () => written((write) => commands.preview({ by, gzip: true }, write)),
    history: async () => (await written((write) => commands.history(write))).toString(),
    async night() {
      // An opt-out ends what was planned: it is planned anew at the next look.
      await pass(1_000);
      const before = programme.night.last;
      const { nextMs } = (await commands.status()).upload;
      if (nextMs === null) throw new TypeError('no night comes');
      // By the time that it believes, not by its clock.
      const leftMs = () => nextMs - programme.time.watched.judge().wallMs;
      while (leftMs() > 0) await pass(Math.min(stepMs, leftMs()));
      // While others take part, time goes as it does for them.
      for (let atMs = performance.now(); programme.night.last === before; ) {
        await setTimeout(5);
        const nowMs = performance.now();
        await pass((underWay > 0 ? 1 : hurry) * (nowMs - atMs));
        atMs = nowMs;
      }
      return commands.status();
    },
    close: () => programme.close(),
  };
}

export const by = { name: 'resident', channel: 'cli' } as const;
const minuteMs = 60_000;
const stepMs = 10 * minuteMs;
const hurry = 30;
const eveningMs = 6 * 3_600_000;

/** Tells of every call that begins and ends. */
function counting(port: CloudPort, told: (change: 1 | -1) => void): CloudPort {
  const counted =
    <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A) => {
      told(1);
      return call(...args).finally(() => told(-1));
    };
  return {
    link: counted(port.link),
    requestGrant: counted(port.requestGrant),
    put: counted(port.put),
    done: counted(port.done),
    orderErasure: counted(port.orderErasure),
  };
}

function configOf(settings: Readonly<Record<string, unknown>>): Config {
  const notice = {
    'controller.name': 'A Maker',
    'controller.contact': '1 Street, Town',
    'controller.privacyPolicy': 'https://maker.example/privacy',
    'device.timeZone': zoneWhereItIs(80),
  };
  return readSettings({ ...notice, ...settings }, 'the settings of the house');
}

async function written(stream: (write: Write) => Promise<unknown>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  // The bytes are lent until the promise settles.
  await stream(async (bytes) => void pieces.push(Buffer.from(bytes)));
  return Buffer.concat(pieces);
}

/** '+0530': where so many minutes have passed since midnight, give or take eight: zones go by quarters of an hour. */
function zoneWhereItIs(minutes: number): string {
  const now = new Date();
  const aheadOfUtc = minutes - (now.getUTCHours() * 60 + now.getUTCMinutes());
  const quarters = Math.round(aheadOfUtc / 15);
  const offset = 15 * ((((quarters + 48) % 96) + 96) % 96) - 720;
  const two = (part: number) => String(Math.trunc(part)).padStart(2, '0');
  return `${offset < 0 ? '-' : '+'}${two(Math.abs(offset) / 60)}${two(Math.abs(offset) % 60)}`;
}

/** Four people at the door. */
function visit(
  tell: ReturnType<typeof createAttemptRecorder>,
  clock: Clock,
  dimensions: number,
  modelSha256: string,
): void {
  const chance = seededChance('visitors');
  for (let people = 0; people < 4; people++) {
    const values = Float32Array.from(chance(dimensions), (byte) => byte - 127.5);
    const norm = Math.hypot(...values);
    const event = fakeEvent.match(clock.monotonicMs() - 60);
    tell(event, { values: values.map((value) => value / norm), modelSha256 });
  }
}
