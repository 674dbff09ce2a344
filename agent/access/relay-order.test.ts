import { expect, test } from 'vitest';
import type { RecognitionEvent } from '../recognition/event.ts';
import { faceSeenAt, fakeEvent } from '../test/fakes/fake-event.ts';
import { createRelayRule } from './relay-order.ts';

const rule = () => createRelayRule({ maxAgeMs: 1_500, holdMs: 3_000 });
const open = { kind: 'open', holdMs: 3_000 };
const none = (reason: string) => ({ kind: 'none', reason });

test('a resident whom the camera has just seen opens the door, for as long as it is set', () => {
  expect(rule().orderFor(fakeEvent.match(1_000), 1_200)).toEqual(open);
});

test.each<[string, RecognitionEvent]>([
  ['a stranger', fakeEvent.noMatch(1_000)],
  ['one of two', fakeEvent.ambiguous(1_000)],
  ['a photo held up', fakeEvent.attack(1_000)],
  ['a blurred face', fakeEvent.poor(1_000)],
  ['a decision that came too late', { kind: 'stale', ...faceSeenAt(1_000) }],
  ['an empty porch', { kind: 'no-face', ...faceSeenAt(1_000) }],
])('%s opens nothing', (_who, event) => {
  expect(rule().orderFor(event, 1_001)).toEqual(none('no-match'));
});

test('a resident who was seen too long ago opens nothing: he may have gone', () => {
  expect(rule().orderFor(fakeEvent.match(1_000), 2_500)).toEqual(open);
  expect(rule().orderFor(fakeEvent.match(1_000), 2_501)).toEqual(none('stale'));
});

test('a frame of the future opens nothing', () => {
  expect(rule().orderFor(fakeEvent.match(1_000), 999)).toEqual(none('stale'));
});

test('no event opens the door twice, nor one that was overtaken by another', () => {
  const { orderFor } = rule();
  const event = fakeEvent.match(1_000);
  expect(orderFor(event, 1_100)).toEqual(open);
  expect(orderFor(event, 1_101)).toEqual(none('repeated'));
  expect(orderFor(fakeEvent.match(1_000, 0.7, 'bert'), 1_102)).toEqual(none('repeated'));
  expect(orderFor(fakeEvent.match(900), 1_103)).toEqual(none('repeated'));
  expect(orderFor(fakeEvent.match(1_001), 1_104)).toEqual(open);
});

test('what came too late does not count as an opening', () => {
  const { orderFor } = rule();
  expect(orderFor(fakeEvent.match(1_000), 9_000)).toEqual(none('stale'));
  expect(orderFor(fakeEvent.match(1_000), 1_001)).toEqual(open);
});

test('once the camera is lost nobody opens the door, however fresh', () => {
  const { orderFor } = rule();
  expect(orderFor({ kind: 'source-lost' }, 1_000)).toEqual(none('source-lost'));
  expect(orderFor(fakeEvent.match(1_000), 1_001)).toEqual(none('source-lost'));
});
