import { expect, test } from 'vitest';
import type { RecognitionEvent } from '../recognition/event.ts';
import { faceSeenAt, fakeEvent } from '../test/fakes/fake-event.ts';
import { type AttemptOutcome, attemptOfEvent, attemptOfFault } from './attempt-of-event.ts';

const noFace: RecognitionEvent = {
  kind: 'no-face',
  sourceId: 'door',
  capturedAtMs: 0,
  decidedAtMs: 50,
  timesMs: { total: 50 },
};
const emptyGallery: RecognitionEvent = {
  ...faceSeenAt(0),
  kind: 'no-match',
  score: undefined,
  threshold: 0.5,
  margin: 0.05,
};
const stale: RecognitionEvent = { ...faceSeenAt(0), kind: 'stale' };

test.each<[RecognitionEvent, Partial<AttemptOutcome>]>([
  [fakeEvent.match(0), { result: 'success', reason: null, bestScore: 0.7 }],
  [fakeEvent.noMatch(0), { result: 'failure', reason: 'no-match', bestScore: 0.2 }],
  [emptyGallery, { result: 'failure', reason: 'no-match', bestScore: null }],
  [
    { ...emptyGallery, score: 0 },
    { result: 'failure', reason: 'no-match', bestScore: 0 },
  ],
  [fakeEvent.ambiguous(0), { result: 'failure', reason: 'ambiguous', bestScore: 0.6 }],
  [fakeEvent.attack(0), { result: 'failure', reason: 'attack', bestScore: null }],
  [fakeEvent.poor(0), { result: 'failure', reason: 'low-quality', bestScore: null }],
  [stale, { result: 'failure', reason: 'stale', bestScore: null }],
  [noFace, { result: 'failure', reason: 'no-face', bestScore: null }],
])(
  'S0-19 S0-40 $kind is a success or a failure with a reason of the closed list',
  (event, expected) => {
    expect(attemptOfEvent(event)).toEqual({
      ...expected,
      overheadMs: 50,
      stagesMs: { total: 50 },
    });
  },
);

test('nothing else of an event passes: no name, no place, no measure of the picture', () => {
  expect(Object.keys(attemptOfEvent(fakeEvent.match(0))).sort()).toEqual([
    'bestScore',
    'overheadMs',
    'reason',
    'result',
    'stagesMs',
  ]);
});

test.each([
  ['of the future', 1000],
  ['without a number', Number.NaN],
])('a frame %s took no time', (_, capturedAtMs) => {
  expect(attemptOfEvent({ ...stale, capturedAtMs }).overheadMs).toBe(0);
});

test.each(['camera-lost', 'model-failed'] as const)(
  'S0-40 S3-14 %s is a failure of which nothing else is known',
  (reason) => {
    const at = { wallMs: 5, monotonicMs: 6, clockTrusted: true };
    expect(attemptOfFault(reason, at)).toEqual({
      at,
      reason,
      result: 'failure',
      embedding: undefined,
      bestScore: null,
      overheadMs: 0,
      stagesMs: { total: 0 },
    });
  },
);
