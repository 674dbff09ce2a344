import { describe, expect, test } from 'vitest';
import { fakeEvent } from '../test/fakes/fake-event.ts';
import { frontalFace } from '../test/fakes/fake-model.ts';
import type { RecognitionEvent } from './event.ts';
import { createTrack, type Track, type TrackSettings } from './track.ts';

const settings: TrackSettings = {
  maxFrames: 3,
  minAgreement: 0.4,
  sureLead: 0.05,
  gapMs: 800,
  repeatAfterMs: 5000,
};
const here = frontalFace(160, 120);
const unit = (...values: number[]) => ({ values: Float32Array.from(values), modelSha256: 'm' });

/** Shows the track a visitor's frames, 100 ms apart; returns what it reported, frame by frame. */
function visit(track: Track, events: readonly RecognitionEvent[], face = here) {
  return events.map((event) => {
    const words = track.advance(event.capturedAtMs);
    const visitor = track.follow(face, event.capturedAtMs);
    const word = track.conclude(visitor, event);
    return [...words, ...(word ? [word] : [])].map(({ kind }) => kind);
  });
}

describe('one visitor is one event', () => {
  test('a sure match opens at once and is not repeated', () => {
    const { match } = fakeEvent;
    const reported = visit(createTrack(settings), [match(0), match(100), match(200), match(300)]);
    expect(reported).toEqual([['match'], [], [], []]);
  });

  test('a close match waits for more frames, and then counts', () => {
    const close = [0, 100, 200].map((at) => fakeEvent.match(at, 0.52));
    expect(visit(createTrack(settings), close)).toEqual([[], [], ['match']]);
  });

  test('a stranger is reported once, after as many frames as a decision may have', () => {
    const frames = Array.from({ length: 12 }, (_, i) => fakeEvent.noMatch(i * 100));
    const reported = visit(createTrack(settings), frames);
    expect(reported.flat()).toEqual(['no-match']);
    expect(reported[2]).toEqual(['no-match']);
  });

  test('a resident who is only recognised at the second look gets in', () => {
    const { noMatch, match } = fakeEvent;
    const frames = [noMatch(0), noMatch(100), noMatch(200), match(300), match(400)];
    expect(visit(createTrack(settings), frames).flat()).toEqual(['no-match', 'match']);
  });

  test('whoever stays is reported again when it is time', () => {
    const frames = Array.from({ length: 60 }, (_, i) => fakeEvent.match(i * 100));
    const reported = visit(createTrack(settings), frames);
    const when = reported.flatMap((words, i) => words.map(() => i * 100));
    expect(when).toEqual([0, 5000]);
  });

  test('what was compared counts for more than what was blurred', () => {
    const { noMatch, poor } = fakeEvent;
    expect(visit(createTrack(settings), [noMatch(0), poor(100), poor(200)]).flat()).toEqual([
      'no-match',
    ]);
    expect(visit(createTrack(settings), [poor(0), poor(100), poor(200)]).flat()).toEqual([
      'poor-quality',
    ]);
  });

  test('two residents who look alike: nobody is named', () => {
    const { ambiguous } = fakeEvent;
    const frames = [ambiguous(0), ambiguous(100), ambiguous(200)];
    expect(visit(createTrack(settings), frames).flat()).toEqual(['ambiguous']);
  });
});

describe('who leaves', () => {
  test('before enough was seen is reported with what there is', () => {
    const track = createTrack(settings);
    expect(visit(track, [fakeEvent.noMatch(0)])).toEqual([[]]);
    expect(track.advance(800)).toEqual([]);
    expect(track.advance(801).map(({ kind }) => kind)).toEqual(['no-match']);
    expect(track.advance(900)).toEqual([]);
  });

  test('before a close match was sure opens nothing any more', () => {
    const track = createTrack(settings);
    visit(track, [fakeEvent.match(0, 0.52)]);
    const [word, ...others] = track.advance(5000);
    expect(word?.kind).toBe('stale');
    expect(word).not.toHaveProperty('residentId');
    expect(others).toEqual([]);
  });

  test('after a report is not reported again', () => {
    const track = createTrack(settings);
    visit(track, [fakeEvent.match(0), fakeEvent.match(100)]);
    expect(track.advance(5000)).toEqual([]);
  });

  test('and comes back at once is the same event, later a new one', () => {
    const track = createTrack(settings);
    expect(visit(track, [fakeEvent.match(0)])).toEqual([['match']]);
    expect(visit(track, [fakeEvent.match(2000)])).toEqual([[]]);
    expect(visit(track, [fakeEvent.match(7001)])).toEqual([['match']]);
  });

  test('leaves no embedding in memory', () => {
    const track = createTrack(settings);
    const visitor = track.follow(here, 0);
    const fused = track.fuse(visitor, unit(0.6, 0.8), 1);
    const { sum, mean } = visitor;
    expect(fused.values).toBe(mean);
    expect([...mean]).toEqual([expect.closeTo(0.6), expect.closeTo(0.8)]);
    track.advance(1000);
    expect([...sum, ...mean]).toEqual([0, 0, 0, 0]);
  });
});

