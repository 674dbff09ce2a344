import { gunzipSync } from 'node:zlib';
import {
  type Circumstances,
  type Decided,
  neverAsked,
  type Programme,
  type ProgrammeEvent,
} from '../../consent/consent.ts';
import { decide } from '../../consent/decide.ts';
import { md5Base64, sha256Hex } from '../../io/files/digests.ts';
import { gzip } from '../../io/files/gzip.ts';
import { localTimeIn } from '../../io/process/local-time.ts';
import { seededChance } from '../../io/process/seeded-chance.ts';
import type { ToLocalTime } from '../../ueip/attempt.ts';
import type { LedgerEvent } from '../../ueip/ledger-events.ts';
import { startClockTrust } from '../../upload/clock-trust.ts';
import type { UploadPorts } from '../../upload/pass.ts';
import { emptyUploadMemory, type UploadMemory } from '../../upload/upload-memory.ts';
import { type NightReport, uploadNight } from '../../upload/uploader.ts';
import { createWatchedClock } from '../../upload/watched-clock.ts';
import { nextWindow } from '../../upload/window.ts';
import { createManualTime } from './manual-time.ts';
import { type CloudStep, createMemoryCloud, type Fate } from './memory-cloud.ts';
import { memoryOutbox } from './memory-outbox.ts';
import { memoryRecordStore } from './memory-record-store.ts';
import { someRecords } from './some-record.ts';

/** The process is dead: nothing that it had in memory is left, and nothing more of it happens. */
class PowerCut extends Error {}

const dayMs = 86_400_000;
const hourMs = 3_600_000;
export const consentId = '3f2b8a52-0000-4000-8000-000000000001';
const texts = { policyVersion: '2026-11', textSha256: '0'.repeat(64) };
const resident = { name: 'resident', channel: 'cli' } as const;

/**
 * A device with everything that is durable on it, a cloud, and time that moves as fast as the test wants. It
 * can die between any two things that it does, and somebody can withdraw the consent between them.
 */
