import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { seededChance } from '../../io/process/seeded-chance.ts';
import { type ConsentingDevice, consentingDevice, leftOf } from '../fakes/consenting-device.ts';
import { systemError, withFailingCalls } from '../fakes/failing-calls.ts';

/** In memory where that is possible: hundreds of devices, each with a dozen waits for the disk, take minutes. */
function quickFolder(): string {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'doorkeep-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A household that takes part, with records and a batch that waits. */
function participants(): () => ConsentingDevice {
  const folder = quickFolder();
  const model = consentingDevice(join(folder, 'model'));
  model.optIn();
  model.record(20);
  model.close();
  let count = 0;
  return () => {
    const copy = join(folder, `${count++}`);
    cpSync(join(folder, 'model'), copy, { recursive: true });
    const device = consentingDevice(copy);
    device.record(1);
    return device;
  };
}

/** Whatever has happened: without consent there is nothing, once the device has started again. */
async function expectErased(device: ConsentingDevice, context: string): Promise<void> {
  const again = consentingDevice(join(device.layout.settings, '..'));
  const recovered = await again.recover();
  if (recovered) expect(recovered, context).toMatchObject({ kind: 'erased', unproven: [] });
  expect(again.programme(), context).toMatchObject({ wipe: 'none' });
  expect(again.programme().consent.state, context).not.toBe('granted');
  expect(leftOf(again), context).toEqual([]);
}

test.each(['EIO', 'ENOSPC', 'EROFS'] as const)(
  'S0-26 S0-29 whichever call of an opt-out fails (%s): it is said to be done only if nothing is left, and a new start finishes it',
  async (code) => {
    const next = participants();
    const outcomes = new Map<string, number>();
    for (let n = 1; ; n++) {
      const device = next();
      const { outcome, calls } = await withFailingCalls(
        (call) => (call.n === n ? systemError(code) : undefined),
        () => device.optOut(),
      );
      const context = `call ${n} of ${calls.length}, ${calls[n - 1]}: ${JSON.stringify(outcome)}`;
      outcomes.set(outcome.kind, (outcomes.get(outcome.kind) ?? 0) + 1);
      expect(device.memory.recording, context).toBe(false);
      if (outcome.kind === 'not-decided') {
        // A grant stands; or, because its two copies no longer agree, none does.
        expect(outcome.error.code, context).toMatch(/^STORE_/);
        if (device.programme().consent.state === 'granted') {
          expect(leftOf(device), context).toHaveLength(4);
        }
        device.close();
        expect((await device.optOut()).kind, context).toBe('erased');
      }
      if (outcome.kind === 'erased') expect(leftOf(device), context).toEqual([]);
      if (outcome.kind === 'incomplete') expect(device.programme().wipe, context).toBe('due');
      await expectErased(device, context);
      if (calls.length < n) break;
      expect(n).toBeLessThan(400);
    }
    // One call that fails is hardly ever the end of it: what failed is tried again.
    expect(outcomes.get('erased')).toBeGreaterThan(40);
  },
  120_000,
);

test('S0-29 wherever the process dies in an opt-out, the next start finishes it before anything else', async () => {
  const next = participants();
  const states = new Set<string>();
  for (let n = 1; ; n++) {
    const device = next();
    const { calls } = await withFailingCalls(
      (call) => (call.n >= n ? systemError('EIO') : undefined),
      () => device.optOut(),
    );
    const { consent, wipe } = device.programme();
    states.add(`${consent.state} ${wipe} ${leftOf(device).length > 0 ? 'with' : 'without'} files`);
    const context = `died at call ${n}, ${calls[n - 1]}`;
    if (consent.state === 'granted') {
      // Nothing was decided yet: the records and their key are still there.
      expect(leftOf(device), context).toHaveLength(4);
      await device.optOut();
    }
    await expectErased(device, context);
    if (calls.length < n) break;
    expect(n).toBeLessThan(400);
  }
  expect([...states].toSorted()).toEqual(
    expect.arrayContaining([
      'granted none with files',
      'withdrawn due with files',
      'withdrawn none without files',
    ]),
  );
});

const kills = 200;

test(`S0-26 S0-29 killed ${kills} times while a household opts in and out: never withdrawn with anything left`, async () => {
  const loop = fileURLToPath(new URL('../fakes/opt-out-loop.ts', import.meta.url));
  const env = { ...process.env, NODE_COMPILE_CACHE: join(quickFolder(), 'compiled') };
  await once(spawn(process.execPath, [loop], { env }), 'close');
  const seen = new Map<string, number>();
  const chains = ['a', 'b'].map(async (seed) => {
    const random = seededChance(seed);
    const dataDir = join(quickFolder(), 'data');
    for (let kill = 0; kill < kills / 2; kill++) {
      const child = spawn(process.execPath, [loop, dataDir], {
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [steps = 0, delay = 0] = random(2);
      let begun = 0;
      child.stdout.on('data', (dots: Buffer) => {
        begun += dots.length;
        // A round has a dozen steps; it dies somewhere inside one.
        if (begun > steps % 26) setTimeout(() => child.kill('SIGKILL'), delay / 64);
      });
      expect(await once(child, 'close')).toEqual([null, 'SIGKILL']);
      const device = consentingDevice(dataDir);
      const { consent, wipe } = device.programme();
      const state = `${consent.state} ${wipe}`;
      seen.set(state, (seen.get(state) ?? 0) + 1);
      const recovered = await device.recover();
      expect(recovered?.kind ?? 'erased').toBe('erased');
      const after = device.programme();
      expect(after.wipe).toBe('none');
      if (after.consent.state !== 'granted') expect(leftOf(device), state).toEqual([]);
    }
    const { ledger, receipts } = consentingDevice(dataDir).layout;
    expect(existsSync(ledger)).toBe(true);
    return readdirSync(receipts).length;
  });
  const receipts = await Promise.all(chains);
  expect(Math.min(...receipts)).toBeGreaterThan(kills / 4);
  expect(seen.get('withdrawn due')).toBeGreaterThan(5);
  expect([...seen.keys()]).toEqual(expect.arrayContaining(['granted none', 'withdrawn none']));
});
