import { expect, test } from 'vitest';
import { paintedFrame } from '../test/fakes/fake-frame.ts';
import { createMotionGate } from './motion.ts';

const settings = { threshold: 2, holdMs: 1000 };
const empty = (atMs: number) => paintedFrame(160, 120, () => 100, atMs);
/** Someone as wide as `part` of the picture. */
const visited = (atMs: number, part = 0.3, luma = 150) =>
  paintedFrame(160, 120, (x) => (x < 160 * part ? luma : 100), atMs);

test('an empty entrance does not wake the detector', () => {
  const gate = createMotionGate(settings);
  expect(gate.opensFor(empty(0))).toBe(true);
  expect(gate.opensFor(empty(900))).toBe(true);
  for (let atMs = 1100; atMs < 5000; atMs += 100) expect(gate.opensFor(empty(atMs))).toBe(false);
});

test('whoever comes is looked at at once, and for a while after the last movement', () => {
  const gate = createMotionGate(settings);
  gate.opensFor(empty(0));
  expect(gate.opensFor(empty(2000))).toBe(false);
  expect(gate.opensFor(visited(2100))).toBe(true);
  expect(gate.opensFor(visited(3100))).toBe(true);
  expect(gate.opensFor(visited(3200))).toBe(false);
});

test('whoever stands still is not overlooked while a face is seen', () => {
  const gate = createMotionGate(settings);
  gate.opensFor(empty(0));
  gate.opensFor(visited(1000));
  gate.keepOpen(1900);
  expect(gate.opensFor(visited(2900))).toBe(true);
  expect(gate.opensFor(visited(3000))).toBe(false);
});

test('whoever comes slowly adds up', () => {
  const gate = createMotionGate(settings);
  gate.opensFor(empty(0));
  const opened = [];
  // One more hundredth of the picture per frame: 0.5 steps of luma each.
  for (let i = 1; i <= 10; i++) opened.push(gate.opensFor(visited(2000 + i * 40, i * 0.01)));
  expect(opened.slice(0, 3)).toEqual([false, false, false]);
  expect(opened.at(-1)).toBe(true);
});

test('a change below the threshold is none', () => {
  const gate = createMotionGate(settings);
  gate.opensFor(empty(0));
  expect(gate.opensFor(visited(2000, 0.03))).toBe(false);
});

test('after a wipe the next frame is the first', () => {
  const gate = createMotionGate(settings);
  gate.opensFor(empty(0));
  expect(gate.opensFor(empty(3000))).toBe(false);
  gate.wipe();
  expect(gate.opensFor(empty(3100))).toBe(true);
});

test('a frame whose bytes are not what it says is a mistake of the caller', () => {
  const gate = createMotionGate(settings);
  expect(() => gate.opensFor({ ...empty(0), data: new Uint8Array(3) })).toThrow(TypeError);
});