test('a wipe leaves nothing of anybody', () => {
  const track = createTrack(settings);
  visit(track, [fakeEvent.match(0)]);
  const visitor = track.follow(here, 100);
  track.fuse(visitor, unit(1, 0), 1);
  const { sum, mean } = visitor;
  track.wipe();
  expect([...sum, ...mean]).toEqual([0, 0, 0, 0]);
  expect(track.advance(10_000)).toEqual([]);
  expect(visit(track, [fakeEvent.match(200)])).toEqual([['match']]);
});

describe('several frames are one probe', () => {
  test('the direction of the weighted sum is compared', () => {
    const track = createTrack(settings);
    const visitor = track.follow(here, 0);
    track.fuse(visitor, unit(1, 0), 3);
    const { values } = track.fuse(visitor, unit(0.6, 0.8), 1);
    expect([...values]).toEqual([
      expect.closeTo(3.6 / Math.hypot(3.6, 0.8)),
      expect.closeTo(0.8 / Math.hypot(3.6, 0.8)),
    ]);
    expect(visitor.frames).toBe(2);
  });

  test('another person in the same place is never mixed with the one before', () => {
    const track = createTrack(settings);
    const visitor = track.follow(here, 0);
    track.fuse(visitor, unit(1, 0), 1);
    track.conclude(visitor, fakeEvent.match(0, 0.52));
    const { values } = track.fuse(track.follow(here, 100), unit(0.3, 0.954), 1);
    expect([...values]).toEqual([expect.closeTo(0.3), expect.closeTo(0.954)]);
    expect(visitor.frames).toBe(1);
    // The one who went had not been reported yet; the match comes too late for him.
    expect(track.advance(200).map(({ kind }) => kind)).toEqual(['stale']);
  });

  test('not even after a decision, when the sum has been emptied', () => {
    const track = createTrack(settings);
    const visitor = track.follow(here, 0);
    track.fuse(visitor, unit(1, 0), 1);
    expect(track.conclude(visitor, fakeEvent.noMatch(0))).toBeUndefined();
    track.fuse(track.follow(here, 100), unit(1, 0), 1);
    track.conclude(visitor, fakeEvent.noMatch(100));
    track.fuse(track.follow(here, 200), unit(1, 0), 1);
    expect(track.conclude(visitor, fakeEvent.noMatch(200))?.kind).toBe('no-match');
    // Somebody else: three frames later there is a second event, well before the first may be repeated.
    const kinds = [300, 400, 500].map((at) => {
      track.fuse(track.follow(here, at), unit(0, 1), 1);
      return track.conclude(visitor, fakeEvent.noMatch(at))?.kind;
    });
    expect(kinds).toEqual([undefined, undefined, 'no-match']);
  });
});

describe('two people', () => {
  test('side by side are two visitors', () => {
    const track = createTrack(settings);
    const left = track.follow(frontalFace(100, 120), 0);
    const right = track.follow(frontalFace(220, 120), 0);
    expect(left).not.toBe(right);
    expect(track.follow(frontalFace(224, 121), 100)).toBe(right);
    expect(track.follow(frontalFace(103, 118), 100)).toBe(left);
  });

  test('in one frame are never one, however close', () => {
    const track = createTrack(settings);
    expect(track.follow(here, 0)).not.toBe(track.follow(here, 0));
  });

  test('a quick step is followed, a jump across the picture or in size is not', () => {
    const track = createTrack(settings);
    const first = track.follow(frontalFace(100, 120), 0);
    expect(track.follow(frontalFace(165, 120), 100)).toBe(first);
    expect(track.follow(frontalFace(400, 120), 200)).not.toBe(first);
    expect(track.follow(frontalFace(190, 120, 10), 300)).not.toBe(first);
  });
});

describe('a photo held before the camera', () => {
  const { attack, match } = fakeEvent;

  test('is an attack, also when one frame of it looks alive', () => {
    const reported = visit(createTrack(settings), [attack(0), match(100), attack(200)]);
    expect(reported).toEqual([[], [], ['attack']]);
  });

  test('does not get in by one lucky frame after it was found out', () => {
    const frames = [attack(0), attack(100), attack(200), match(300), attack(400), attack(500)];
    expect(visit(createTrack(settings), frames).flat()).toEqual(['attack']);
  });

  test('a resident mistaken once for a photo gets in after all', () => {
    const frames = [attack(0), match(100), match(200)];
    expect(visit(createTrack(settings), frames)).toEqual([[], [], ['match']]);
  });
});
