import type { Kernels, PixelSpec } from '../ports.ts';
import type { Frame, PixelFormat } from './frame.ts';
import {
  at,
  bt601,
  type Channel,
  type Component,
  channelOf,
  checkFrame,
  checkSide,
  checkSpec,
  checkTensor,
  componentsOf,
  levelOffset,
} from './pixels.ts';

/**
 * A `letterbox` of ports.ts that keeps its tables and row buffers from frame to frame.
 *
 * Each component (R, G, B or Y, U, V) is averaged over the area of the frame that an output pixel
 * covers and rounded to 8 bit; chroma counts as repeated over the pixels it stands for. Only then
 * YUV becomes RGB, then float. Weights are integers, so that every implementation gives the same bits:
 * down a column they add up to 256, along a row to 32,768.
 */
export function createLetterbox(): Kernels['letterbox'] {
  let plan: Plan | undefined;
  let channels: Channels | undefined;
  return (frame, spec, width, height, tensor) => {
    checkFrame(frame);
    checkSpec(spec);
    checkSide('width', width);
    checkSide('height', height);
    checkTensor(tensor, width, height);
    if (!plan || !planFits(plan, frame, width, height)) plan = planOf(frame, width, height);
    if (!channels || !sameSpec(channels.spec, spec)) channels = channelsOf(spec);
    for (let y = 0; y < plan.pictureHeight; y++) {
      for (const part of plan.parts) shrinkRow(frame.data, part, plan, y);
      emitRow(plan, channels.rgb, tensor, y);
    }
    pad(plan, channels.rgb, tensor);
    return plan.scale;
  };
}

type Plan = {
  readonly format: PixelFormat;
  readonly frameWidth: number;
  readonly frameHeight: number;
  readonly width: number;
  readonly height: number;
  readonly scale: number;
  readonly pictureWidth: number;
  readonly pictureHeight: number;
  readonly kind: 'grey' | 'rgb' | 'yuv';
  readonly parts: readonly Part[];
  /** Weighted sums of one column each, while a row is being made. */
  readonly columns: Uint16Array;
};

type Part = {
  readonly component: Component;
  readonly across: Taps;
  readonly down: Taps;
  /** 1, 2 or 4: the plain mean of so many times so many samples, which is what the weights come down to. */
  readonly box: number | undefined;
  readonly samples: number;
  readonly row: Uint8Array;
};

/** Output i is made of the samples from first[i] on, with the weights from start[i] to start[i + 1]. */
type Taps = {
  readonly first: Int32Array;
  readonly start: Int32Array;
  readonly weight: Uint16Array;
};

type Channels = { readonly spec: PixelSpec; readonly rgb: readonly [Channel, Channel, Channel] };

const downSum = 256;
const acrossSum = 32_768;

function planOf(frame: Frame, width: number, height: number): Plan {
  const scale = Math.min(1, width / frame.width, height / frame.height);
  const pictureWidth = Math.max(1, Math.floor(frame.width * scale + 0.5));
  const pictureHeight = Math.max(1, Math.floor(frame.height * scale + 0.5));
  const { kind, parts } = componentsOf(frame);
  return {
    format: frame.format,
    frameWidth: frame.width,
    frameHeight: frame.height,
    width,
    height,
    scale,
    pictureWidth,
    pictureHeight,
    kind,
    parts: parts.map((component) => {
      const extentX = 1 << component.shiftX;
      const extentY = 1 << component.shiftY;
      const ratio = frame.width / (pictureWidth * extentX);
      const square = frame.height === ratio * pictureHeight * extentY;
      return {
        component,
        across: tapsOf(frame.width, pictureWidth, extentX, acrossSum),
        down: tapsOf(frame.height, pictureHeight, extentY, downSum),
        box: square && (ratio === 1 || ratio === 2 || ratio === 4) ? ratio : undefined,
        samples: Math.ceil(frame.width / extentX),
        row: new Uint8Array(pictureWidth),
      };
    }),
    columns: new Uint16Array(frame.width),
  };
}

/**
 * `outputs` pixels over `length` pixels of the frame, where a sample covers `extent` of them. Measured
 * in 1/outputs of a pixel everything is whole: output i covers [i·length, (i+1)·length), sample s covers
 * [s, s+1)·extent·outputs. Weights are differences of rounded cumulative shares, so they add up to `sum`.
 */
function tapsOf(length: number, outputs: number, extent: number, sum: number): Taps {
  const first = new Int32Array(outputs);
  const start = new Int32Array(outputs + 1);
  const weight: number[] = [];
  const sample = extent * outputs;
  for (let i = 0; i < outputs; i++) {
    const low = i * length;
    const high = low + length;
    first[i] = Math.floor(low / sample);
    let before = 0;
    for (let end = (at(first, i) + 1) * sample; before < sum; end += sample) {
      const covered = Math.min(end, high) - low;
      const share = Math.floor((2 * covered * sum + length) / (2 * length));
      weight.push(share - before);
      before = share;
      if (end >= high) break;
    }
    start[i + 1] = weight.length;
  }
  return { first, start, weight: Uint16Array.from(weight) };
}