export function createUploadWorld(
  options: { readonly fate?: (step: CloudStep) => Fate; readonly zone?: string } = {},
) {
  const { zone = 'Europe/Berlin', fate = () => 'fine' } = options;
  const time = createManualTime(0);
  /** Midnight in Berlin, as the records of `someRecord` were made in the night before. */
  const beginMs = Date.UTC(2024, 9, 4, 22);
  let programme: Programme = { ...neverAsked };
  let records = memoryRecordStore();
  let outbox = memoryOutbox();
  let memory: UploadMemory = emptyUploadMemory;
  const confirmedOn = new Set<string>();
  let run = 0;
  let acts = 0;
  let outer = new AbortController();

  const trueMs = () => beginMs + time.clock.wallMs();
  const device = {
    /** How wrong its clock is. */
    wallOffsetMs: 0,
    isSynchronised: false,
    region: 'eu-central-1' as string | null,
    doNotTrack: false,
    maxNightBytes: 10_000_000,
    /** Changed: another store, or the same under other settings. */
    settings: 'settings-1',
    ledgerFault: undefined as Error | undefined,
    /** Asked before every thing that it does; may die, or withdraw. */
    onAct: (_n: number, _name: string) => {},
  };
  const wallMs = () => trueMs() + device.wallOffsetMs;
  const circumstances = (): Circumstances => ({
    policies: [
      { version: '2026-11', textSha256: texts.textSha256, material: true, effectiveAt: 0 },
    ],
    region: device.region,
    doNotTrack: device.doNotTrack,
    wallMs: wallMs(),
  });
  const record = (event: ProgrammeEvent): Decided => {
    const decided = decide(programme, circumstances(), event);
    if (decided.kind === 'changed') programme = decided.programme;
    return decided;
  };
  const cloud = createMemoryCloud((step) => fate(step), trueMs);
  let zoned = localTimeIn(zone);
  const toLocalTime: ToLocalTime = (ms) => zoned(ms);

  const world = {
    time,
    device,
    cloud,
    toLocalTime,
    trueMs,
    ledger: [] as LedgerEvent[],
    get programme() {
      return programme;
    },
    get records() {
      return records;
    },
    get outbox() {
      return outbox.waiting();
    },
    get memory() {
      return memory;
    },
    get acts() {
      return acts;
    },
    optIn() {
      const since = { wallMs: wallMs(), monotonicMs: time.clock.monotonicMs() };
      const grant = { ...texts, region: 'eu-central-1', by: resident, since, consentId };
      return record({ kind: 'grant', grant });
    },
    /** As rights/withdraw.ts does it: decision, abort, erasure. */
    optOut(eraseCloud = false) {
      const at = { wallMs: wallMs(), monotonicMs: time.clock.monotonicMs() };
      const newId = () => `erasure-${String(programme.sequence).padStart(16, '0')}`;
      record({ kind: 'withdraw', by: resident, at, eraseCloud: eraseCloud ? newId : null });
      outer.abort();
      records = memoryRecordStore();
      outbox = memoryOutbox();
      memory = emptyUploadMemory;
      record({ kind: 'wiped' });
    },
    /** Somebody has looked at the store, and says that it is in order. */
    trustStore() {
      memory = { ...memory, distrusted: null };
    },
    /** The house is in another zone from now on. */
    move(elsewhere: ToLocalTime) {
      zoned = elsewhere;
    },
    /** Records of the present day. */
    collect(count: number, first = 0) {
      records.append(
        someRecords(count, first).map((record) => ({
          ...record,
          epoch: programme.epoch,
          collected: {
            wallMs: Math.floor(wallMs() / hourMs) * hourMs,
            clockTrusted: true,
            runDay: trueMs() / dayMs,
          },
        })),
      );
    },
    /** Lets time go on until it is this late in the night's window. */
    goTo(hhmm: string) {
      const [hours = 0, minutes = 0] = hhmm.split(':').map(Number);
      const now = toLocalTime(trueMs());
      const localMs = trueMs() + now.utcOffsetMinutes * 60_000;
      const wanted = (hours * 60 + minutes) * 60_000;
      time.advance((((wanted - localMs) % dayMs) + dayMs) % dayMs);
    },
    /** A night's pass from now on, with time going on as it waits. */
    async night(): Promise<NightReport> {
      const report = await world.nightOrDeath();
      if (report === 'dead') throw new Error('the process died');
      return report;
    },
    async nightOrDeath(): Promise<NightReport | 'dead'> {
      outer = new AbortController();
      const mine = ++run;
      const ports = portsOf(mine);
      const window = nextWindow(ports.clock.judge().wallMs, toLocalTime);
      return letRun(uploadNight(ports, window, outer.signal), mine);
    },
    letRun,
    ports: () => portsOf(++run),
    stop: () => outer.abort(),
    /** The lines that lie in the cloud, sorted. */
    linesInCloud: () =>
      [...cloud.objects.values()]
        .flatMap(({ bytes }) => gunzipSync(bytes).toString().trimEnd().split('\n'))
        .toSorted(),
    linesOnDevice: () =>
      records
        .oldest(1e6)
        .map(({ line }) => new TextDecoder().decode(line))
        .toSorted(),
  };

  /** Runs timers until it has ended. */
  async function letRun<T>(work: Promise<T>, mine = run): Promise<T | 'dead'> {
    let isOver = false;
    const ended = work.finally(() => {
      isOver = true;
    });
    // Of a process that died there is nothing to hear.
    ended.catch(() => {});
    for (;;) {
      await new Promise(setImmediate);
      if (mine !== run) return 'dead';
      if (isOver) return ended;
      const [nextMs] = time.pendingMs;
      if (nextMs === undefined) throw new Error('it waits for nothing that would ever come');
      time.advance(nextMs);
    }
  }

  /** Dies with its run: what a dead process still tries has no effect. */
  function portsOf(mine: number): UploadPorts {
    const act = <T>(name: string, does: () => T): T => {
      if (mine !== run) throw new PowerCut();
      device.onAct(acts++, name);
      if (mine !== run) throw new PowerCut();
      return does();
    };
    const started = startClockTrust(
      { builtMs: Date.UTC(2024, 0), memory: null },
      { wallMs: wallMs(), monotonicMs: time.clock.monotonicMs() },
    );
    const clock = createWatchedClock({
      clock: { wallMs, monotonicMs: time.clock.monotonicMs },
      started,
      isSynchronised: () => device.isSynchronised,
    });
    const { port } = cloud;
    return {
      cloud: {
        link: (call) => act('link', () => port.link(call)),
        requestGrant: (batch, call) => act('grant', () => port.requestGrant(batch, call)),
        put: (grant, bytes, call) => act('put', () => port.put(grant, bytes, call)),
        done: (report, call) => act('done', () => port.done(report, call)),
        orderErasure: (order, call) => act('erasure', () => port.orderErasure(order, call)),
      },
      consent: {
        programme: () => programme,
        circumstances,
        decide: (event) => act(event.kind, () => record(event)),
      },
      records: {
        oldest: (most) => records.oldest(most),
        forget: (ids) => act('forget', () => records.forget(ids)),
        counts: () => records.counts(),
      },
      outbox: {
        waiting: () => outbox.waiting(),
        add: (batch) => act('outbox.add', () => outbox.add(batch)),
        remove: (batchId) => act('outbox.remove', () => outbox.remove(batchId)),
      },
      memory: {
        read: () => memory,
        write: (changed) =>
          act('remember', () => {
            memory = changed;
          }),
      },
      ledger: {
        append: (event) => {
          if (device.ledgerFault) throw device.ledgerFault;
          if (mine !== run) return;
          world.ledger.push(event);
          if (event.what === 'erasure-confirmed') confirmedOn.add(toLocalTime(wallMs()).date);
        },
        erasureConfirmedOn: (localDate) => confirmedOn.has(localDate),
        hashOfKey: (objectKey) => sha256Hex(new TextEncoder().encode(objectKey)),
      },
      clock,
      toLocalTime,
      runDay: () => trueMs() / dayMs,
      timers: {
        after: (delayMs, does) =>
          act('timer', () =>
            time.timers.after(delayMs, () => {
              if (mine === run) untilDeath(does);
            }),
          ),
      },
      random: seededChance(`run ${mine}`),
      sealing: { compress: gzip, sha256: sha256Hex, md5: md5Base64 },
      rules: {
        hostSuffixes: ['example'],
        ports: [],
        encryptionRequired: true,
        encryptionKeyId: null,
      },
      settings: () => device.settings,
      maxNightBytes: device.maxNightBytes,
    };
  }

  return Object.assign(world, {
    /** The process ends here, whatever it is doing. */
    die() {
      run += 1;
      throw new PowerCut();
    },
  });
}

/** What a timer of a process sets off may be its end. */
function untilDeath(does: () => void): void {
  try {
    does();
  } catch (fault) {
    if (!(fault instanceof PowerCut)) throw fault;
  }
}

export type UploadWorld = ReturnType<typeof createUploadWorld>;
