import type { Affine, Chip } from '../ports.ts';
import type { Frame } from './frame.ts';
import { at, bt601, type Component, checkChip, checkFrame, componentsOf } from './pixels.ts';

/**
 * `warp` of ports.ts. The frame is interpolated in its own colours (chroma repeated over the pixels it
 * stands for) and converted after; outside the frame there is black.
 *
 * Coordinates are computed in double as (a·x) + (b·y + c), in 1/2048 of a pixel, and rounded to whole
 * ones; from there on all is integer, so that every implementation gives the same bits. Against exact
 * interpolation a result is at most one level off.
 */
export function warp(frame: Frame, chipToFrame: Affine, chip: Chip): void {
  checkFrame(frame);
  checkAffine(chipToFrame);
  checkChip(chip);
  const [a, b, c, d, e, f] = chipToFrame.map((value) => value * unit);
  if (a === undefined || b === undefined || c === undefined) return;
  if (d === undefined || e === undefined || f === undefined) return;
  const components = componentsOf(frame);
  const right = (frame.width + 2) * unit;
  const below = (frame.height + 2) * unit;
  for (let y = 0, i = 0; y < chip.height; y++) {
    const rowX = b * y + c + origin;
    const rowY = e * y + f + origin;
    for (let x = 0; x < chip.width; x++, i += 3) {
      const atX = a * x + rowX;
      const atY = d * x + rowY;
      // Also when a coordinate is not a number: outside.
      if (!(atX >= unit && atX < right && atY >= unit && atY < below)) {
        chip.data.fill(0, i, i + 3);
        continue;
      }
      const left = Math.trunc(atX) - 2 * unit;
      const top = Math.trunc(atY) - 2 * unit;
      switch (components.kind) {
        case 'grey': {
          const value = (sample(frame, components.parts[0], left, top, 0) + half) >> 22;
          chip.data.fill(value, i, i + 3);
          break;
        }
        case 'rgb': {
          const [red, green, blue] = components.parts;
          chip.data[i] = (sample(frame, red, left, top, 0) + half) >> 22;
          chip.data[i + 1] = (sample(frame, green, left, top, 0) + half) >> 22;
          chip.data[i + 2] = (sample(frame, blue, left, top, 0) + half) >> 22;
          break;
        }
        case 'yuv': {
          // Five bits behind the point: rounding Y, U and V to whole levels would cost up to two of a colour.
          const [partY, partU, partV] = components.parts;
          const luma = ((sample(frame, partY, left, top, 16) + 65_536) >> 17) - 512;
          const u = ((sample(frame, partU, left, top, 128) + 65_536) >> 17) - 4096;
          const v = ((sample(frame, partV, left, top, 128) + 65_536) >> 17) - 4096;
          const base = bt601.y * luma + 4096;
          chip.data[i] = clamp((base + bt601.redV * v) >> 13);
          chip.data[i + 1] = clamp((base - bt601.greenU * u - bt601.greenV * v) >> 13);
          chip.data[i + 2] = clamp((base + bt601.blueU * u) >> 13);
          break;
        }
      }
    }
  }
}

/** Parts of a pixel that coordinates and weights are counted in: 255 · unit² still fits 31 bits. */
const unit = 2048;
/** Two pixels, so that every coordinate that matters is positive and truncating is rounding down; a half to round. */
const origin = 2 * unit + 0.5;
const half = 1 << 21;

/** Bilinear, times unit². A neighbour outside the frame counts as `black`. */
function sample(frame: Frame, part: Component, left: number, top: number, black: number): number {
  const { width, height, data } = frame;
  const x = left >> 11;
  const y = top >> 11;
  const toRight = left & (unit - 1);
  const down = top & (unit - 1);
  const column = part.base + (x >> part.shiftX) * part.step;
  const nextColumn = part.base + ((x + 1) >> part.shiftX) * part.step;
  const row = (y >> part.shiftY) * part.stride;
  const nextRow = ((y + 1) >> part.shiftY) * part.stride;
  const inLeft = x >= 0;
  const inRight = x + 1 < width;
  const inTop = y >= 0;
  const inBottom = y + 1 < height;
  const topLeft = inTop && inLeft ? at(data, row + column) : black;
  const topRight = inTop && inRight ? at(data, row + nextColumn) : black;
  const bottomLeft = inBottom && inLeft ? at(data, nextRow + column) : black;
  const bottomRight = inBottom && inRight ? at(data, nextRow + nextColumn) : black;
  return (
    (topLeft * (unit - toRight) + topRight * toRight) * (unit - down) +
    (bottomLeft * (unit - toRight) + bottomRight * toRight) * down
  );
}

function clamp(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

function checkAffine(matrix: Affine): void {
  if (!Array.isArray(matrix) || matrix.length !== 6 || !matrix.every(Number.isFinite)) {
    throw new TypeError('chipToFrame must be 6 finite numbers');
  }
}