function shrinkRow(data: Uint8Array, part: Part, plan: Plan, y: number): void {
  if (part.box === 1) copyRow(data, part, y);
  else if (part.box === 2) shrinkRowBy2(data, part, y);
  else if (part.box === 4) shrinkRowBy4(data, part, y);
  else shrinkRowByTaps(data, part, plan.columns, y);
}

function copyRow(data: Uint8Array, { component, row }: Part, y: number): void {
  let from = component.base + y * component.stride;
  for (let x = 0; x < row.length; x++, from += component.step) row[x] = at(data, from);
}

function shrinkRowBy2(data: Uint8Array, { component, row }: Part, y: number): void {
  const { base, stride, step } = component;
  let top = base + 2 * y * stride;
  let bottom = top + stride;
  for (let x = 0; x < row.length; x++, top += 2 * step, bottom += 2 * step) {
    const sum = at(data, top) + at(data, top + step) + at(data, bottom) + at(data, bottom + step);
    row[x] = (sum + 2) >> 2;
  }
}

function shrinkRowBy4(data: Uint8Array, { component, row }: Part, y: number): void {
  const { base, stride, step } = component;
  const from = base + 4 * y * stride;
  for (let x = 0; x < row.length; x++) {
    let sum = 8;
    for (let line = 0, i = from + 4 * x * step; line < 4; line++, i += stride) {
      sum += at(data, i) + at(data, i + step) + at(data, i + 2 * step) + at(data, i + 3 * step);
    }
    row[x] = sum >> 4;
  }
}

function shrinkRowByTaps(data: Uint8Array, part: Part, columns: Uint16Array, y: number): void {
  const { component, across, down, row, samples } = part;
  columns.fill(0);
  let from = component.base + at(down.first, y) * component.stride;
  for (let tap = at(down.start, y); tap < at(down.start, y + 1); tap++, from += component.stride) {
    const weight = at(down.weight, tap);
    for (let s = 0, i = from; s < samples; s++, i += component.step) {
      columns[s] = at(columns, s) + weight * at(data, i);
    }
  }
  for (let x = 0; x < row.length; x++) {
    let sum = 1 << 22;
    const end = at(across.start, x + 1);
    for (let tap = at(across.start, x), s = at(across.first, x); tap < end; tap++, s++) {
      sum += at(across.weight, tap) * at(columns, s);
    }
    row[x] = sum >> 23;
  }
}

function emitRow(plan: Plan, [red, green, blue]: Channels['rgb'], out: Float32Array, y: number) {
  const size = plan.width * plan.height;
  const r = red.plane * size + y * plan.width;
  const g = green.plane * size + y * plan.width;
  const b = blue.plane * size + y * plan.width;
  const [one, two = one, three = one] = plan.parts;
  if (!one || !two || !three) return;
  if (plan.kind !== 'yuv') {
    for (let x = 0; x < plan.pictureWidth; x++) {
      out[r + x] = red.levels[at(one.row, x) + levelOffset] ?? 0;
      out[g + x] = green.levels[at(two.row, x) + levelOffset] ?? 0;
      out[b + x] = blue.levels[at(three.row, x) + levelOffset] ?? 0;
    }
    return;
  }
  for (let x = 0; x < plan.pictureWidth; x++) {
    const luma = bt601.y * (at(one.row, x) - 16) + 128 + 256 * levelOffset;
    const u = at(two.row, x) - 128;
    const v = at(three.row, x) - 128;
    out[r + x] = red.levels[(luma + bt601.redV * v) >> 8] ?? 0;
    out[g + x] = green.levels[(luma - bt601.greenU * u - bt601.greenV * v) >> 8] ?? 0;
    out[b + x] = blue.levels[(luma + bt601.blueU * u) >> 8] ?? 0;
  }
}

function pad(plan: Plan, channels: Channels['rgb'], tensor: Float32Array): void {
  const { width, height, pictureWidth, pictureHeight } = plan;
  for (const { plane, levels } of channels) {
    const black = levels[levelOffset] ?? 0;
    const from = plane * width * height;
    const below = from + pictureHeight * width;
    if (pictureWidth < width) {
      for (let row = from; row < below; row += width) {
        tensor.fill(black, row + pictureWidth, row + width);
      }
    }
    tensor.fill(black, below, from + width * height);
  }
}

function channelsOf(spec: PixelSpec): Channels {
  return { spec, rgb: [channelOf(spec, 0), channelOf(spec, 1), channelOf(spec, 2)] };
}

/** By value: a caller may hand in a fresh object, or change the one it handed in before. */
function sameSpec(a: PixelSpec, b: PixelSpec): boolean {
  return (
    a.colour === b.colour &&
    a.mean.every((value, i) => value === b.mean[i]) &&
    a.std.every((value, i) => value === b.std[i])
  );
}

function planFits(plan: Plan, frame: Frame, width: number, height: number): boolean {
  return (
    plan.format === frame.format &&
    plan.frameWidth === frame.width &&
    plan.frameHeight === frame.height &&
    plan.width === width &&
    plan.height === height
  );
}
