import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Cloud } from '../../../fixtures/cloud/start-cloud.ts';
import { openCloud } from '../../../fixtures/cloud/test-client.ts';
import { cloudConfig } from '../fakes/cloud-config.ts';
import { eventually } from '../fakes/eventually.ts';
import { dayMs, hourMs, programmeConfig } from '../fakes/programme-device.ts';
import { programmeDevice, quickFolder } from '../fakes/quick-device.ts';
import type { UploadOrder, UploadTold } from '../fakes/upload-child.ts';

const script = fileURLToPath(new URL('../fakes/upload-child.ts', import.meta.url));
/** Ten minutes past one in Berlin, the night after the records were made. */
const nightMs = Date.UTC(2027, 2, 2, 0, 10);
const people = 5;

type Mode = 'grant' | 'direct';

/** A device that has records, as it lies there with the power off. */
async function recordedDevice() {
  const dataDir = join(quickFolder(), 'data');
  const device = programmeDevice({ dataDir });
  await device.start();
  await device.on();
  device.visit(people);
  await device.pass(3 * hourMs, hourMs / 4);
  const lines: string[] = [];
  for (const { line } of device.programme.records.store().oldest(people * 2)) {
    lines.push(new TextDecoder().decode(line));
  }
  await device.stop();
  return { dataDir, lines: lines.toSorted(), cache: join(quickFolder(), 'compiled') };
}
type Recorded = Awaited<ReturnType<typeof recordedDevice>>;

/** The same device once more, and a cloud that has never heard of it. */
async function freshNight({ dataDir, cache }: Recorded, mode: Mode) {
  let nowMs = nightMs;
  const clock = { wallMs: () => nowMs };
  const cloud = await openCloud({ dialect: 'oss', region: 'eu-central-1', clock });
  const config = { ...programmeConfig, ...cloudOnly(cloudConfig(cloud, mode)) };
  const own = join(quickFolder(), 'data');
  cpSync(dataDir, own, { recursive: true });
  function start(kill: UploadOrder['kill']) {
    const order: UploadOrder = { dataDir: own, config, wallMs: nowMs, kill };
    const child = spawn(process.execPath, [script, JSON.stringify(order)], {
      env: { ...process.env, NODE_COMPILE_CACHE: cache },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let out = '';
    child.stdout.on('data', (piece: Buffer) => {
      out += piece;
    });
    const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, out }));
    return { child, ended };
  }
  return {
    cloud,
    start,
    /** To its end, in a process of its own. */
    async live(): Promise<UploadTold> {
      const { code, out } = await start(null).ended;
      expect(code).toBe(0);
      return JSON.parse(out);
    },
    toNextNight() {
      nowMs += dayMs;
    },
  };
}

function cloudOnly(config: UploadOrder['config']) {
  return Object.fromEntries(Object.entries(config).filter(([name]) => name.startsWith('cloud.')));
}

/** After the next night: one object, whole, and nothing that anybody still has to do. */
async function expectMended(
  night: Awaited<ReturnType<typeof freshNight>>,
  lines: readonly string[],
) {
  night.toNextNight();
  const { acts: _, ...told } = await night.live();
  expect(told).toMatchObject({ records: 0, outbox: 0, ledger: 'intact' });
  expect(['complete', 'nothing-to-send']).toContain(told.end.kind);
  expect(linesIn(night.cloud)).toEqual([lines]);
  expect(night.cloud.bucket.objects.counts).toMatchObject({ stored: 1, overwritten: 0 });
}

/** Object by object. */
function linesIn({ bucket }: Cloud): readonly (readonly string[])[] {
  return bucket.objects.keys().map((key) =>
    gunzipSync(bucket.read(key) ?? '')
      .toString()
      .trimEnd()
      .split('\n')
      .toSorted(),
  );
}

describe.each<[Mode, readonly string[]]>([
  [
    'grant',
    [
      ...['link', 'ledger', 'seal', 'grant', 'ledger', 'sending', 'put', 'ledger', 'stored'],
      ...['remember', 'forget', 'remove', 'done', 'ledger', 'remember', 'remember'],
    ],
  ],
  [
    'direct',
    [
      ...['link', 'ledger', 'ledger', 'ledger', 'seal', 'grant', 'sending', 'put', 'ledger'],
      ...['stored', 'remember', 'forget', 'remove', 'remember'],
    ],
  ],
])('in mode %s', (mode, acts) => {
  test('S0-4 S0-7 a night that is killed before or after any of its acts: the next makes one object of it, and no row is lost or doubled', async () => {
    const recorded = await recordedDevice();
    const undisturbed = await freshNight(recorded, mode);
    expect(await undisturbed.live()).toMatchObject({ acts, end: { kind: 'complete' } });
    const points = acts.flatMap((_name, index) =>
      (['before', 'after'] as const).map((when) => ({ act: index + 1, when })),
    );
    async function chain(own: typeof points): Promise<void> {
      for (const kill of own) {
        const night = await freshNight(recorded, mode);
        expect(await night.start(kill).ended).toMatchObject({ code: null, signal: 'SIGKILL' });
        await expectMended(night, recorded.lines);
      }
    }
    const half = points.length / 2;
    await Promise.all([chain(points.slice(0, half)), chain(points.slice(half))]);
  });
});

describe('killed by somebody else while it waits for the answer', () => {
  test('S0-4 the first bytes have left, and nothing is stored', async () => {
    const recorded = await recordedDevice();
    const night = await freshNight(recorded, 'grant');
    const { bucket } = night.cloud;
    bucket.script.next({ kind: 'black-hole' }, 1);
    const { child, ended } = night.start(null);
    await eventually(() => bucket.connections.some(({ bytesReceived }) => bytesReceived > 0));
    child.kill('SIGKILL');
    expect(await ended).toMatchObject({ signal: 'SIGKILL' });
    expect(bucket.objects.keys()).toEqual([]);
    await expectMended(night, recorded.lines);
  });

  test.each<Mode>(['grant', 'direct'])(
    'S0-4 mode %s: the object is stored, and only a part of the answer has come',
    async (mode) => {
      const recorded = await recordedDevice();
      const night = await freshNight(recorded, mode);
      const { bucket } = night.cloud;
      bucket.script.next({ kind: 'slow-loris' }, 1, ({ method }) => method === 'PUT');
      const { child, ended } = night.start(null);
      await eventually(() => bucket.objects.keys().length === 1);
      child.kill('SIGKILL');
      expect(await ended).toMatchObject({ signal: 'SIGKILL' });
      await expectMended(night, recorded.lines);
    },
  );
});
