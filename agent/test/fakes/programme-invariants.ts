import { agreementOf } from '../../consent/agreement.ts';
import { coverage, neverAsked, type Programme } from '../../consent/consent.ts';
import { type Batch, circumstancesIn, holdsAnything, type World } from './programme-world.ts';

/** What must hold in every world that can be reached, each under its name. */
export const invariants: Readonly<Record<string, (world: World) => boolean>> = {
  'nothing is recorded, sent or erased but as people want it': ({ truth }) =>
    truth.fault === undefined,

  'before the first decision nothing exists': (world) =>
    world.used.grants + world.used.offs > 0 ||
    (!holdsAnything(world) &&
      !inMemory(world) &&
      world.disk.every((copy) => copy === undefined) &&
      outside(world).length === 0),

  'once a person was told that it is over, nothing is left on the device': (world) =>
    world.truth.told !== 'left' || (!holdsAnything(world) && !inMemory(world)),

  'without a grant and without an erasure under way nothing lies on the device': (world) =>
    !isAtRest(world) ||
    world.memory?.consent.state === 'granted' ||
    world.memory?.wipe === 'due' ||
    !holdsAnything(world),

  'an erasure that is due is under way': (world) =>
    !isAtRest(world) || world.memory?.wipe === 'none',

  'no half-written and no withdrawn grant counts': (world) => {
    const { memory, truth } = world;
    if (memory?.consent.state !== 'granted' || world.saving) return true;
    return truth.consent.state === 'granted' && truth.consent.id === memory.consent.consentId;
  },

  'a grant once given counts until it is taken back': ({ memory, truth }) =>
    memory === undefined ||
    truth.consent.state === 'none' ||
    (memory.consent.state === 'granted' && memory.consent.consentId === truth.consent.id),

  'under a grant lies nothing of an earlier one': (world) => {
    const { memory, key, rows, outbox } = world;
    if (memory === undefined || world.saving) return true;
    const now = coverage(memory, circumstancesIn(world));
    if (now.kind === 'not-covered') return true;
    return [key || now.epoch, ...rows.map(epochOf), ...(outbox ? [outbox.epoch] : [])].every(
      (epoch) => epoch === now.epoch,
    );
  },

  'a number under which data lie in the cloud belongs to one grant': (world) =>
    allDiffer(outside(world), ({ consentId, epoch }) => [consentId, epoch]),

  'one record is one object': (world) =>
    allDiffer(outside(world), ({ epoch, id }) => [`${epoch}`, id]),

  'whatever may lie in the cloud is written down until it has expired': (world) => {
    const { sent } = durable(world);
    return outside(world)
      .filter(({ expiresOn }) => expiresOn > world.day)
      .every(({ id }) => sent.some(({ batchId }) => batchId === id));
  },

  'an erasure that was promised is ordered until it is done': (world) => {
    const { orders } = durable(world);
    return outside(world)
      .filter(({ expiresOn }) => expiresOn > world.day)
      .filter(({ consentId }) => world.truth.promised.includes(consentId))
      .filter(({ consentId }) => !world.erased.includes(consentId))
      .every(({ consentId: id }) => orders.some(({ consentId }) => consentId === id));
  },

  'a record is lost only to an erasure, and sent means stored': (world) => {
    const { consent, recorded } = world.truth;
    if (consent.state === 'none' || !recorded.includes(consent.epoch)) return true;
    return (
      world.rows.some(({ epoch }) => epoch === consent.epoch) ||
      world.truth.delivered.includes(consent.epoch)
    );
  },
};

function inMemory({ held, flight, isListening }: World): boolean {
  return held !== undefined || flight !== undefined || isListening;
}

function isAtRest({ memory, saving, chore }: World): boolean {
  return memory !== undefined && !saving && !chore;
}

function outside({ wire, cloud }: World): readonly Batch[] {
  return wire ? [wire, ...cloud] : cloud;
}

/** What is certain to be known after a crash, by the true reading rule; most worlds share their disks. */
function durable({ disk }: World): Programme {
  const known = read.get(disk);
  if (known !== undefined) return known;
  const [first, second] = disk;
  const isFresh = first === undefined && second === undefined;
  const programme = isFresh ? neverAsked : agreementOf(first, second).programme;
  read.set(disk, programme);
  return programme;
}

const read = new WeakMap<World['disk'], Programme>();

function epochOf({ epoch }: { readonly epoch: number }): number {
  return epoch;
}

/** Two objects with the same first value have the same second one. */
function allDiffer(
  objects: readonly Batch[],
  pairOf: (object: Batch) => readonly [string, string | number],
): boolean {
  const seconds = new Map<string, string | number>();
  return objects.every((object) => {
    const [first, second] = pairOf(object);
    const known = seconds.get(first);
    seconds.set(first, second);
    return known === undefined || known === second;
  });
}
