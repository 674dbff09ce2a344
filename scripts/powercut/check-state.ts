/** After a power cut: the agent's own code opens what is left, and what it finds is held against what was promised. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createProgrammeDevice,
  hourMs,
  leftOn,
  type ProgrammeDevice,
} from '../../agent/test/fakes/programme-device.ts';
import type { Promised } from './promise.ts';

/** What a power cut must not do. 'file system': that is not the agent's. */
export const faultKinds = [
  'file system',
  'stopped',
  'consent undone',
  'rows lost',
  'left over',
  'no receipt',
  'history broken',
] as const;
export type Fault = { readonly kind: (typeof faultKinds)[number]; readonly detail: string };

/** `dataDir`: a copy that may be changed. */
export async function checkState(dataDir: string, promised: Promised): Promise<readonly Fault[]> {
  const device = createProgrammeDevice({
    dataDir,
    world: { hasCloud: false },
    ranMs: promised.atMs + hourMs,
  });
  const faults: Fault[] = [];
  try {
    await device.start();
    faults.push(...consentFaults(device, promised), ...rowFaults(device, promised));
    faults.push(...(await proofFaults(device, promised)));
    await goOn(device);
  } catch (error) {
    faults.push({ kind: 'stopped', detail: `${error}` });
  } finally {
    await device.stop();
  }
  return faults;
}

function consentFaults(device: ProgrammeDevice, { consent, epoch }: Promised): readonly Fault[] {
  const { consent: found, epoch: foundEpoch } = device.programme.consent.programme();
  const { state } = found;
  const names = state === 'granted' ? [state] : [state, 'none'];
  const detail = `${state} of grant ${foundEpoch}, promised: ${consent.join(' or ')} of ${epoch}`;
  const faults: Fault[] = [];
  if (!consent.some((each) => names.includes(each)))
    faults.push({ kind: 'consent undone', detail });
  else if (state === 'granted' && foundEpoch !== epoch) {
    faults.push({ kind: 'consent undone', detail });
  }
  const left = state === 'granted' ? [] : leftOn(device);
  if (left.length > 0) faults.push({ kind: 'left over', detail: `${left.join(', ')} (${state})` });
  return faults;
}

function rowFaults({ programme }: ProgrammeDevice, { rows, epoch }: Promised): readonly Fault[] {
  const { consent, epoch: foundEpoch } = programme.consent.programme();
  if (consent.state !== 'granted' || foundEpoch !== epoch) return [];
  const found = new Map(
    programme.records
      .store()
      .oldest(100_000)
      .map(({ id, line }) => [id, createHash('sha256').update(line).digest('hex').slice(0, 32)]),
  );
  const lost = rows.filter(({ id, digest }) => found.get(id) !== digest);
  if (lost.length === 0) return [];
  return [{ kind: 'rows lost', detail: `${lost.length} of ${rows.length}` }];
}

/** The receipts that were handed out, and the history they name. */
async function proofFaults(
  { layout, commands }: ProgrammeDevice,
  { receipts }: Promised,
): Promise<readonly Fault[]> {
  const faults: Fault[] = [];
  for (const name of receipts) {
    const file = join(layout.receipts, name);
    try {
      if (!existsSync(file)) throw new Error('it is gone');
      await commands.verify({ receipt: readFileSync(file, 'utf8') });
    } catch (error) {
      faults.push({ kind: 'no receipt', detail: `${name}: ${error}` });
    }
  }
  try {
    await commands.verify({ receipt: null });
  } catch (error) {
    faults.push({ kind: 'history broken', detail: `${error}` });
  }
  return faults;
}

/** Whatever was found, the household can opt out, and in again, and is recorded. */
async function goOn(device: ProgrammeDevice): Promise<void> {
  const off = await device.off();
  if (off.kind !== 'erased') throw new Error(`an opt-out after it is ${off.kind}`);
  const on = await device.on();
  if (on.kind !== 'granted') throw new Error(`an opt-in after it is ${on.kind}`);
  device.visit(1);
  await device.pass(hourMs, hourMs / 4);
  const { records } = await device.commands.status();
  if (records.waiting < 1) throw new Error('nothing is recorded after it');
}
