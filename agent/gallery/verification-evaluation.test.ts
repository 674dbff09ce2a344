import { expect, test } from 'vitest';
import { type Acquisition, acquireAll, countAcquisitions } from './acquisition.ts';
import { cosineComparator } from './comparator.ts';
import { evaluateVerification, type PicturePair } from './verification-evaluation.ts';

/** "ann 10" looks into the direction of 10 degrees; "nobody" has no face. */
async function acquire(picture: string): Promise<Acquisition> {
  const [, degrees] = picture.split(' ');
  if (degrees === undefined) return { kind: 'not-acquired', reasons: ['no-face'] };
  const angle = (Number(degrees) * Math.PI) / 180;
  const values = Float32Array.of(Math.cos(angle), Math.sin(angle));
  return { kind: 'acquired', embedding: { modelSha256: 'aa', values } };
}

const pair = (probe: string, reference: string, same: boolean, fold?: number): PicturePair => ({
  probe,
  reference,
  same,
  fold,
});

test('every picture goes through the models once, and each step is told', async () => {
  const seen: string[] = [];
  const steps: [number, number][] = [];
  const acquired = await acquireAll(
    ['ann 1', 'bob 2', 'ann 1', 'nobody'],
    (picture) => {
      seen.push(picture);
      return acquire(picture);
    },
    (done, total) => steps.push([done, total]),
  );
  expect(seen).toEqual(['ann 1', 'bob 2', 'nobody']);
  expect(steps).toEqual([
    [1, 3],
    [2, 3],
    [3, 3],
  ]);
  expect(countAcquisitions(acquired.values())).toEqual({
    pictures: 3,
    notAcquired: 1,
    reasons: { 'no-face': 1 },
  });
});

test('a picture that cannot be read ends the evaluation with its own error', async () => {
  const broken = new Error('b.jpg is broken');
  await expect(acquireAll(['a.jpg'], () => Promise.reject(broken))).rejects.toBe(broken);
});

test('all ways to compare see the same pairs, and a pair without a face has no score', async () => {
  const pairs = [
    pair('ann 10', 'ann 30', true, 1),
    pair('ann 10', 'bob 100', false, 1),
    pair('bob 100', 'bob 110', true, 2),
    pair('bob 110', 'ann 30', false, 2),
    pair('ann 10', 'nobody', true, 2),
  ];
  const acquired = await acquireAll(
    pairs.flatMap(({ probe, reference }) => [probe, reference]),
    acquire,
  );
  const constant = { ...cosineComparator, name: 'constant', compare: () => 0.5 };
  const evaluation = evaluateVerification(pairs, acquired, [cosineComparator, constant], [0.5]);
  expect(evaluation.acquisition).toMatchObject({ pictures: 5, notAcquired: 1 });
  const [cosine, other] = evaluation.comparators;
  expect(cosine?.name).toBe('cosine');
  expect(cosine?.scores[0]).toBeCloseTo(Math.cos(Math.PI / 9), 6);
  expect(cosine?.scores[4]).toBeNaN();
  expect(cosine?.accuracy).toMatchObject({
    matedPairs: 3,
    nonMatedPairs: 2,
    notAcquired: { matedPairs: 1, nonMatedPairs: 0 },
    equalError: { rate: 0 },
    folds: { kind: 'measured', accuracy: { mean: 1 }, accuracyWithFta: { mean: (1 + 2 / 3) / 2 } },
  });
  expect(other?.accuracy.equalError).toMatchObject({ rate: 0.5 });
});

test('pairs of which only some have a fold, and pictures nobody acquired, are programming mistakes', async () => {
  const pairs = [pair('ann 10', 'ann 30', true, 1), pair('ann 10', 'ann 30', true)];
  const acquired = await acquireAll(['ann 10', 'ann 30'], acquire);
  expect(() => evaluateVerification(pairs, acquired, [cosineComparator])).toThrow(TypeError);
  expect(() =>
    evaluateVerification([pair('ann 10', 'ann 31', true)], acquired, [cosineComparator]),
  ).toThrow('ann 31 was not acquired');
});
