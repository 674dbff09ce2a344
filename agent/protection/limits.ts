import type { AccuracyLoss } from './accuracy-loss.ts';
import { attackFmr } from './accuracy-loss.ts';
import type { Attack, AttackId } from './attacks.ts';
import type { KeySeparation } from './key-separation.ts';
import type { TelemetryPrivacy } from './telemetry-privacy.ts';

/** One line of the protocol: what was measured, what it must be, and whether it is. */
export type Verdict = {
  /** P accuracy, U unlinkability, I irreversibility, T telemetry code. */
  readonly id: string;
  readonly what: string;
  /** Null: these pictures cannot show it. */
  readonly value: number | null;
  readonly unit: '%' | 'points' | 'bits' | 'codes' | '';
  readonly limit: string;
  readonly verdict: 'pass' | 'fail' | 'not measured' | 'published only';
};

export type Judged = {
  readonly accuracy: AccuracyLoss;
  /** Share of the faces whose code is the same after a restart. */
  readonly sameAfterRestart: number;
  readonly separation: KeySeparation;
  readonly attacks: readonly Attack[];
  readonly telemetry: readonly TelemetryPrivacy[];
};

/** Around 0.5: five times what the chance of 150 epochs leaves (a standard deviation of 0.004, measured). */
const areaTolerance = 0.02;

/** Above the floor of D_sys. */
const floorTolerance = 0.03;

/** The limits that templates and telemetry codes must keep (docs/privacy.md). */
export function judge(found: Judged): Verdict[] {
  return [...judgeTemplates(found), ...found.telemetry.flatMap(judgeTelemetry)];
}

function judgeTemplates(found: Judged): Verdict[] {
  const { accuracy, sameAfterRestart, separation, attacks } = found;
  const tmrLoss = accuracy.tmrLoss.find(({ fmrTarget }) => fmrTarget === attackFmr);
  const typeI = (id: AttackId) => {
    const share = attacks.find((attack) => attack.id === id)?.success.typeI.share;
    return share === undefined || share === null ? null : 100 * share;
  };
  return [
    atMost(
      'P1',
      'accuracy by folds lost, mean of the keys',
      accuracy.foldLoss?.mean,
      0.3,
      'points',
    ),
    atMost('P2', 'TMR at FMR 0.1 % lost, mean of the keys', tmrLoss?.mean, 1.5, 'points'),
    atLeast('P3', 'same code after a restart', 100 * sameAfterRestart, 100, '%'),
    judgeLinkability(separation),
    around('U2', 'differing bits between keys', separation.meanHamming, 0.01),
    atLeast(
      'U3',
      'bits that are 1 for 25 to 75 % of faces',
      100 * separation.balancedBits,
      95,
      '%',
    ),
    atMost('I1', 'type I success: decoder learned with another key', typeI('other-key'), 1, '%'),
    atMost('I2', 'type I success: blind alignment', typeI('blind'), 1, '%'),
    published('I3', 'type I success: key known, back-projection', typeI('back-projection')),
    ...[10, 50, 200].map((pairs) =>
      published('I4', `type I success: ${pairs} known pairs`, typeI(`known-pairs-${pairs}`)),
    ),
  ];
}

/** Of few pictures chance alone makes more than the limit: that is no failure, and no pass. */
function judgeLinkability({ dSys, floor }: KeySeparation): Verdict {
  const what = 'D_sys of one picture under two keys, worst of the key pairs';
  const row = atMost('U1', what, dSys.worst, 0.08, '');
  const byChance = row.verdict === 'fail' && dSys.worst - floor.highest <= floorTolerance;
  return byChance ? { ...row, verdict: 'not measured' } : row;
}

function judgeTelemetry(found: TelemetryPrivacy): Verdict[] {
  const { bits, withinEpoch, acrossStarts, acrossDays, linker, longestRun } = found;
  const rows = [
    atMost('T1', 'length of the code', bits, 24, 'bits'),
    atLeast('T2', 'same visitor within an epoch, area under ROC', withinEpoch.area, 0.85, ''),
    around('T3', 'same face after a restart, area under ROC', acrossStarts, areaTolerance),
    atMost(
      'T4',
      'D_sys above its floor, one picture on two days',
      excess(acrossDays),
      floorTolerance,
      '',
    ),
    around('T5', 'enrolled template against code, area under ROC', linker.area, areaTolerance),
    atMost(
      'T6',
      `longest run under one key of ${longestRun.of} codes`,
      longestRun.codes,
      128,
      'codes',
    ),
  ];
  return rows.map((row) => ({ ...row, what: `${found.name}: ${row.what}` }));
}

function excess({ dSys, floor }: TelemetryPrivacy['acrossDays']): number {
  return Math.max(0, dSys - floor);
}

type Unit = Verdict['unit'];

function atMost(
  id: string,
  what: string,
  value: number | null | undefined,
  limit: number,
  unit: Unit,
): Verdict {
  return verdictOf(id, what, value, unit, `<= ${limit}`, (measured) => measured <= limit);
}

function atLeast(
  id: string,
  what: string,
  value: number | null | undefined,
  limit: number,
  unit: Unit,
): Verdict {
  return verdictOf(id, what, value, unit, `>= ${limit}`, (measured) => measured >= limit);
}

/** Half, give or take. */
function around(id: string, what: string, value: number, tolerance: number): Verdict {
  const limit = `0.5 ± ${tolerance}`;
  return verdictOf(id, what, value, '', limit, (of) => Math.abs(of - 0.5) <= tolerance);
}

function published(id: string, what: string, value: number | null): Verdict {
  return { id, what, value, unit: '%', limit: '', verdict: 'published only' };
}

function verdictOf(
  id: string,
  what: string,
  value: number | null | undefined,
  unit: Unit,
  limit: string,
  keeps: (value: number) => boolean,
): Verdict {
  if (value === null || value === undefined || Number.isNaN(value)) {
    return { id, what, value: null, unit, limit, verdict: 'not measured' };
  }
  return { id, what, value, unit, limit, verdict: keeps(value) ? 'pass' : 'fail' };
}
