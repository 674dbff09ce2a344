import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cloud } from '../../../fixtures/cloud/start-cloud.ts';
import { cloudConfig } from './cloud-config.ts';
import { createFleetDevice, type FleetDevice, type FleetNetwork } from './fleet-device.ts';
import { dayMs, hourMs, minuteMs } from './programme-device.ts';
import { quickFolder } from './quick-device.ts';

/** In the weeks that follow the clocks of America and of Europe go forward; in London over the whole window. */
export const fleetBeginMs = Date.UTC(2027, 2, 1);

export type Member = {
  readonly plan: MemberPlan;
  readonly device: FleetDevice;
  /** What its host says of the link to the cloud. */
  setHostLink(isUp: boolean): void;
  /** Every line that ever waited, with the moment before which nothing in it happened. */
  readonly recorded: Map<string, number>;
  /** Local dates on which everything was sent, and since when. */
  readonly done: Map<string, number>;
  visits: number;
  /** Since the lines were read last. */
  firstVisitMs: number | undefined;
  outMs: number | undefined;
};

export type MemberPlan = ReturnType<typeof planOf>;

/** Devices as they are in the field, each with its own folder, consent, zone, clock and misfortunes. */
export function fleetOf(
  count: number,
  around: {
    readonly cloud: Cloud;
    readonly network: FleetNetwork;
    readonly trueMs: () => number;
  },
): readonly Member[] {
  return Array.from({ length: count }, (_, n) => memberOf(n, around));
}

/** What becomes of the device with this number; days are counted from the first. */
function planOf(n: number) {
  const every = (divisor: number, remainder: number) => n % divisor === remainder;
  const mode: 'direct' | 'grant' = every(5, 4) ? 'direct' : 'grant';
  return {
    number: n,
    zone: zones[n % zones.length] ?? 'UTC',
    clock: clocks[n % clocks.length] ?? right,
    mode,
    hostDown: every(7, 3) ? { fromDay: 5 + (n % 3), days: 9 } : undefined,
    unlinked: every(7, 5) && mode === 'grant' ? { fromDay: 8, days: 7 } : undefined,
    optOut: every(8, 6)
      ? { day: 12 + (n % 5), hour: every(16, 6) ? 1 : 15, eraseCloud: every(16, 6) }
      : undefined,
    restartEvery: every(9, 1) ? 4 : undefined,
    powerCutEvery: every(9, 2) ? 6 : undefined,
  };
}

const zones = [
  'Europe/Berlin',
  'Europe/London',
  'America/New_York',
  'Asia/Kolkata',
  'Pacific/Auckland',
  'Asia/Shanghai',
  'America/Los_Angeles',
  'Australia/Lord_Howe',
  'Africa/Nairobi',
  'Pacific/Honolulu',
];

type ClockPlan = {
  readonly errorMs: (trueMs: number, sinceBootMs: number) => number;
  /** When the host's time server has set it; null: there is none. */
  readonly setAfterMs: number | null;
};
const right: ClockPlan = { errorMs: () => 0, setAfterMs: 0 };
const clocks: readonly ClockPlan[] = [
  right,
  // Thirteen minutes in a month.
  { errorMs: (trueMs) => (trueMs - fleetBeginMs) * 3e-4, setAfterMs: null },
  // In 1970 at each boot, until somebody tells it.
  {
    errorMs: (trueMs, sinceBootMs) => (sinceBootMs < 3 * hourMs ? sinceBootMs - trueMs : 0),
    setAfterMs: 3 * hourMs,
  },
  { errorMs: () => -2 * dayMs, setAfterMs: null },
  { errorMs: () => 3 * hourMs, setAfterMs: null },
  { errorMs: () => -4 * minuteMs, setAfterMs: 0 },
];

function memberOf(n: number, around: Parameters<typeof fleetOf>[1]): Member {
  const { cloud } = around;
  const plan = planOf(n);
  const name = `device-${n}`;
  const folder = join(quickFolder(), name);
  mkdirSync(folder);
  const file = (what: string, content: string) => {
    const path = join(folder, what);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const setHostLink = (isUp: boolean) => void file('link', isUp ? 'linked\n' : 'down\n');
  setHostLink(true);
  const { cert, key } = cloud.deviceCalled(name);
  const config = cloudConfig(cloud, plan.mode, {
    ...(plan.mode === 'grant' && {
      'cloud.certificate': file('device.pem', cert),
      'cloud.key': file('device.key', key),
    }),
    'cloud.linkFile': join(folder, 'link'),
    'device.timeZone': plan.zone,
    'controller.name': 'A Maker',
    'controller.contact': '1 Street, Town',
    'controller.privacyPolicy': 'https://maker.example/privacy',
  });
  const { errorMs, setAfterMs } = plan.clock;
  const device = createFleetDevice({
    ...around,
    name,
    config,
    folder,
    errorMs,
    isSynchronised: (sinceBootMs) => setAfterMs !== null && sinceBootMs >= setAfterMs,
  });
  return {
    plan,
    device,
    setHostLink,
    recorded: new Map(),
    done: new Map(),
    visits: 0,
    firstVisitMs: undefined,
    outMs: undefined,
  };
}
