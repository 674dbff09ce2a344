import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { AgentError } from '../../errors.ts';
import { systemError, withFailingCalls } from '../fakes/failing-calls.ts';
import {
  dayMs,
  hourMs,
  leftOn,
  minuteMs,
  type ProgrammeDevice,
} from '../fakes/programme-device.ts';
import { afterPowerCut, programmeDevice, quickFolder } from '../fakes/quick-device.ts';

const codes = ['EIO', 'ENOSPC'] as const;

/** Devices that all begin as this one was left, each with files of its own. */
async function copiesOf(prepare: (device: ProgrammeDevice) => Promise<void>) {
  const dataDir = join(quickFolder(), 'model');
  const model = programmeDevice({ dataDir, world: { hasCloud: false } });
  await model.start();
  await prepare(model);
  await model.stop();
  const ranMs = model.time.clock.monotonicMs();
  let count = 0;
  return async () => {
    const copy = join(quickFolder(), `${count++}`);
    if (existsSync(dataDir)) cpSync(dataDir, copy, { recursive: true });
    return programmeDevice({ dataDir: copy, ranMs, world: model.world });
  };
}

/** Call after call fails, one in each round, until there is none left that could. */
async function eachCallFails<T>(
  code: (typeof codes)[number],
  next: () => Promise<ProgrammeDevice>,
  work: (device: ProgrammeDevice) => Promise<T>,
  check: (device: ProgrammeDevice, outcome: T | AgentError, context: string) => Promise<void>,
): Promise<number> {
  for (let n = 1; ; n++) {
    const device = await next();
    const { outcome, calls } = await withFailingCalls(
      (call) => (call.n === n ? systemError(code) : undefined),
      async () => {
        try {
          return await work(device);
        } catch (fault) {
          if (fault instanceof AgentError) return fault;
          throw fault;
        }
      },
    );
    const context = `${code} at call ${n} of ${calls.length}, ${calls[n - 1]}`;
    await check(device, outcome, context);
    await device.stop();
    if (calls.length < n) return n - 1;
    expect(n, context).toBeLessThan(1_000);
  }
}

const waiting = async ({ commands }: ProgrammeDevice) => (await commands.status()).records.waiting;
const stateOf = ({ programme }: ProgrammeDevice) => programme.consent.programme().consent.state;

/** It works as if nothing had happened. */
async function expectRecording(device: ProgrammeDevice, people: number, context: string) {
  device.programme.work();
  device.visit(2);
  await device.pass(2 * hourMs, hourMs / 2);
  expect(await waiting(device), context).toBe(people + 2);
}

describe.each(codes)('whichever call to the disk fails (%s)', (code) => {
  test('S0-1 in an opt-in: it holds, and was told so, or it does not, and nothing is left of it', async () => {
    const next = await copiesOf(async () => {});
    const told = new Map<string, number>();
    await eachCallFails(
      code,
      async () => {
        const device = await next();
        await device.start();
        return device;
      },
      (device) => device.on(),
      async (device, outcome, context) => {
        const isGranted = !(outcome instanceof AgentError);
        told.set(`${isGranted}`, (told.get(`${isGranted}`) ?? 0) + 1);
        expect(stateOf(device) === 'granted', context).toBe(isGranted);
        const again = afterPowerCut(device);
        await again.start();
        expect(stateOf(again) === 'granted', context).toBe(isGranted);
        if (isGranted) await expectRecording(again, 0, context);
        else expect(leftOn(again), context).toEqual([]);
        await again.stop();
        // Without the fault it works, in the same process.
        if (!isGranted) expect((await device.on()).kind, context).toBe('granted');
        await expectRecording(device, 0, context);
      },
    );
    expect(told.get('false')).toBeGreaterThan(20);
  });

  test('S0-34 in recording: nobody hears of it, and the records are stored at the next try', async () => {
    const next = await copiesOf(async (device) => void (await device.on()));
    const calls = await eachCallFails(
      code,
      async () => {
        const device = await next();
        await device.start();
        device.visit(3);
        device.programme.work();
        return device;
      },
      async (device) => {
        await device.pass(hourMs, hourMs);
      },
      async (device, outcome, context) => {
        expect(outcome, context).toBeUndefined();
        await device.pass(2 * minuteMs);
        expect(await waiting(device), context).toBe(3);
        expect(device.programme.recorder.dropped, context).toBe(0);
        await expectRecording(device, 3, context);
      },
    );
    expect(calls).toBeGreaterThan(3);
  });

  test('S0-26 S0-29 in an opt-out: it is said to be done only where nothing is left, and nothing is recorded either way', async () => {
    const next = await copiesOf(async (device) => {
      await device.on();
      device.visit(5);
      await device.pass(2 * hourMs, hourMs / 2);
    });
    const kinds = new Map<string, number>();
    const calls = await eachCallFails(
      code,
      async () => {
        const device = await next();
        await device.start();
        device.visit(2);
        device.programme.work();
        return device;
      },
      (device) => device.off(),
      async (device, outcome, context) => {
        const kind = outcome instanceof AgentError ? 'refused' : outcome.kind;
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
        if (kind === 'erased') expect(leftOn(device), context).toEqual([]);
        device.visit(3);
        await device.pass(2 * hourMs, hourMs / 2);
        expect(device.programme.consent.mayKeep(), context).toBe(false);
        // Where the medium did not take the decision, what was there stays as it was.
        expect(await waiting(device), context).toBe(kind === 'refused' ? 5 : 0);
        const again = afterPowerCut(device);
        await again.start();
        if (kind === 'refused') {
          // The medium did not take it: that was told. It is asked again.
          expect((await again.off()).kind, context).toBe('erased');
        }
        expect(stateOf(again), context).not.toBe('granted');
        expect(leftOn(again), context).toEqual([]);
        await again.stop();
        await device.pass(dayMs, hourMs);
        expect(await device.programme.erasing.finish(), context).toBeUndefined();
        expect(leftOn(device), context).toEqual([]);
      },
    );
    expect(calls).toBeGreaterThan(60);
    expect(kinds.get('erased')).toBeGreaterThan(calls / 2);
  });

  test('S0-13 at a start after the month is over: it starts, and what is too old goes within the hour', async () => {
    const next = await copiesOf(async (device) => {
      await device.on();
      device.visit(5);
      await device.pass(2 * hourMs, hourMs / 2);
      expect(await waiting(device)).toBe(5);
    });
    const calls = await eachCallFails(
      code,
      async () => {
        const device = await next();
        device.time.advance(40 * dayMs);
        return device;
      },
      async (device) => {
        await device.start();
      },
      async (device, outcome, context) => {
        expect(outcome, context).toBeUndefined();
        await device.pass(hourMs + minuteMs, hourMs / 4);
        expect(await waiting(device), context).toBe(0);
        // One that can no longer be read is none, and what was recorded under it goes: never the other way round.
        if (stateOf(device) === 'granted') await expectRecording(device, 0, context);
        else expect(leftOn(device), context).toEqual([]);
      },
    );
    expect(calls).toBeGreaterThan(20);
  });
});
