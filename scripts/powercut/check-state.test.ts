import { createHash } from 'node:crypto';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { expect, test } from 'vitest';
import { hourMs, type ProgrammeDevice } from '../../agent/test/fakes/programme-device.ts';
import { afterPowerCut, programmeDevice } from '../../agent/test/fakes/quick-device.ts';
import { checkState, type Fault } from './check-state.ts';
import type { Promised } from './promise.ts';

/** A household that was recorded and lost its power: where its files are, and what it was promised. */
async function recorded() {
  const device = programmeDevice({ world: { hasCloud: false } });
  await device.start();
  await device.on();
  device.visit(3);
  await device.pass(hourMs, hourMs / 4);
  const rows = device.programme.records
    .store()
    .oldest(100)
    .map(({ id, line }) => ({
      id,
      digest: createHash('sha256').update(line).digest('hex').slice(0, 32),
    }));
  expect(rows.length).toBeGreaterThan(0);
  return { device, promised: promiseOf(device, { consent: ['granted'], epoch: 1, rows }) };
}

function promiseOf({ time }: ProgrammeDevice, other: Partial<Promised>): Promised {
  const nothing = { consent: [], epoch: 0, rows: [], gone: [], receipts: [] } as const;
  return { ...nothing, atMs: time.clock.monotonicMs(), ...other };
}

/** What is wrong after the power fails, and somebody does this to the files. */
async function kindsAfter(
  device: ProgrammeDevice,
  promised: Promised,
  harm: (device: ProgrammeDevice) => void = () => {},
): Promise<readonly Fault['kind'][]> {
  const after = afterPowerCut(device, { world: { hasCloud: false } });
  harm(after);
  const faults = await checkState(after.place.dataDir, promised);
  return [...new Set(faults.map(({ kind }) => kind))];
}

test('a device that kept its promises has no fault, recorded or opted out', async () => {
  const { device, promised } = await recorded();
  expect(await kindsAfter(device, promised)).toEqual([]);
  const { receiptFile } = await device.off();
  const receipts = [basename(receiptFile ?? '')];
  const withdrawn = promiseOf(device, { consent: ['withdrawn'], epoch: 1, receipts });
  expect(await kindsAfter(device, withdrawn)).toEqual([]);
});

test('a consent that is gone, or came back, is undone', async () => {
  const { device, promised } = await recorded();
  const forget = ({ layout }: ProgrammeDevice) => {
    for (const copy of layout.consent) rmSync(copy);
  };
  expect(await kindsAfter(device, promised, forget)).toContain('consent undone');
  expect(await kindsAfter(device, { ...promised, consent: ['withdrawn'] })).toEqual([
    'consent undone',
  ]);
  expect(await kindsAfter(device, { ...promised, epoch: 2 })).toEqual(['consent undone']);
});

test('records that are not there, or are others, are lost', async () => {
  const { device, promised } = await recorded();
  const none = ({ layout }: ProgrammeDevice) => rmSync(layout.ueip, { recursive: true });
  expect(await kindsAfter(device, promised, none)).toContain('rows lost');
  const [first] = promised.rows;
  const other = { id: first?.id ?? 0, digest: 'ab'.repeat(16) };
  expect(await kindsAfter(device, { ...promised, rows: [other] })).toEqual(['rows lost']);
});

test('a receipt that is gone or changed, and a history that is not whole, are found', async () => {
  const { device } = await recorded();
  const { receiptFile } = await device.off();
  const name = basename(receiptFile ?? '');
  const promised = promiseOf(device, { consent: ['withdrawn'], epoch: 1, receipts: [name] });
  const lose = ({ layout }: ProgrammeDevice) => rmSync(layout.receipts, { recursive: true });
  expect(await kindsAfter(device, promised, lose)).toEqual(['no receipt']);
  const forge = ({ layout }: ProgrammeDevice) =>
    appendFileSync(`${layout.receipts}/${name}`, 'more');
  expect(await kindsAfter(device, promised, forge)).toEqual(['no receipt']);
  const shorten = ({ layout }: ProgrammeDevice) => writeFileSync(layout.ledger, '{}\n');
  expect(await kindsAfter(device, promised, shorten)).toContain('history broken');
});

test('an agent with which nobody can opt in or out any more is stopped', async () => {
  const { device, promised } = await recorded();
  const block = ({ layout }: ProgrammeDevice) => {
    const folder = dirname(layout.consent[0]);
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'in the way');
  };
  expect(await kindsAfter(device, promised, block)).toContain('stopped');
});
