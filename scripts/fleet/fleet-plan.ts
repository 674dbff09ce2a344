import type { Draws } from '../../agent/protection/draws.ts';
import type { AnonymiserMode } from '../../agent/ueip/anonymise.ts';

/** A fleet that does not exist: how large, for how long, and drawn from which seed. */
export type FleetPlan = {
  readonly doors: number;
  readonly nights: number;
  /** 'YYYY-MM-DD', by the clock of each house: the first day of which there are records. */
  readonly firstDate: string;
  readonly seed: string;
  readonly faults: Faults;
};

/** What can be wrong with a fleet. Shares are of all attempts. */
export type Faults = {
  /** A release refuses more residents. Doors change to it in the first half of the time. */
  readonly release: { readonly agentVersion: string; readonly addedNoMatch: number };
  /** A recogniser takes longer, whatever the release. */
  readonly recogniser: { readonly embeddingModel: string; readonly embedFactor: number };
  /** A few doors get too little light in some hours. */
  readonly dusk: {
    readonly shareOfDoors: number;
    readonly fromHour: number;
    readonly untilHour: number;
    readonly lowQuality: number;
  };
  /** Under a release it gets worse some days before the end, and stays so. */
  readonly drift: {
    readonly agentVersion: string;
    readonly addedNoFace: number;
    readonly daysFromEnd: number;
  };
};

/** A week in which no clock of `zones` is changed. */
export const presetFirstDate = '2027-04-05';

/** Whoever reads the objects should find these, and nothing else. */
export const plantedFaults: Faults = {
  release: { agentVersion: '0.4.1', addedNoMatch: 0.03 },
  recogniser: { embeddingModel: 'b7c2f05d91ae', embedFactor: 1.4 },
  dusk: { shareOfDoors: 0.08, fromHour: 18, untilHour: 21, lowQuality: 0.4 },
  drift: { agentVersion: '0.3.2', addedNoFace: 0.03, daysFromEnd: 3 },
};

/** The same releases, models and hours, and nothing wrong with any. */
export const noFaults: Faults = {
  release: { ...plantedFaults.release, addedNoMatch: 0 },
  recogniser: { ...plantedFaults.recogniser, embedFactor: 1 },
  dusk: { ...plantedFaults.dusk, shareOfDoors: 0 },
  drift: { ...plantedFaults.drift, addedNoFace: 0 },
};

const usualRecogniser = '3fae1c2277d0';
export const otherModels = { detection: '8f2383e4dd3c', pad: 'a1b2c3d4e5f6' } as const;

/** Two in the north, one in the south, one without summer time, one across the date from it. */
const zones = [
  'Europe/Berlin',
  'Europe/London',
  'Asia/Shanghai',
  'America/New_York',
  'Australia/Sydney',
] as const;

/** A door of the fleet, and how it differs from the others. */
export type Door = {
  readonly zone: string;
  readonly mode: AnonymiserMode;
  readonly embeddingModel: string;
  /** What it ran in the beginning. */
  readonly agentVersion: string;
  /** Day, from 0, in whose course it is updated; undefined: never. */
  readonly update: { readonly onDay: number; readonly to: string } | undefined;
  readonly residents: number;
  readonly visitsPerDay: number;
  /** How much likelier than at the usual door a resident is refused. */
  readonly refusal: number;
  /** How much longer than at the usual door everything takes. */
  readonly slowness: number;
  readonly isDarkAtDusk: boolean;
};

/** The same draws give the same door. */
export function drawnDoor(draws: Draws, { nights, faults }: FleetPlan): Door {
  const { release, recogniser, dusk, drift } = faults;
  const share = () => draws.below(1_000_000) / 1_000_000;
  const agentVersion = share() < 0.3 ? drift.agentVersion : '0.4.0';
  const updates = agentVersion === '0.4.0' && share() < 0.45;
  return {
    zone: zones[draws.below(zones.length)] ?? zones[0],
    mode: drawnMode(share()),
    embeddingModel: share() < 0.3 ? recogniser.embeddingModel : usualRecogniser,
    agentVersion,
    update: updates
      ? { onDay: draws.below(Math.ceil(nights / 2)), to: release.agentVersion }
      : undefined,
    residents: Math.round(spread(6, 0.8, draws, 60)) + 1,
    visitsPerDay: spread(20, 0.5, draws, 120),
    refusal: spread(1, 0.25, draws, 2.5),
    slowness: spread(1, 0.08, draws, 1.4),
    isDarkAtDusk: share() < dusk.shareOfDoors,
  };
}

/** Nearly all keep the preset of `ueip.code`. */
function drawnMode(drawn: number): AnonymiserMode {
  if (drawn < 0.93) return 'code24';
  if (drawn < 0.96) return 'code16';
  return drawn < 0.98 ? 'visitor-token' : 'counters';
}

/** Log-normal about `middle`. */
function spread(middle: number, sigma: number, draws: Draws, most: number): number {
  return Math.min(most, middle * Math.exp(sigma * draws.normal()));
}
