import { performance } from 'node:perf_hooks';
import type { Config } from '../../config.ts';
import { md5Base64, sha256Hex } from '../../io/files/digests.ts';
import { gzip } from '../../io/files/gzip.ts';
import { randomSecret } from '../../io/process/chance.ts';
import { systemTimers } from '../../io/process/clock.ts';
import { openCloud } from '../../programme/cloud.ts';
import { nightPortsOf } from '../../programme/night-ports.ts';
import type { NightPorts } from '../../programme/night-shift.ts';
import { openProgramme } from '../../programme/programme.ts';
import { type NightReport, uploadNight } from '../../upload/uploader.ts';
import { nextWindow } from '../../upload/window.ts';

/** What the process is to do, as JSON in its only argument. */
export type UploadOrder = {
  readonly dataDir: string;
  readonly config: Config;
  /** When its night begins. */
  readonly wallMs: number;
  /** It kills itself before or after the act with this number; null: it lives. */
  readonly kill: { readonly act: number; readonly when: 'before' | 'after' } | null;
};

/** What a night came to, and what it consisted of. */
export type UploadTold = {
  readonly acts: readonly string[];
  readonly end: NightReport['end'];
  readonly records: number;
  readonly outbox: number;
  readonly ledger: string;
};

const [given] = process.argv.slice(2);
// Without an order it ends at once: so that what Node has compiled is kept for the next ones.
if (given !== undefined) await oneNight(JSON.parse(given));

/** One night's upload of a real device in a process of its own, each thing that it does an act that may be its last. */
async function oneNight({ dataDir, config, wallMs, kill }: UploadOrder): Promise<void> {
  const place = { dataDir, config };
  const clock = {
    monotonicMs: () => performance.now(),
    wallMs: () => Math.round(wallMs + performance.now()),
  };
  const outside = {
    clock,
    timers: systemTimers,
    doNotTrack: false,
    isSynchronised: () => true,
    cloud: await openCloud(place, clock),
  };
  const programme = await openProgramme(place, outside);
  const { records, outbox, ledger, toLocalTime } = programme;
  const runDay = () => {
    records.store();
    return programme.time.runDay();
  };
  const ports = nightPortsOf(place, outside, programme, runDay);
  if (ports === undefined) throw new Error('the settings name no cloud');

  const acts: string[] = [];
  const dieIf = (act: number, when: 'before' | 'after') => {
    if (kill?.act === act && kill.when === when) process.kill(process.pid, 'SIGKILL');
  };
  function act<T>(name: string, does: () => T): T {
    const number = acts.push(name);
    dieIf(number, 'before');
    const result = does();
    dieIf(number, 'after');
    return result;
  }
  async function call<T>(name: string, does: () => Promise<T>): Promise<T> {
    const number = acts.push(name);
    dieIf(number, 'before');
    const result = await does();
    dieIf(number, 'after');
    return result;
  }

  const { end } = await uploadNight(
    {
      ...inActs(ports, act, call),
      sealing: { compress: gzip, sha256: sha256Hex, md5: md5Base64 },
      random: randomSecret,
      maxNightBytes: 4 * 1024 * 1024,
    },
    nextWindow(clock.wallMs(), toLocalTime),
    new AbortController().signal,
  );
  const told: UploadTold = {
    acts,
    end,
    records: records.store().counts().records,
    outbox: outbox.waiting().length,
    ledger: ledger.verify().kind,
  };
  process.stdout.write(JSON.stringify(told));
  await programme.close();
}

/** The same ports, with everything that changes anything told by name. */
function inActs(
  ports: NightPorts,
  act: <T>(name: string, does: () => T) => T,
  call: <T>(name: string, does: () => Promise<T>) => Promise<T>,
): NightPorts {
  const { cloud, consent, records, outbox, memory, ledger } = ports;
  return {
    ...ports,
    cloud: {
      link: (...given) => call('link', () => cloud.link(...given)),
      requestGrant: (...given) => call('grant', () => cloud.requestGrant(...given)),
      put: (...given) => call('put', () => cloud.put(...given)),
      done: (...given) => call('done', () => cloud.done(...given)),
      orderErasure: (...given) => call('erasure', () => cloud.orderErasure(...given)),
    },
    consent: {
      programme: () => consent.programme(),
      circumstances: () => consent.circumstances(),
      decide: (event) => act(event.kind, () => consent.decide(event)),
    },
    records: { ...records, forget: (ids) => act('forget', () => records.forget(ids)) },
    outbox: {
      waiting: () => outbox.waiting(),
      add: (batch) => act('seal', () => outbox.add(batch)),
      remove: (batchId) => act('remove', () => outbox.remove(batchId)),
    },
    memory: {
      read: () => memory.read(),
      write: (changed) => act('remember', () => memory.write(changed)),
    },
    ledger: { ...ledger, append: (event) => act('ledger', () => ledger.append(event)) },
  };
}
