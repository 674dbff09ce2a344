import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { Fault, Script } from '../../../fixtures/cloud/fault.ts';
import { ageClassRules, expiryOf } from '../../../fixtures/cloud/lifecycle.ts';
import type { RawRequest } from '../../../fixtures/cloud/raw-request.ts';
import type { Cloud } from '../../../fixtures/cloud/start-cloud.ts';
import { openCloud } from '../../../fixtures/cloud/test-client.ts';
import { fleetBeginMs, fleetOf, type Member } from '../fakes/fleet.ts';
import { dayMs, hourMs, minuteMs } from '../fakes/programme-device.ts';

const deviceCount = 50;
const days = 30;
/** Without visitors: for what a fault has held up in the last nights. */
const daysAfter = 3;
const hours = (days + daysAfter) * 24;
const firstHour = 4;
const visitHours = [9, 20];
/** A clock that is wrong by no more than this is believed as it is (upload/clock-trust.ts). */
const confirmedWithinMs = 5 * minuteMs;

test('S0-4 S0-10 S0-11 S0-12 S0-14 S0-30 S0-31 S0-32 fifty devices, thirty days, over TLS: every record comes into exactly one object, between one and two at night, and is gone within its month', async () => {
  let nowMs = fleetBeginMs;
  const trueMs = () => nowMs;
  const network = { waiting: 0 };
  const clock = { wallMs: trueMs };
  const cloud = await openCloud({ dialect: 'oss', region: 'eu-central-1', clock });
  const fleet = fleetOf(deviceCount, { cloud, network, trueMs });
  const found = new Map<string, Found>();
  let faults = 0;
  for (const { device } of fleet) await device.start();
  // By now each has a date to put under the consent.
  nowMs += firstHour * hourMs;
  for (const { device } of fleet) {
    device.live();
    await device.optIn();
  }

  /** Until nobody waits for an answer: what is left waits for its time. */
  async function settled(): Promise<void> {
    do await new Promise(setImmediate);
    while (network.waiting > 0);
    if (cloud.bucket.objects.counts.stored === found.size) return;
    for (const key of cloud.bucket.objects.keys()) {
      if (!found.has(key)) found.set(key, foundIn(cloud, key));
    }
  }
  for (let hour = firstHour; hour < hours; hour++) {
    nowMs = fleetBeginMs + hour * hourMs;
    const awake = fleet.filter((member) => isNight(member, nowMs));
    for (const member of fleet) {
      if (!awake.includes(member)) await daytime(member, nowMs, cloud);
    }
    await settled();
    if (awake.length > 0) faults += orderFaults(cloud, hour);
    for (let minute = 0; minute < 60 && awake.length > 0; minute += 5) {
      nowMs = fleetBeginMs + hour * hourMs + minute * minuteMs;
      for (const member of awake) await nighttime(member, nowMs);
      await settled();
      for (const member of awake) {
        noteDone(member, nowMs);
        await cutPowerIfDue(member, nowMs);
      }
    }
  }

  expect(faults).toBeGreaterThan(300);
  const all = [...found.values()];
  const lines = all.flatMap((object) => object.lines);
  expect(lines.length).toBeGreaterThan(deviceCount * days * 0.8);
  expect(new Set(lines).size).toBe(lines.length);
  expect(cloud.bucket.objects.counts).toMatchObject({ stored: all.length, overwritten: 0 });
  const expiredMeanwhile = cloud.bucket.objects.counts.expired;
  for (const member of fleet) checkMember(member, all, cloud);
  // Nobody sends any more; the bucket's rules go on.
  for (let day = 0; day < 31 && cloud.bucket.objects.keys().length > 0; day++) {
    expect(tooOld(fleet, found, cloud, nowMs)).toEqual([]);
    nowMs += dayMs;
  }
  expect(cloud.bucket.objects.keys()).toEqual([]);
  expect(cloud.bucket.objects.counts.expired).toBeGreaterThan(expiredMeanwhile);
  for (const { device } of fleet) await device.stop();
}, 600_000);

/** What lay in the bucket at some time. */
type Found = {
  readonly key: string;
  readonly lines: readonly string[];
  readonly storedMs: number;
  /** By the rule of its prefix. */
  readonly goneMs: number;
};

