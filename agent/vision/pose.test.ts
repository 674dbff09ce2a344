import { expect, test } from 'vitest';
import type { Landmarks, Point } from './face.ts';
import { estimatePose } from './pose.ts';

/** An average head turned by yaw, pitch and roll, seen from far away. */
function headAt(yawDeg: number, pitchDeg: number, rollDeg = 0): Landmarks {
  const [yaw, pitch, roll] = [yawDeg, pitchDeg, rollDeg].map(
    (degrees) => (degrees * Math.PI) / 180,
  );
  const see = (x: number, y: number, z: number): Point => {
    const [x1, z1] = [x * Math.cos(yaw ?? 0) + z * Math.sin(yaw ?? 0), z * Math.cos(yaw ?? 0)];
    const y2 = y * Math.cos(pitch ?? 0) - z1 * Math.sin(pitch ?? 0);
    const c = Math.cos(roll ?? 0);
    const s = Math.sin(roll ?? 0);
    return [200 + 60 * (x1 * c - y2 * s), 150 + 60 * (x1 * s + y2 * c)];
  };
  return [
    see(-0.5, 0, 0),
    see(0.5, 0, 0),
    see(0, 0.5533, 0.45),
    see(-0.4, 0.9893, 0.12),
    see(0.4, 0.9893, 0.12),
  ];
}

test.each([
  [0, 0, 0],
  [30, 0, 0],
  [-45, 0, 0],
  [0, 20, 0],
  [0, -25, 0],
  [0, 0, 30],
  [20, 0, -15],
])('a head turned by %i, nodding by %i, tilted by %i is seen as such', (yaw, pitch, roll) => {
  const pose = estimatePose(headAt(yaw, pitch, roll));
  // The mouth lies in front of the eyes too, which takes a little from the yaw.
  expect(Math.abs(pose.yawDeg - yaw)).toBeLessThan(7);
  expect(Math.abs(pose.pitchDeg - pitch)).toBeLessThan(1);
  expect(Math.abs(pose.rollDeg - roll)).toBeLessThan(1);
});

test('more turned is never seen as less turned', () => {
  const yaws = [0, 15, 30, 45, 60, 75].map((yaw) => estimatePose(headAt(yaw, 0)).yawDeg);
  expect(yaws).toEqual([...yaws].sort((a, b) => a - b));
  expect(yaws.at(-1)).toBeGreaterThan(60);
});

test('landmarks that are no face count as turned away', () => {
  const spot: Point = [10, 10];
  const pose = estimatePose([spot, spot, spot, spot, spot]);
  expect(pose.pitchDeg).toBe(90);
  const upsideDown = estimatePose(headAt(0, 0, 180));
  expect(Math.abs(upsideDown.rollDeg)).toBeCloseTo(180);
});
