import type { Decided, Programme, ProgrammeEvent } from '../../consent/consent.ts';
import { withTruth } from './programme-truth.ts';
import {
  type Batch,
  circumstancesIn,
  type Device,
  type Saving,
  type World,
} from './programme-world.ts';

/** Decides, and begins to write what came out. Refused: nothing happens. */
export function save(
  world: World,
  device: Device,
  event: ProgrammeEvent,
  then: Saving['then'],
  about = '',
): readonly World[] {
  if (!world.memory) return [];
  const decided: Decided = device.decide(world.memory, circumstancesIn(world), event);
  if (decided.kind === 'refused') return [];
  const { programme } = decided.kind === 'changed' ? decided : { programme: world.memory };
  const first = device.copyToWriteFirst(...world.disk);
  const saving: Saving = { programme, first, done: 0, then, about };
  if (decided.kind === 'unchanged') {
    return then === 'nothing' ? [] : saved(world, device, saving);
  }
  return [{ ...world, saving }];
}

/**
 * One of the copies, whole or torn. A grant holds when both are whole; from the first touch on nothing holds that is
 * taken away, or torn.
 */
export function withCopy(world: World, saving: Saving, copy: Programme | undefined): World {
  const { consent, epoch } = saving.programme;
  const at = saving.done === 0 ? saving.first : 1 - saving.first;
  const disk = at === 0 ? ([copy, world.disk[1]] as const) : ([world.disk[0], copy] as const);
  const held = world.truth.consent;
  const isHeld =
    held.state === 'granted' && consent.state === 'granted' && consent.consentId === held.id;
  const written = { ...world, disk };
  if (copy === undefined || consent.state !== 'granted') {
    return withTruth(written, { consent: { state: 'none' } });
  }
  if (isHeld) return written;
  const { consentId: id, policyVersion, region } = consent;
  const given = { state: 'granted', id, epoch, policyVersion, region } as const;
  return withTruth(written, { consent: saving.done === 1 ? given : { state: 'none' } });
}

/** Both copies are written. */
export function saved(world: World, device: Device, saving: Saving): readonly World[] {
  const { memory } = world;
  if (!memory) return [];
  switch (saving.then) {
    case 'granted': {
      const isDue = memory.wipe === 'due';
      const chore = isDue ? { steps: device.recovery, at: 0 } : undefined;
      return [listening(withTruth({ ...world, chore }, { told: 'granted' }), device)];
    }
    case 'next step': {
      const { chore } = world;
      if (!chore) return [world];
      const step = chore.steps[chore.at];
      const isLast = chore.at + 1 >= chore.steps.length;
      const next = { ...world, chore: isLast ? undefined : { ...chore, at: chore.at + 1 } };
      const isOrdered = step === 'decide, and order erasure';
      const promised = isOrdered ? promisedIn(world) : world.truth.promised;
      return [listening(withTruth(next, { promised }), device)];
    }
    case 'fly': {
      const { outbox } = world;
      return outbox?.id === saving.about ? [withFlight(world, outbox, memory)] : [world];
    }
    case 'forget': {
      const epoch = world.flight?.batch.epoch ?? 0;
      return [{ ...world, flight: undefined, outbox: undefined, rows: without(world.rows, epoch) }];
    }
    case 'ask':
      return asked(world, device, saving.about);
    case 'promised':
      return [withTruth(world, { promised: promisedIn(world) })];
    case 'nothing':
      return [world];
  }
}

/** The cloud erases; its answer arrives, or does not. */
function asked(world: World, device: Device, erasureId: string): readonly World[] {
  const { askedToday } = world.truth;
  const consentId = world.memory?.orders.find((each) => each.erasureId === erasureId)?.consentId;
  if (consentId === undefined) return [world];
  const fault = askedToday.includes(erasureId) ? 'an order was passed on twice a day' : undefined;
  const cloud = world.cloud.filter((object) => object.consentId !== consentId);
  const erased = [...new Set([...world.erased, consentId])];
  const done = withTruth(
    { ...world, cloud, erased },
    { fault, askedToday: [...askedToday, erasureId] },
  );
  return [done, ...save(done, device, { kind: 'erasure-confirmed', erasureId }, 'nothing')];
}

function promisedIn(world: World): readonly string[] {
  const inCloud = [...world.cloud, ...(world.wire ? [world.wire] : [])];
  return [...new Set([...world.truth.promised, ...inCloud.map(({ consentId }) => consentId)])];
}

export function listening(world: World, device: Device): World {
  const isCovered =
    world.memory !== undefined &&
    !world.chore &&
    device.coverage(world.memory, circumstancesIn(world)).kind === 'covered';
  return { ...world, isListening: world.isListening || isCovered };
}

export function withFlight(world: World, batch: Batch, begunUnder: Programme): World {
  return { ...world, flight: { batch, phase: 'ready', begunUnder } };
}

export function without(rows: World['rows'], epoch: number): World['rows'] {
  return rows.filter((row) => row.epoch !== epoch);
}
