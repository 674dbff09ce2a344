import { type Circumstances, coverage, neverAsked } from '../../agent/consent/consent.ts';
import type { Policy } from '../../agent/consent/policy.ts';
import { hmacSha256 } from '../../agent/io/files/digests.ts';
import { seededChance } from '../../agent/io/process/seeded-chance.ts';
import type { Kernels } from '../../agent/ports.ts';
import { createDraws, type Draws } from '../../agent/protection/draws.ts';
import type { ToLocalTime } from '../../agent/ueip/attempt.ts';
import { dayMs } from '../../agent/ueip/month.ts';
import type { Covered } from '../../agent/ueip/record.ts';
import { firstTryMs, windowOf } from '../../agent/upload/window.ts';
import { doorDay } from './door-day.ts';
import type { FacePool } from './face-pool.ts';
import { type Door, drawnDoor, type FleetPlan } from './fleet-plan.ts';
import { createSimulatedDevice, type NightObject } from './simulated-device.ts';

/** What all doors of a fleet share. */
export type FleetParts = {
  readonly pool: FacePool;
  readonly kernels: Kernels;
  readonly policy: Policy;
  readonly localTimeIn: (zone: string) => ToLocalTime;
};

/**
 * The objects that door `number` of a fleet uploads, night for night. What happens at the door is made up; what
 * becomes of it is not.
 */
export function nightlyObjects(number: number, plan: FleetPlan, parts: FleetParts): NightObject[] {
  const { pool, kernels, policy, localTimeIn } = parts;
  const draws = createDraws(seededChance(`${plan.seed}/door ${number}`));
  const door = drawnDoor(draws, plan);
  const toLocalTime = localTimeIn(door.zone);
  const secret = draws.bytes(32);
  const covered = coverageOf(policy, uuidOf(draws.bytes(16)));
  const { bytes: random } = draws;
  const device = createSimulatedDevice({ door, covered, pool, kernels, toLocalTime, random });
  const objects: NightObject[] = [];

  for (let day = 0; day <= plan.nights; day++) {
    const date = addDays(plan.firstDate, day);
    const midnightMs = localMidnight(date, toLocalTime);
    const window = windowOf(date, toLocalTime);
    const steps: Step[] = [[midnightMs + 1_000, device.release]];
    if (day > 0 && window) {
      const atMs = firstTryMs(window, (localDate) => hmacSha256(secret, localDate));
      const upload = (nowMs: number) => device.upload(nowMs, window.endMs - nowMs);
      steps.push([atMs, (nowMs) => void objects.push(...upload(nowMs))]);
    }
    if (day < plan.nights) steps.push(...daySteps({ door, device, plan, day, midnightMs }, draws));
    steps.sort(([a], [b]) => a - b);
    for (const [atMs, does] of steps) does(atMs);
  }
  return objects;
}

type Step = readonly [atMs: number, does: (nowMs: number) => void];

/** Every hour in which something happened ends, and only then is anything kept of it. */
function daySteps(
  today: {
    readonly door: Door;
    readonly device: ReturnType<typeof createSimulatedDevice>;
    readonly plan: FleetPlan;
    readonly day: number;
    readonly midnightMs: number;
  },
  draws: Draws,
): Step[] {
  const { door, device, plan, day, midnightMs } = today;
  const steps: Step[] = [];
  const isUpdated = door.update?.onDay === day;
  if (isUpdated) steps.push([midnightMs + 3 * hourMs, device.update]);
  if (draws.below(100) < powerCutsPerDay) {
    const cutMs = midnightMs + draws.below(dayMs - 3 * hourMs);
    steps.push([cutMs, device.cutPower]);
    steps.push([cutMs + minuteMs * (20 + draws.below(70)), device.findTime]);
  }
  // The update comes before nearly everybody.
  const agentVersion = isUpdated && door.update ? door.update.to : device.agentVersion;
  const { nights: ofDays, faults } = plan;
  const happened = doorDay(door, { day, ofDays, agentVersion, faults }, draws);
  const hours = new Set(happened.map(({ atMs }) => Math.floor(atMs / hourMs)));
  return [
    ...steps,
    ...happened.map((each): Step => [midnightMs + each.atMs, (nowMs) => device.try(each, nowMs)]),
    ...Array.from(
      hours,
      (hour): Step => [midnightMs + (hour + 1) * hourMs + 1_000, device.release],
    ),
  ];
}

function coverageOf(policy: Policy, consentId: string): Covered {
  const { version: policyVersion, textSha256, effectiveAt } = policy;
  const region = 'eu-central-1';
  const grant = {
    policyVersion,
    textSha256,
    region,
    by: { name: 'resident', channel: 'cli' },
    since: { wallMs: effectiveAt, monotonicMs: 0 },
    consentId,
  } as const;
  const programme = {
    ...neverAsked,
    sequence: 1,
    epoch: 1,
    consent: { state: 'granted', ...grant },
  } as const;
  const circumstances: Circumstances = {
    policies: [policy],
    region,
    doNotTrack: false,
    wallMs: effectiveAt,
  };
  const covered = coverage(programme, circumstances);
  if (covered.kind === 'not-covered') throw new TypeError(`nothing covers it: ${covered.why}`);
  return covered;
}

/** Version 4, of these bytes. */
function uuidOf(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function localMidnight(date: string, toLocalTime: ToLocalTime): number {
  const asUtcMs = Date.parse(`${date}T00:00:00Z`);
  return asUtcMs - toLocalTime(asUtcMs).utcOffsetMinutes * minuteMs;
}

function addDays(date: string, days: number): string {
  return new Date(Date.parse(date) + days * dayMs).toISOString().slice(0, 10);
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** Of 100 doors. */
const powerCutsPerDay = 2;
