import type { FaceSeen, RecognitionEvent } from '../../recognition/event.ts';
import { frontalFace } from './fake-model.ts';

/** What every event about a face carries, taken at this moment. */
export function faceSeenAt(capturedAtMs: number, framesUsed = 1): FaceSeen {
  const { box, landmarks, score } = frontalFace(160, 120);
  return {
    sourceId: 'door',
    capturedAtMs,
    decidedAtMs: capturedAtMs + 50,
    timesMs: { total: 50 },
    box,
    landmarks,
    detectionScore: score,
    quality: {
      luma: 130,
      highlights: 184,
      backgroundLuma: 92,
      sharpness: 0.22,
      eyeTexture: 0.9,
      mouthTexture: 0.83,
      mouthPallor: 0,
      yawDeg: 0,
      pitchDeg: 0,
      rollDeg: 0,
      eyeDistancePx: 43,
      outsidePart: 0,
      largestOther: 0,
    },
    qualityModel: 'not-checked',
    pad: { kind: 'not-checked' },
    framesUsed,
  };
}

const limits = { threshold: 0.5, margin: 0.05 };

export const fakeEvent = {
  match: (capturedAtMs: number, score = 0.7, residentId = 'anna'): RecognitionEvent => ({
    ...faceSeenAt(capturedAtMs),
    ...limits,
    kind: 'match',
    residentId,
    score,
    runnerUpScore: 0.1,
  }),
  noMatch: (capturedAtMs: number): RecognitionEvent => ({
    ...faceSeenAt(capturedAtMs),
    ...limits,
    kind: 'no-match',
    score: 0.2,
  }),
  ambiguous: (capturedAtMs: number): RecognitionEvent => ({
    ...faceSeenAt(capturedAtMs),
    ...limits,
    kind: 'ambiguous',
    score: 0.6,
    runnerUpScore: 0.58,
  }),
  attack: (capturedAtMs: number): RecognitionEvent => ({
    ...faceSeenAt(capturedAtMs, 0),
    kind: 'attack',
    pad: { kind: 'attack', score: 0.1 },
  }),
  poor: (capturedAtMs: number): RecognitionEvent => ({
    ...faceSeenAt(capturedAtMs, 0),
    kind: 'poor-quality',
    reasons: ['BLUR'],
  }),
};