function foundIn({ bucket }: Cloud, key: string): Found {
  const object = bucket.objects.get(key);
  const bytes = bucket.read(key);
  if (object === undefined || bytes === undefined) throw new Error(`${key} is not there`);
  const goneMs = expiryOf(object, ageClassRules)?.atMs ?? Number.POSITIVE_INFINITY;
  const lines = gunzipSync(bytes).toString().trimEnd().split('\n');
  return { key, lines, storedMs: object.storedAtMs, goneMs };
}

/** In this hour begins, or is, the hour from one to two: in truth, or by what the device believes. */
function isNight({ device }: Member, atMs: number): boolean {
  return [atMs, atMs + device.believedErrorMs()].some((beginMs) =>
    [0, 59].some((minute) => device.toLocalTime(beginMs + minute * minuteMs).hour === 1),
  );
}

const dayOf = (atMs: number) => Math.floor((atMs - fleetBeginMs) / dayMs);

async function daytime(member: Member, atMs: number, cloud: Cloud): Promise<void> {
  const { device, plan } = member;
  const { hour } = device.toLocalTime(atMs);
  const day = dayOf(atMs);
  if (hour === 3) setLinks(member, day, cloud);
  if (hour === 12 && day > 0 && plan.restartEvery && day % plan.restartEvery === 0) {
    // What happened within the last hour is not on the medium yet (ueip/anonymise.ts).
    device.live();
    await device.restart();
  }
  // Every other day: in some nights there is nothing to send.
  const isVisited = day < days && (day + plan.number) % 2 === 0;
  if (visitHours.includes(hour) && isVisited) {
    device.live();
    device.visit(1);
    device.programme.work();
    member.firstVisitMs ??= atMs;
    if (member.outMs === undefined) member.visits += 1;
  }
  if (hour === 23 && member.firstVisitMs !== undefined) {
    device.live();
    readLines(member, atMs);
  }
  if (hour === plan.optOut?.hour) await optOutIfDue(member, atMs);
}

async function nighttime(member: Member, atMs: number): Promise<void> {
  const { device, plan } = member;
  const minute = Math.floor(atMs / minuteMs) % 60;
  device.live();
  if (plan.optOut?.hour === 1 && minute === 20) await optOutIfDue(member, atMs);
}

/** While nothing is in flight: what a process that is killed in the middle leaves behind, upload-killed.test.ts tries. */
async function cutPowerIfDue({ device, plan }: Member, atMs: number): Promise<void> {
  const isTime = Math.floor(atMs / minuteMs) % 60 === 25;
  if (isTime && plan.powerCutEvery && dayOf(atMs) % plan.powerCutEvery === 0) {
    await device.powerCut();
  }
}

function setLinks({ plan, device, setHostLink }: Member, day: number, cloud: Cloud): void {
  const isWithin = (time: { readonly fromDay: number; readonly days: number } | undefined) =>
    time !== undefined && day >= time.fromDay && day < time.fromDay + time.days;
  setHostLink(!isWithin(plan.hostDown));
  cloud.vendor.link(device.name, !isWithin(plan.unlinked));
}

async function optOutIfDue(member: Member, atMs: number): Promise<void> {
  const { device, plan, outMs } = member;
  if (plan.optOut === undefined || outMs !== undefined || dayOf(atMs) < plan.optOut.day) return;
  member.outMs = atMs;
  const { kind } = await device.optOut(plan.optOut.eraseCloud);
  expect(kind).toBe('erased');
}

/** What waits before the night; it is there until it is sent, or erased. */
function readLines(member: Member, atMs: number): void {
  const { device, recorded, outMs } = member;
  if (outMs !== undefined) return;
  for (const line of device.lines()) {
    if (!recorded.has(line)) recorded.set(line, member.firstVisitMs ?? atMs);
  }
  member.firstVisitMs = undefined;
}

function noteDone({ device, done }: Member, atMs: number): void {
  const date = device.programme.memory.upload.read().lastPass?.localDate;
  if (date !== undefined && !done.has(date)) done.set(date, atMs);
}

