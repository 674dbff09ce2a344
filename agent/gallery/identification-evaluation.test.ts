import { expect, test } from 'vitest';
import type { Acquisition } from './acquisition.ts';
import { cosineComparator } from './comparator.ts';
import { evaluateIdentification } from './identification-evaluation.ts';

/** Pictures are named by the direction they look into, in degrees; "none…" has no face. */
const acquired = new Map(
  ['0', '20', '40', '60', '90', '100', '130', '180', 'none 1', 'none 2'].map(
    (picture): [string, Acquisition] => {
      if (picture.startsWith('none')) return [picture, { kind: 'not-acquired', reasons: ['BLUR'] }];
      const angle = (Number(picture) * Math.PI) / 180;
      const values = Float32Array.of(Math.cos(angle), Math.sin(angle));
      return [picture, { kind: 'acquired', embedding: { modelSha256: 'aa', values } }];
    },
  ),
);
const gallery = [
  { identity: 'ann', picture: '0' },
  { identity: 'ann', picture: 'none 1' },
  { identity: 'bob', picture: '90' },
  { identity: 'cid', picture: 'none 2' },
];

test('residents are enrolled with the pictures that have a face, and each visit is searched', () => {
  const evaluation = evaluateIdentification(
    gallery,
    [
      { mated: 'ann', pictures: ['20'] },
      { mated: 'ann', pictures: ['60'] },
      { mated: 'bob', pictures: ['none 1'] },
      { mated: 'cid', pictures: ['100'] },
      { mated: null, pictures: ['130'] },
      { mated: null, pictures: ['180'] },
    ],
    acquired,
    [cosineComparator],
    { thresholds: [0.7], fpirTargets: [0.5] },
  );
  expect(evaluation).toMatchObject({
    acquisition: { pictures: 9, notAcquired: 2, reasons: { BLUR: 2 } },
    residents: 3,
    templates: 2,
    notEnrolled: 1,
  });
  const [cosine] = evaluation.comparators;
  expect(cosine?.results[1]?.outcome).toMatchObject({ best: { residentId: 'bob' } });
  expect(cosine?.accuracy).toMatchObject({
    notAcquired: { matedProbes: 1, nonMatedProbes: 0 },
    notEnrolled: { matedProbes: 1 },
    rank1: { events: 1, trials: 2 },
    points: [
      {
        // 60 degrees are 30 from bob; 130 degrees are 40 from him.
        misidentified: { events: 1 },
        fnir: { events: 1, trials: 2 },
        fnirWithFta: { events: 3, trials: 4 },
        fpir: { events: 1, trials: 2 },
      },
    ],
  });
});

test('the frames of one visit are decided on together; one without a face does not spoil it', () => {
  const visits = [{ mated: 'ann', pictures: ['60', 'none 1', '20'] }];
  const { comparators } = evaluateIdentification(gallery, visits, acquired, [cosineComparator]);
  const outcome = comparators[0]?.results[0]?.outcome;
  if (outcome?.kind !== 'searched') expect.fail('was not searched');
  // The mean of 60 and 20 degrees is 40: nearer to ann, although one frame alone was nearer to bob.
  expect(outcome.best?.residentId).toBe('ann');
  expect(outcome.best?.score).toBeCloseTo(Math.cos((40 * Math.PI) / 180), 6);
  expect(outcome.runnerUpScore).toBeCloseTo(Math.cos((50 * Math.PI) / 180), 6);
});

test('an empty gallery names nobody', () => {
  const visits = [{ mated: null, pictures: ['20'] }];
  const { comparators } = evaluateIdentification([], visits, acquired, [cosineComparator]);
  expect(comparators[0]?.results[0]?.outcome).toEqual({
    kind: 'searched',
    best: null,
    runnerUpScore: null,
  });
});

test('a visit of a resident who is not in the gallery is a programming mistake', () => {
  const visits = [{ mated: 'dan', pictures: ['20'] }];
  expect(() => evaluateIdentification(gallery, visits, acquired, [])).toThrow(
    'dan is not in the gallery',
  );
});
