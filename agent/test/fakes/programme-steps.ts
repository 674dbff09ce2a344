import type { Actor, Instant, ProgrammeEvent } from '../../consent/consent.ts';
import { save } from './programme-saving.ts';
import { faultOfErasing, withTruth } from './programme-truth.ts';
import type { Device, Limits, Step, World } from './programme-world.ts';

export const by: Actor = { name: 'resident', channel: 'cli' };
export const at: Instant = { wallMs: 0, monotonicMs: 0 };

export function optOut(
  world: World,
  device: Device,
  limits: Limits,
  decision: Step,
): readonly World[] {
  // Also while the records of an earlier grant are being erased.
  const isLeaving = world.chore?.steps.includes('tell') ?? false;
  if (!world.memory || world.saving || isLeaving || world.used.offs >= limits.offs) return [];
  const steps = device.optOut.map((step) => (step === 'decision' ? decision : step));
  const used = { ...world.used, offs: world.used.offs + 1 };
  return [{ ...world, used, chore: { steps, at: 0 } }];
}

export function doStep(world: World, device: Device, step: Step): readonly World[] {
  const { chore } = world;
  const next: World = {
    ...world,
    chore: chore && chore.at + 1 < chore.steps.length ? { ...chore, at: chore.at + 1 } : undefined,
  };
  switch (step) {
    case 'decide':
      return save(world, device, { kind: 'withdraw', by, at, eraseCloud: null }, 'next step');
    case 'decide, and order erasure': {
      const { newId } = orderErasure(world);
      return save(world, device, { kind: 'withdraw', by, at, eraseCloud: newId }, 'next step');
    }
    case 'recorder off':
      return [{ ...next, isListening: false, held: undefined }];
    case 'abort':
      return [{ ...next, flight: undefined }];
    case 'destroy key':
      return [withTruth({ ...next, key: 0 }, { fault: faultOfErasing(world) })];
    case 'delete rows':
      return [withTruth({ ...next, rows: [] }, { fault: faultOfErasing(world) })];
    case 'erase outbox':
      return [{ ...next, outbox: undefined }];
    case 'finish': {
      const saves = save(world, device, { kind: 'wiped' }, 'next step');
      return saves.length > 0 ? saves : [next];
    }
    case 'tell':
      return [withTruth(next, { told: 'left' })];
  }
}

export function orderErasure({ used }: World): Extract<ProgrammeEvent, { kind: 'order-erasure' }> {
  let made = 0;
  const newId = () => `order ${used.offs}.${used.orders}.${made++}`;
  return { kind: 'order-erasure', newId, atMs: 0 };
}
