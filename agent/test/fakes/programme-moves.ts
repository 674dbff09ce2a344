import type { ProgrammeEvent } from '../../consent/consent.ts';
import { listening, save, saved, withCopy, withFlight, without } from './programme-saving.ts';
import { at, by, doStep, optOut, orderErasure } from './programme-steps.ts';
import { faultOfUse, withTruth } from './programme-truth.ts';
import {
  type Batch,
  circumstancesIn,
  type Device,
  foundIn,
  type Limits,
  policyAt,
  type World,
} from './programme-world.ts';

export type Move = {
  readonly name: string;
  readonly to: (world: World, device: Device, limits: Limits) => readonly World[];
};

/** Days that an object may lie in the bucket: the model's month. */
const monthDays = 2;

/** Everything that can happen next, each as the worlds that it may lead to. */
export const moves: readonly Move[] = [
  move('opt in', (world, device, limits) => {
    if (!isIdle(world) || world.used.grants >= limits.grants) return [];
    const policy = policyAt(world.policy);
    const grants = world.used.grants + 1;
    const grant = {
      policyVersion: policy?.version ?? '',
      textSha256: policy?.textSha256 ?? '',
      region: world.region,
      by,
      since: at,
      consentId: device.consentIdOf(grants),
    };
    const used = { ...world.used, grants };
    const asked = withTruth({ ...world, used }, { told: 'nothing' });
    return save(asked, device, { kind: 'grant', grant }, 'granted');
  }),
  move('opt out', (world, device, limits) => optOut(world, device, limits, 'decide')),
  move('opt out and order erasure', (world, device, limits) =>
    optOut(world, device, limits, 'decide, and order erasure'),
  ),
  move('order erasure later', (world, device, limits) => {
    const { memory, used } = world;
    const isLate = isIdle(world) && memory?.consent.state === 'withdrawn';
    if (!isLate || used.orders >= limits.orders) return [];
    const ordered = { ...world, used: { ...used, orders: used.orders + 1 } };
    return save(ordered, device, orderErasure(ordered), 'promised');
  }),
  move('next step', (world, device) => {
    const step = world.chore?.steps[world.chore.at];
    return step === undefined || world.saving ? [] : doStep(world, device, step);
  }),
  move('write a copy', (world, device) => {
    const { saving } = world;
    if (saving === undefined) return [];
    const written = withCopy(world, saving, saving.programme);
    return saving.done === 0
      ? [{ ...written, saving: { ...saving, done: 1 } }]
      : saved({ ...written, saving: undefined, memory: saving.programme }, device, saving);
  }),
  move('somebody rings', (world, device) => {
    if (!world.isListening || world.held || !world.memory) return [];
    const now = device.coverage(world.memory, circumstancesIn(world));
    if (now.kind === 'not-covered') return [{ ...world, isListening: false }];
    if (world.truth.recorded.includes(now.epoch)) return [];
    return [{ ...world, held: { epoch: now.epoch, policy: now.grant.policyVersion } }];
  }),
  move('store', (world, device) => {
    const { held, memory } = world;
    if (held === undefined || memory === undefined || world.saving) return [];
    const emptied = { ...world, held: undefined };
    const now = device.maySend(memory, circumstancesIn(world), {
      ...held,
      policyVersion: held.policy,
    });
    if (now.kind === 'not-covered' && device.asksBeforeStoring) return [emptied];
    const recorded = [...world.truth.recorded, held.epoch];
    const stored = { ...emptied, key: held.epoch, rows: [...world.rows, held] };
    return [withTruth(stored, { recorded, fault: faultOfUse(world, held, 'recorded') })];
  }),
  move('seal', (world, device) => {
    const { memory, outbox, flight } = world;
    if (!memory || world.saving || outbox || flight) return [];
    const now = device.coverage(memory, circumstancesIn(world));
    const row = world.rows[0];
    if (now.kind === 'not-covered' || row === undefined || row.epoch !== world.key) return [];
    const expiresOn = world.day + monthDays;
    const { consentId, region } = now.grant;
    const id = device.batchIdOf(row.epoch, world.day);
    return [{ ...world, outbox: { ...row, id, consentId, region, expiresOn } }];
  }),
  move('begin to send', (world, device) => {
    const { outbox: batch, memory, flight } = world;
    if (!batch || !memory || world.saving || flight) return [];
    const wanted = { epoch: batch.epoch, policyVersion: batch.policy };
    if (device.maySend(memory, circumstancesIn(world), wanted).kind === 'not-covered') return [];
    if (!device.marksBeforeFirstByte) return [withFlight(world, batch, memory)];
    return save(world, device, sendingOf(batch), 'fly', batch.id);
  }),
  move('first byte', (world, device) => {
    const { flight, memory } = world;
    if (flight?.phase !== 'ready' || !memory || world.saving) return [];
    const { batch } = flight;
    const wanted = { epoch: batch.epoch, policyVersion: batch.policy };
    const now = device.maySend(memory, circumstancesIn(world), wanted);
    if (now.kind === 'not-covered' && device.asksBeforeFirstByte) {
      return [{ ...world, flight: undefined }];
    }
    const sent: World = { ...world, wire: batch, flight: { ...flight, phase: 'under way' } };
    const rows = device.keepsUntilReceipt ? world.rows : without(world.rows, batch.epoch);
    const left = withTruth({ ...sent, rows }, { fault: faultOfUse(world, batch, 'sent') });
    if (device.marksBeforeFirstByte) return [left];
    return save(left, device, sendingOf(batch), 'nothing');
  }),
  move('the cloud stores it', (world) => {
    const { wire } = world;
    if (wire === undefined) return [];
    const isThere = world.cloud.some(({ id }) => id === wire.id);
    const isDropped = isThere || world.erased.includes(wire.consentId);
    const cloud = isDropped ? world.cloud : [...world.cloud, wire];
    const delivered = [...new Set([...world.truth.delivered, wire.epoch])];
    return [withTruth({ ...world, wire: undefined, cloud }, { delivered })];
  }),
  move('the network loses it', (world) => (world.wire ? [{ ...world, wire: undefined }] : [])),
  move('the receipt arrives', (world, device) => {
    const { flight, cloud, memory } = world;
    if (flight?.phase !== 'under way' || !memory || world.saving) return [];
    const { id } = flight.batch;
    if (!cloud.some((object) => object.id === id)) return [];
    const based =
      device.decidesOn === 'what it remembers' ? { ...world, memory: flight.begunUnder } : world;
    return save(based, device, { kind: 'stored', batchId: id, objectKey: id }, 'forget', id);
  }),
  move('no receipt arrives', (world, device) => {
    const { flight } = world;
    if (flight?.phase !== 'under way' || world.saving) return [];
    const outbox = device.keepsBytesForRetry ? flight.batch : undefined;
    return [{ ...world, flight: undefined, outbox }];
  }),
  move('pass an order on', (world, device) => {
    if (!isIdle(world)) return [];
    return (world.memory?.orders ?? []).flatMap(({ erasureId }) =>
      save(
        world,
        device,
        { kind: 'erasure-tried', erasureId, localDate: `day ${world.day}` },
        'ask',
        erasureId,
      ),
    );
  }),
  move('a day passes', (world, device, limits) => {
    if (world.day >= limits.days || world.saving || world.chore || world.wire) return [];
    const day = world.day + 1;
    const cloud = world.cloud.filter(({ expiresOn }) => expiresOn > day);
    const next = withTruth({ ...world, day, cloud }, { askedToday: [] });
    if (!next.memory) return [next];
    const expired = save(next, device, { kind: 'expire', wallMs: day }, 'nothing');
    return expired.length > 0 ? expired : [next];
  }),
  move('the policy changes', (world, _, limits) => {
    if (world.policy === 2 || world.policy >= limits.policy) return [];
    return [{ ...world, policy: world.policy === 0 ? 1 : 2 }];
  }),
  move('the region changes', (world, _, limits) =>
    world.region === 'a' && limits.regions > 1 ? [{ ...world, region: 'b' }] : [],
  ),
  move('crash', (world, _, limits) => {
    if (!world.memory || world.used.crashes >= limits.crashes) return [];
    const { saving } = world;
    const used = { ...world.used, crashes: world.used.crashes + 1 };
    const copies = saving
      ? [world, withCopy(world, saving, undefined), withCopy(world, saving, saving.programme)]
      : [world];
    return copies.map((left) => ({
      ...left,
      used,
      memory: undefined,
      isListening: false,
      held: undefined,
      flight: undefined,
      saving: undefined,
      chore: undefined,
    }));
  }),
  move('start', (world, device) => {
    if (world.memory) return [];
    const memory = foundIn(device, world);
    const isDue = memory.wipe === 'due' && device.recoversAtBoot;
    const chore = isDue ? { steps: device.recovery, at: 0 } : undefined;
    return [listening({ ...world, memory, chore }, device)];
  }),
];

function move(name: string, to: Move['to']): Move {
  return { name, to };
}

function isIdle(world: World): boolean {
  return world.memory !== undefined && !world.saving && !world.chore;
}

function sendingOf(batch: Batch): Extract<ProgrammeEvent, { kind: 'sending' }> {
  return {
    kind: 'sending',
    batch: {
      batchId: batch.id,
      epoch: batch.epoch,
      consentId: batch.consentId,
      region: batch.region,
      objectKey: null,
      markedAtMs: 0,
      expiresAtMs: batch.expiresOn,
    },
  };
}
