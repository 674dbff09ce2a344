import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { seededChance } from '../../io/process/seeded-chance.ts';
import { readProgramme } from '../../io/programme/consent-file.ts';
import { openLedger } from '../../io/programme/ledger-file.ts';
import { dayMs, leftOn, type ProgrammeDevice } from '../fakes/programme-device.ts';
import { programmeDevice, quickFolder } from '../fakes/quick-device.ts';

/** Fewer where the device's own processor is emulated. */
const kills = Number(process.env['CRASH_KILLS'] ?? 500);
const loop = fileURLToPath(new URL('../fakes/programme-loop.ts', import.meta.url));

/** Lets it live for so many lines, and so much longer; returns what it has told. */
async function killed(args: readonly string[], lines: number, delayMs: number, cache: string) {
  const child = spawn(process.execPath, [loop, ...args], {
    env: { ...process.env, NODE_COMPILE_CACHE: cache },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let told = '';
  child.stdout.on('data', (piece: Buffer) => {
    told += piece;
    if (told.split('\n').length > lines) setTimeout(() => child.kill('SIGKILL'), delayMs);
  });
  expect(await once(child, 'close')).toEqual([null, 'SIGKILL']);
  return told.split('\n').slice(0, -1);
}

/** As the device lies there, before anybody has looked. */
function found(device: ProgrammeDevice) {
  const { programme, kind } = readProgramme(device.layout);
  const { consent, wipe } = programme;
  // "Withdrawn, and nothing is due" is never said before it is so.
  if (consent.state !== 'granted' && wipe === 'none') expect(leftOn(device)).toEqual([]);
  return `${kind === 'none' ? 'unreadable' : consent.state} ${wipe}`;
}

/** What a start makes of it, before anything else happens. */
async function recovered(device: ProgrammeDevice, told: readonly string[]): Promise<void> {
  const { consent, time } = await device.start();
  const { state } = consent.programme().consent;
  expect(consent.programme().wipe).toBe('none');
  const { waiting } = (await device.commands.status()).records;
  // A process that is killed tears no write: what it was told to be decided stands.
  if (told.lastIndexOf('granted') > told.lastIndexOf('opting out')) expect(state).toBe('granted');
  if (told.lastIndexOf('withdrawn') > told.lastIndexOf('opting in'))
    expect(state).toBe('withdrawn');
  if (state === 'granted') {
    expect(device.programme.records.resets).toBe(0);
    expect(time.standing()).toBe('confirmed');
    const [last = ''] = told.slice(-1);
    // What was stored is there.
    if (last.startsWith('stored')) expect(waiting).toBeGreaterThanOrEqual(Number(last.slice(7)));
  } else {
    expect(leftOn(device)).toEqual([]);
    expect(waiting).toBe(0);
  }
  await device.stop();
}

test(`S0-26 S0-29 killed ${kills} times while a household opts in, is recorded, sends, and opts out: never withdrawn with anything left, nothing lost that was stored`, async () => {
  const cache = join(quickFolder(), 'compiled');
  const warm = spawn(process.execPath, [loop], {
    env: { ...process.env, NODE_COMPILE_CACHE: cache },
  });
  await once(warm, 'close');
  const seen = new Map<string, number>();
  const chains = ['a', 'b'].map(async (seed) => {
    const random = seededChance(seed);
    const dataDir = join(quickFolder(), 'data');
    for (let kill = 0; kill < kills / 2; kill++) {
      const ranMs = kill * 3 * dayMs + 1_000;
      const [lines = 0, delay = 0] = random(2);
      const told = await killed([dataDir, `${ranMs}`], lines % 9, delay / 16, cache);
      const device = programmeDevice({ dataDir, ranMs: ranMs + dayMs });
      const state = found(device);
      seen.set(state, (seen.get(state) ?? 0) + 1);
      await recovered(device, told);
    }
    const device = programmeDevice({ dataDir });
    const ledger = openLedger({ file: device.layout.ledger, clock: device.clock });
    expect(ledger.verify().kind).toBe('intact');
    return ledger.entries().filter(({ what }) => what === 'erased').length;
  });
  const erasures = await Promise.all(chains);
  expect(Math.min(...erasures)).toBeGreaterThan(kills / 16);
  expect([...seen.keys()]).toEqual(
    expect.arrayContaining(['granted none', 'withdrawn none', 'withdrawn due']),
  );
}, 900_000);
