import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decide } from './decision.ts';
import {
  identificationAccuracy,
  type ProbeResult,
  type SearchOutcome,
} from './identification-accuracy.ts';
import type { Candidate } from './search.ts';

function probe(
  mated: string | null,
  residentId: string,
  score: number,
  runnerUpScore: number | null = null,
): ProbeResult {
  return {
    mated,
    enrolled: true,
    outcome: { kind: 'searched', best: { residentId, score }, runnerUpScore },
  };
}

const unseen = (mated: string | null): ProbeResult => ({
  mated,
  enrolled: true,
  outcome: { kind: 'not-acquired' },
});

/** Four probes of residents, one of them taken for another, and four strangers. */
const byHand: readonly ProbeResult[] = [
  probe('ann', 'ann', 0.9, 0.2),
  probe('ann', 'ann', 0.5, 0.45),
  probe('bob', 'bob', 0.4, 0.1),
  probe('bob', 'ann', 0.6, 0.3),
  probe(null, 'ann', 0.5, 0.1),
  probe(null, 'bob', 0.3, 0.2),
  probe(null, 'bob', 0.2, 0.1),
  probe(null, 'ann', 0.1, 0.0),
];

test('the door worked out by hand: at 0.5 one stranger of four gets in, two of four residents do', () => {
  const { points, rank1 } = identificationAccuracy(byHand, { thresholds: [0.5, 0.55, 0.95] });
  expect(points).toMatchObject([
    {
      threshold: 0.5,
      fpir: { events: 1, trials: 4 },
      fnir: { events: 2, trials: 4 },
      misidentified: { events: 1, trials: 4 },
    },
    { threshold: 0.55, fpir: { events: 0 }, fnir: { events: 3 }, misidentified: { events: 1 } },
    { threshold: 0.95, fpir: { events: 0 }, fnir: { events: 4 }, misidentified: { events: 0 } },
  ]);
  expect(rank1).toMatchObject({ events: 3, trials: 4 });
});

test('a lead smaller than the margin keeps the door shut, for residents and strangers', () => {
  const { points } = identificationAccuracy(byHand, { thresholds: [0.3], margin: 0.15 });
  expect(points[0]).toMatchObject({
    // Of two strangers at 0.3 one leads by only 0.1; of the three residents one by only 0.05.
    fpir: { events: 1, trials: 4 },
    fnir: { events: 2, trials: 4 },
    misidentified: { events: 1 },
    refusedByMargin: { mated: 1, nonMated: 1 },
  });
});

test('with one resident only there is no other to be mistaken for: no margin applies', () => {
  const { points } = identificationAccuracy([probe('ann', 'ann', 0.5)], {
    thresholds: [0.5],
    margin: 1,
  });
  expect(points[0]?.fnir).toMatchObject({ events: 0, trials: 1 });
});

test('a resident without a face in the picture is a miss only where failures to acquire count', () => {
  const accuracy = identificationAccuracy(
    [
      ...byHand,
      unseen('ann'),
      unseen(null),
      { ...probe('cid', 'ann', 0.9), enrolled: false },
      { ...unseen('cid'), enrolled: false },
    ],
    { thresholds: [0.5] },
  );
  expect(accuracy).toMatchObject({
    matedProbes: 7,
    nonMatedProbes: 5,
    notAcquired: { matedProbes: 2, nonMatedProbes: 1 },
    notEnrolled: { matedProbes: 1 },
    rank1: { events: 3, trials: 4 },
  });
  expect(accuracy.points[0]).toMatchObject({
    fnir: { events: 2, trials: 4 },
    fnirWithFta: { events: 5, trials: 7 },
    fpir: { events: 1, trials: 4 },
    fpirWithFta: { events: 1, trials: 5 },
  });
});

test('an empty gallery opens for nobody', () => {
  const nobody: ProbeResult = {
    mated: null,
    enrolled: true,
    outcome: { kind: 'searched', best: null, runnerUpScore: null },
  };
  const { points } = identificationAccuracy([nobody], { thresholds: [-1] });
  expect(points[0]?.fpir).toMatchObject({ events: 0, trials: 1 });
});

test('the threshold for FPIR 1 % lets one of a hundred strangers in, and 0.3 % needs 334 of them', () => {
  const strangers = Array.from({ length: 100 }, (_, i) => probe(null, 'ann', i / 200));
  const residents = [0.3, 0.492, 0.494, 0.8].map((score) => probe('ann', 'ann', score));
  const { operatingPoints } = identificationAccuracy([...strangers, ...residents]);
  expect(operatingPoints).toMatchObject([
    {
      kind: 'measured',
      fpirTarget: 0.01,
      point: { threshold: 0.492, fpir: { events: 1, trials: 100 }, fnir: { events: 1, trials: 4 } },
    },
    { kind: 'not-supported', fpirTarget: 0.003, nonMatedProbesNeeded: 334 },
  ]);
});

test('every rate equals the one counted from the decisions of the door', () => {
  const score = fc.integer({ min: 0, max: 10 }).map((n) => n / 8);
  const name = fc.constantFrom('ann', 'bob', 'cid');
  const searched = fc
    .tuple(fc.option(name), name, score, score, fc.boolean())
    .map(([mated, residentId, one, two, alone]) =>
      probe(mated, residentId, Math.max(one, two), alone ? null : Math.min(one, two)),
    );
  const results = fc.array(
    fc.oneof(
      { weight: 5, arbitrary: searched },
      { weight: 1, arbitrary: fc.option(name).map(unseen) },
    ),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(results, score, fc.constantFrom(0, 0.125, 0.5), (list, threshold, margin) => {
      const { points } = identificationAccuracy(list, { thresholds: [threshold], margin });
      const seen = list.filter(({ outcome }) => outcome.kind === 'searched');
      const opened = seen.flatMap(({ mated, outcome }) => {
        const decision = decide(candidates(outcome), { threshold, margin });
        return decision.kind === 'match' ? [{ mated, named: decision.residentId }] : [];
      });
      const mated = (all: readonly { mated: string | null }[]) =>
        all.filter((one) => one.mated !== null).length;
      const hits = opened.filter((one) => one.mated === one.named).length;
      expect(points[0]).toMatchObject({
        fpir: { events: opened.length - mated(opened), trials: seen.length - mated(seen) },
        fnir: { events: mated(seen) - hits, trials: mated(seen) },
        misidentified: { events: mated(opened) - hits },
        fnirWithFta: { events: mated(list) - hits, trials: mated(list) },
        fpirWithFta: { trials: list.length - mated(list) },
      });
    }),
  );
});

/** What the search would have handed to the decision. */
function candidates(outcome: SearchOutcome): Candidate[] {
  if (outcome.kind !== 'searched' || !outcome.best) return [];
  const best = { ...outcome.best, distanceBits: 0 };
  return outcome.runnerUpScore === null
    ? [best]
    : [best, { residentId: 'somebody else', score: outcome.runnerUpScore, distanceBits: 0 }];
}

test('a runner-up above the best, and a negative margin, are programming mistakes', () => {
  expect(() => identificationAccuracy([probe('ann', 'ann', 0.1, 0.2)])).toThrow(TypeError);
  expect(() => identificationAccuracy([probe('ann', 'ann', Number.NaN)])).toThrow(TypeError);
  expect(() => identificationAccuracy([], { margin: -0.1 })).toThrow(TypeError);
});
