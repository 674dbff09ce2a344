import { expect, test } from 'vitest';
import {
  doorLimits,
  enrolmentLimits,
  type QualityMeasures,
  reasonsAgainst,
} from './quality-limits.ts';

const good: QualityMeasures = {
  eyeDistancePx: 43,
  luma: 130,
  highlights: 184,
  backgroundLuma: 92,
  sharpness: 0.22,
  eyeTexture: 0.9,
  mouthTexture: 0.83,
  mouthPallor: -0.03,
  yawDeg: 0,
  pitchDeg: 0,
  rollDeg: 0,
  outsidePart: 0,
  largestOther: 0,
};

test('a median face of LFW is good enough for door and enrolment', () => {
  expect(reasonsAgainst(good, doorLimits)).toEqual([]);
  expect(reasonsAgainst(good, enrolmentLimits)).toEqual([]);
});

test.each([
  ['TOO_SMALL', { eyeDistancePx: 19 }],
  ['TOO_SMALL', { eyeDistancePx: Number.NaN }],
  ['TOO_DARK', { luma: 20, highlights: 30, backgroundLuma: 20, eyeTexture: 0.1 }],
  ['TOO_BRIGHT', { luma: 230, highlights: 255, mouthTexture: 0.1 }],
  ['BACKLIT', { luma: 40, highlights: 60, backgroundLuma: 190 }],
  ['BLUR', { sharpness: 0.012 }],
  ['POSE', { yawDeg: -60 }],
  ['POSE', { pitchDeg: 35 }],
  ['POSE', { rollDeg: 50 }],
  ['OCCLUDED', { eyeTexture: 0.05 }],
  ['OCCLUDED', { mouthTexture: 0.1 }],
  ['OCCLUDED', { mouthPallor: 0.6 }],
  ['CLIPPED', { outsidePart: 0.2 }],
])('%s is said of %o, and nothing else', (reason, change) => {
  expect(reasonsAgainst({ ...good, ...change }, doorLimits)).toEqual([reason]);
});

test('every reason is said at once, in the order of the list', () => {
  const bad = { ...good, eyeDistancePx: 5, sharpness: 0, yawDeg: 80, outsidePart: 0.5 };
  expect(reasonsAgainst(bad, doorLimits)).toEqual(['TOO_SMALL', 'BLUR', 'POSE', 'CLIPPED']);
});

test('a dark face before a white wall is not backlit if light falls on it', () => {
  const dark = { ...good, luma: 70, highlights: 110, backgroundLuma: 210 };
  expect(reasonsAgainst(dark, doorLimits)).toEqual([]);
});

test('two people may stand at the door, but a photo to enrol from shows one', () => {
  const couple = { ...good, largestOther: 0.9 };
  expect(reasonsAgainst(couple, doorLimits)).toEqual([]);
  expect(reasonsAgainst(couple, enrolmentLimits)).toEqual(['MULTI_FACE']);
  expect(reasonsAgainst({ ...good, largestOther: 0.2 }, enrolmentLimits)).toEqual([]);
});
