import fc from 'fast-check';
import { expect, test } from 'vitest';
import { judgeEnrolment, type PhotoFinding } from './enrolment.ts';

const settings = { threshold: 0.5, guard: 0.1, duplicate: 0.95 };

test('good photos of one person are accepted', () => {
  expect(judge([good('a', [1, 0.7]), good('b', [0.7, 1])])).toEqual({ kind: 'accepted' });
  expect(judge([good('a')])).toEqual({ kind: 'accepted' });
});

test('one bad photo refuses all, and it is said which were sound', () => {
  const photos = [good('a', [1, 0.7]), good('b', [0.7, 1]), { ...good('c'), faces: 0 }];
  expect(judge(photos)).toEqual({
    kind: 'refused',
    refusals: [{ photo: 2, reasons: ['NO_FACE'] }],
    sound: [0, 1],
  });
});

test.each<[string, Partial<PhotoFinding>, string[]]>([
  ['without a face', { faces: 0, quality: ['BLUR'], pad: 'attack' }, ['NO_FACE']],
  ['with two faces', { faces: 2, quality: ['MULTI_FACE'] }, ['MULTI_FACE']],
  ['blurred and dark', { quality: ['BLUR', 'TOO_DARK'] }, ['BLUR', 'TOO_DARK']],
  ['of a screen', { pad: 'attack' }, ['SPOOF']],
  ['blurred, of a screen', { quality: ['BLUR'], pad: 'attack' }, ['BLUR', 'SPOOF']],
  [
    'of another resident',
    { closestOther: { residentId: 'bob', score: 0.8 } },
    ['TOO_SIMILAR_TO:bob'],
  ],
  [
    'that nears another',
    { closestOther: { residentId: 'bob', score: 0.4 } },
    ['TOO_SIMILAR_TO:bob'],
  ],
  ['enrolled before', { closestOwn: 0.97 }, ['DUPLICATE_PHOTO']],
  ['of somebody else than before', { closestOwn: 0.2 }, ['DIFFERENT_PERSON']],
])('a photo %s is refused by name', (_, finding, reasons) => {
  expect(judge([{ ...good('a'), ...finding }])).toEqual({
    kind: 'refused',
    refusals: [{ photo: 0, reasons }],
    sound: [],
  });
});

test('a resident far enough away is no hindrance', () => {
  const photo = { ...good('a'), closestOther: { residentId: 'bob', score: 0.39 } };
  expect(judge([photo]).kind).toBe('accepted');
});

test('where no attack check ran, none is claimed', () => {
  expect(judge([{ ...good('a'), pad: 'not-checked' }]).kind).toBe('accepted');
});

test('the same picture twice is refused once: the second', () => {
  expect(reasonsOf([good('a', [1, 0.7]), good('a', [0.7, 1])])).toEqual([[], ['DUPLICATE_PHOTO']]);
  expect(reasonsOf([good('a', [1, 0.96]), good('b', [0.6, 1])])).toEqual([[], ['DUPLICATE_PHOTO']]);
});

test('of three photos the one that shows somebody else is named', () => {
  const photos = [good('a', [1, 0.7, 0.1]), good('b', [0.7, 1, 0.2]), good('c', [0.1, 0.2, 1])];
  expect(reasonsOf(photos)).toEqual([[], [], ['DIFFERENT_PERSON']]);
});

test('of two photos that do not match, nobody can say which is wrong', () => {
  const photos = [good('a', [1, 0.1]), good('b', [0.1, 1])];
  expect(reasonsOf(photos)).toEqual([['DIFFERENT_PERSON'], ['DIFFERENT_PERSON']]);
});

test('a photo may belong by way of another: with glasses, without, with a cap', () => {
  const photos = [good('a', [1, 0.6, 0.3]), good('b', [0.6, 1, 0.6]), good('c', [0.3, 0.6, 1])];
  expect(judge(photos).kind).toBe('accepted');
});

test('with templates from before, the group that matches them is the right one, however small', () => {
  const photos = [
    { ...good('a', [1, 0, 0]), closestOwn: 0.7 },
    { ...good('b', [0, 1, 0.8]), closestOwn: 0.1 },
    { ...good('c', [0, 0.8, 1]), closestOwn: 0.1 },
  ];
  expect(reasonsOf(photos)).toEqual([[], ['DIFFERENT_PERSON'], ['DIFFERENT_PERSON']]);
});

test('a blurred photo is called blurred, not somebody else', () => {
  const photos = [good('a', [1, 0.1]), { ...good('b', [0.1, 1]), quality: ['BLUR'] }];
  expect(reasonsOf(photos)).toEqual([[], ['BLUR']]);
});

test('an enrolment without photos is a mistake of the caller', () => {
  expect(() => judge([])).toThrow(TypeError);
});

test('it is all or nothing, and the order of the photos does not change who is a stranger', () => {
  const score = fc.integer({ min: -16, max: 14 }).map((n) => n / 16);
  const matrix = fc
    .integer({ min: 1, max: 5 })
    .chain((n) =>
      fc.array(fc.array(score, { minLength: n, maxLength: n }), { minLength: n, maxLength: n }),
    );
  fc.assert(
    fc.property(matrix, (scores) => {
      const photos = scores.map((row, i) => good(`${i}`, row));
      const verdict = judge(photos);
      const reasons = reasonsOf(photos);
      expect(verdict.kind === 'accepted').toBe(reasons.every((found) => found.length === 0));
      const backwards = scores.map((row) => row.toReversed()).toReversed();
      expect(reasonsOf(backwards.map((row, i) => good(`${i}`, row)))).toEqual(reasons.toReversed());
    }),
  );
});

function judge(photos: readonly PhotoFinding[]) {
  return judgeEnrolment(photos, settings);
}

function reasonsOf(photos: readonly PhotoFinding[]) {
  const verdict = judge(photos);
  const refusals = verdict.kind === 'refused' ? verdict.refusals : [];
  return photos.map((_, i) => refusals.find(({ photo }) => photo === i)?.reasons ?? []);
}

function good(digest: string, scores: readonly number[] = [1]): PhotoFinding {
  return {
    faces: 1,
    quality: [],
    pad: 'bona-fide',
    digest,
    closestOther: undefined,
    closestOwn: undefined,
    scores,
  };
}
