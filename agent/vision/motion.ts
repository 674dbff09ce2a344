import type { Frame } from './frame.ts';
import { createLumaGrid, sampleLuma } from './luma.ts';
import { checkFrame } from './pixels.ts';

export type MotionSettings = {
  /**
   * Mean change of a grid cell, in steps of luma (0…255), from which on the gate opens. 2 is a visitor
   * who fills 7 % of the picture and differs by 30 steps from what was there; noise of sigma 3 per
   * pixel stays at 1.7 after the 2 x 2 mean, more of it only opens the gate more often.
   */
  readonly threshold: number;
  /** How long the gate stays open after the last motion or the last face. */
  readonly holdMs: number;
};

export type MotionGate = {
  /**
   * True: look at this frame. Time is the frame's own; the first frame always passes. Throws a TypeError
   * on a frame whose bytes are not what it says.
   */
  opensFor(frame: Frame): boolean;
  /** A face was seen in a frame of this time: someone who stands still is not overlooked. */
  keepOpen(capturedAtMs: number): void;
  /** Forgets the picture. */
  wipe(): void;
};

/**
 * Spares the detector the frames in which nothing happens: luma on 80 x 60 cells, mean absolute
 * difference to a reference. No allocation per frame.
 */
export function createMotionGate(settings: MotionSettings): MotionGate {
  let current = createLumaGrid(gridWidth, gridHeight);
  let reference = createLumaGrid(gridWidth, gridHeight);
  let referenceAtMs = Number.NEGATIVE_INFINITY;
  let openUntilMs = Number.NEGATIVE_INFINITY;

  function opensFor(frame: Frame): boolean {
    checkFrame(frame);
    const atMs = frame.capturedAtMs;
    sampleLuma(frame, current);
    const isFirst = referenceAtMs === Number.NEGATIVE_INFINITY;
    const moved = isFirst || meanDifference(current.data, reference.data) >= settings.threshold;
    if (moved) openUntilMs = Math.max(openUntilMs, atMs + settings.holdMs);
    if (moved || atMs - referenceAtMs >= referenceAgeMs) {
      [current, reference] = [reference, current];
      referenceAtMs = atMs;
    }
    return atMs <= openUntilMs;
  }

  return {
    opensFor,
    keepOpen: (capturedAtMs) => {
      openUntilMs = Math.max(openUntilMs, capturedAtMs + settings.holdMs);
    },
    wipe: () => {
      current.data.fill(0);
      reference.data.fill(0);
      referenceAtMs = Number.NEGATIVE_INFINITY;
      openUntilMs = Number.NEGATIVE_INFINITY;
    },
  };
}

const gridWidth = 80;
const gridHeight = 60;

/** The reference is kept this long, so that someone who comes slowly adds up instead of staying under the threshold. */
const referenceAgeMs = 500;

function meanDifference(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs((a[i] ?? 0) - (b[i] ?? 0));
  return sum / a.length;
}