const putFaults: readonly Fault[] = [
  { kind: 'lost-reply' },
  { kind: 'reset', afterBytes: 100 },
  { kind: 'status', status: 503, code: 'ServiceUnavailable' },
  { kind: 'half-body' },
  { kind: 'status', status: 403, code: 'RequestTimeTooSkewed' },
  { kind: 'not-http' },
];
const requestFaults: readonly Fault[] = [
  { kind: 'lost-reply' },
  { kind: 'status', status: 500 },
  { kind: 'reset' },
  { kind: 'half-body' },
];

/** One of each hour's uploads meets the one, and one the other. Returns how many were ordered. */
function orderFaults({ bucket, vendor }: Cloud, hour: number): number {
  const order = (
    script: Script,
    faults: readonly Fault[],
    when: (request: RawRequest) => boolean,
  ) => {
    const fault = faults[hour % faults.length];
    if (fault === undefined || script.pending > 0) return 0;
    script.next(fault, 1, when);
    return 1;
  };
  return (
    order(bucket.script, putFaults, ({ method }) => method === 'PUT') +
    order(vendor.script, requestFaults, ({ path }) => path === '/v1/uploads')
  );
}

/** All that is promised of one device, over all its nights. */
function checkMember(member: Member, all: readonly Found[], { bucket }: Cloud): void {
  const { device, plan, recorded, done, outMs, visits } = member;
  const keys = new Set(device.calls.map(({ objectKey }) => objectKey));
  const own = all.filter(({ key }) => keys.has(key));
  const lines = own.flatMap((object) => object.lines);
  const waiting = device.lines();
  const told = { device: device.name, plan };
  if (outMs === undefined) {
    expect({ ...told, lines: lines.toSorted(), waiting }).toEqual({
      ...told,
      lines: [...recorded.keys()].toSorted(),
      waiting: [],
    });
    expect({ ...told, recorded: recorded.size }).toEqual({ ...told, recorded: visits });
  } else {
    expect(lines.filter((line) => !recorded.has(line))).toEqual([]);
    expect(own.filter(({ storedMs }) => storedMs > outMs)).toEqual([]);
    const after = device.calls.filter(({ atMs }) => atMs > outMs).map(({ step }) => step);
    expect(new Set(after)).toEqual(new Set(plan.optOut?.eraseCloud ? ['orderErasure'] : []));
    if (plan.optOut?.eraseCloud) {
      expect(own.filter(({ key }) => bucket.objects.get(key) !== undefined)).toEqual([]);
    }
  }
  const oldest = own.flatMap(({ goneMs, lines: inside }) =>
    inside.map((line) => (goneMs - (recorded.get(line) ?? 0)) / dayMs),
  );
  expect(Math.max(0, ...oldest)).toBeLessThanOrEqual(31);

  for (const { atMs, believedMs, step } of device.calls) {
    const local = device.toLocalTime(believedMs);
    // Only whether it is time is asked at any other: by a device that does not know it.
    if (step === 'link' && plan.clock.setAfterMs === null) continue;
    const isRight = Math.abs(believedMs - atMs) <= confirmedWithinMs;
    expect({ ...told, step, hour: local.hour, isRight }).toMatchObject({ hour: 1, isRight: true });
    const isAgain = atMs > (done.get(local.date) ?? Number.POSITIVE_INFINITY);
    expect({ ...told, step, isAgain: isAgain && step !== 'orderErasure' }).toMatchObject({
      isAgain: false,
    });
  }
  const misfortunes = [plan.hostDown, plan.unlinked, plan.powerCutEvery, plan.restartEvery, outMs];
  // In London a night has no such hour; on the first day it was not asked yet.
  if (misfortunes.every((each) => each === undefined)) {
    expect(done.size).toBeGreaterThanOrEqual(days - 1);
  }
  expect(device.programme.ledger.verify().kind).toBe('intact');
}

/** Lines that lie in the bucket although their month is over. */
function tooOld(
  fleet: readonly Member[],
  found: ReadonlyMap<string, Found>,
  { bucket }: Cloud,
  nowMs: number,
): readonly string[] {
  const there = bucket.objects.keys().flatMap((key) => found.get(key)?.lines ?? []);
  const sinceMs = new Map(fleet.flatMap(({ recorded }) => [...recorded]));
  return there.filter((line) => nowMs - (sinceMs.get(line) ?? 0) > 31 * dayMs);
}
