import type { Chip, PixelSpec } from '../ports.ts';
import { type Frame, frameLimits, frameSizeBytes, pixelFormats } from './frame.ts';

/**
 * Chip -> NCHW float tensor [1, 3, chip.height, chip.width], planes in the model's colour order.
 * Throws a TypeError on an argument of the wrong type, length or range.
 */
export function normalise(chip: Chip, spec: PixelSpec, tensor: Float32Array): void {
  checkChip(chip);
  checkSpec(spec);
  checkTensor(tensor, chip.width, chip.height);
  const size = chip.width * chip.height;
  for (let colour = 0; colour < 3; colour++) {
    const { plane, levels } = channelOf(spec, colour);
    const from = plane * size;
    for (let i = 0; i < size; i++) {
      tensor[from + i] = levels[at(chip.data, 3 * i + colour) + levelOffset] ?? 0;
    }
  }
}

/**
 * Where one component (R, G, B or Y, U, V) of a frame lies: the sample that covers pixel (x, y) is
 * data[base + (y >> shiftY) · stride + (x >> shiftX) · step].
 */
export type Component = {
  readonly base: number;
  readonly stride: number;
  readonly step: number;
  readonly shiftX: 0 | 1;
  readonly shiftY: 0 | 1;
};

/** One component: grey. Three: R, G, B or Y, U, V. */
export type Components =
  | { readonly kind: 'grey'; readonly parts: readonly [Component] }
  | { readonly kind: 'rgb' | 'yuv'; readonly parts: readonly [Component, Component, Component] };

export function componentsOf({ format, width, height }: Frame): Components {
  const half = (width + 1) >> 1;
  const chroma = width * height;
  const full = { shiftX: 0, shiftY: 0 } as const;
  const quarter = { shiftX: 1, shiftY: 1 } as const;
  switch (format) {
    case 'rgb24':
    case 'bgr24': {
      const red = format === 'rgb24' ? 0 : 2;
      const part = (base: number) => ({ base, stride: width * 3, step: 3, ...full });
      return { kind: 'rgb', parts: [part(red), part(1), part(2 - red)] };
    }
    case 'nv12': {
      const luma = { base: 0, stride: width, step: 1, ...full };
      const part = (base: number) => ({ base, stride: half * 2, step: 2, ...quarter });
      return { kind: 'yuv', parts: [luma, part(chroma), part(chroma + 1)] };
    }
    case 'i420': {
      const luma = { base: 0, stride: width, step: 1, ...full };
      const part = (base: number) => ({ base, stride: half, step: 1, ...quarter });
      const second = chroma + half * ((height + 1) >> 1);
      return { kind: 'yuv', parts: [luma, part(chroma), part(second)] };
    }
    case 'yuyv': {
      const luma = { base: 0, stride: half * 4, step: 2, ...full };
      const part = (base: number) =>
        ({ base, stride: half * 4, step: 4, shiftX: 1, shiftY: 0 }) as const;
      return { kind: 'yuv', parts: [luma, part(1), part(3)] };
    }
    case 'grey':
      return { kind: 'grey', parts: [{ base: 0, stride: width, step: 1, ...full }] };
  }
}

/**
 * ITU-R BT.601 in the limited range that cameras deliver (Y 16…235, U and V 16…240), in 1/256:
 * 255/219, and 255/224 times 2(1−Kr), 2(1−Kb)·Kb/Kg, 2(1−Kr)·Kr/Kg, 2(1−Kb), where Kr = 0.299 and Kb = 0.114.
 */
export const bt601 = { y: 298, redV: 409, greenU: 100, greenV: 208, blueU: 516 } as const;

/** Tables of levels begin with this many entries for values below 0 (the lowest of bt601 is −277). */
export const levelOffset = 288;
const levelCount = levelOffset + 256 + 288;

export type Channel = {
  /** Which plane of the tensor takes this colour. */
  readonly plane: number;
  /** Float of each value, clamped to 0…255 first; value v is at v + levelOffset. */
  readonly levels: Float32Array;
};

/**
 * How colour 0, 1, 2 = R, G, B gets into the tensor. Every step is rounded to float32, so that float
 * arithmetic in C gives the same bits; (v − mean) / std itself is less than 1e-6 of its value away.
 */
export function channelOf(spec: PixelSpec, colour: number): Channel {
  const plane = spec.colour === 'RGB' ? colour : 2 - colour;
  const mean = Math.fround(spec.mean[plane] ?? 0);
  const factor = Math.fround(1 / (spec.std[plane] ?? 1));
  const levels = new Float32Array(levelCount);
  for (let i = 0; i < levelCount; i++) {
    const value = Math.min(255, Math.max(0, i - levelOffset));
    levels[i] = Math.fround(value - mean) * factor;
  }
  return { plane, levels };
}

/** An element that is there: the index has been checked by the caller. */
export function at(data: Uint8Array | Uint16Array | Int32Array, index: number): number {
  return data[index] ?? 0;
}

export function checkFrame(frame: Frame): void {
  if (!pixelFormats.includes(frame.format)) throw new TypeError('frame.format is unknown');
  checkSide('frame.width', frame.width);
  checkSide('frame.height', frame.height);
  const size = frameSizeBytes(frame.format, frame.width, frame.height);
  checkBytes('frame.data', frame.data, size);
}

export function checkChip(chip: Chip): void {
  checkSide('chip.width', chip.width);
  checkSide('chip.height', chip.height);
  checkBytes('chip.data', chip.data, chip.width * chip.height * 3);
}

/** A std must have a finite inverse as a float32: the kernels multiply by it. */
export function checkSpec({ colour, mean, std }: PixelSpec): void {
  if (colour !== 'RGB' && colour !== 'BGR') throw new TypeError('spec.colour must be RGB or BGR');
  if (!isTriple(mean, (value) => Number.isFinite(Math.fround(value)))) {
    throw new TypeError('spec.mean must be 3 finite numbers');
  }
  if (!isTriple(std, (value) => value > 0 && Number.isFinite(Math.fround(1 / value)))) {
    throw new TypeError('spec.std must be 3 finite numbers above 0');
  }
}

export function checkTensor(tensor: Float32Array, width: number, height: number): void {
  const length = 3 * width * height;
  if (!(tensor instanceof Float32Array) || tensor.length !== length) {
    throw new TypeError(`tensor must be a Float32Array of length ${length}`);
  }
}

export function checkSide(name: string, side: number): void {
  if (!Number.isInteger(side) || side < 1 || side > frameLimits.maxSide) {
    throw new TypeError(`${name} must be a whole number from 1 to ${frameLimits.maxSide}`);
  }
}

function checkBytes(name: string, data: Uint8Array, length: number): void {
  if (!(data instanceof Uint8Array) || data.length !== length) {
    throw new TypeError(`${name} must be a Uint8Array of length ${length}`);
  }
}

function isTriple(values: readonly number[], good: (value: number) => boolean): boolean {
  return (
    Array.isArray(values) &&
    values.length === 3 &&
    values.every((value) => Number.isFinite(value) && good(value))
  );
}
