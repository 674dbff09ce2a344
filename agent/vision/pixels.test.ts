import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Affine, PixelSpec } from '../ports.ts';
import { type Frame, frameSizeBytes, type PixelFormat } from './frame.ts';
import { createLetterbox } from './letterbox.ts';
import { bt601, channelOf, componentsOf, levelOffset } from './pixels.ts';
import { warp } from './warp.ts';

const rgb: PixelSpec = { colour: 'RGB', mean: [0, 0, 0], std: [1, 1, 1] };

test('the factors of BT.601 follow from its two constants', () => {
  const [kr, kb] = [0.299, 0.114];
  const kg = 1 - kr - kb;
  const chroma = 256 * (255 / 224);
  expect(bt601).toEqual({
    y: Math.round(256 * (255 / 219)),
    redV: Math.round(chroma * 2 * (1 - kr)),
    greenU: Math.round(chroma * ((2 * (1 - kb) * kb) / kg)),
    greenV: Math.round(chroma * ((2 * (1 - kr) * kr) / kg)),
    blueU: Math.round(chroma * 2 * (1 - kb)),
  });
});

test('no colour that a camera can send is beyond the table of levels', () => {
  const { levels } = channelOf(rgb, 0);
  const extremes = [0, 255].flatMap((y) =>
    [0, 255].flatMap((u) => [0, 255].flatMap((v) => convert([y, u, v]))),
  );
  for (const value of extremes) {
    const level = levels[Math.floor(value) + levelOffset];
    expect(level).toBe(Math.min(255, Math.max(0, Math.floor(value))));
  }
});

test('a level is (value − mean) / std to a millionth', () => {
  const spec: PixelSpec = { colour: 'BGR', mean: [123.675, 116.28, 103.53], std: [58.4, 57, 3] };
  for (const [colour, plane] of [2, 1, 0].entries()) {
    const channel = channelOf(spec, colour);
    expect(channel.plane).toBe(plane);
    for (const value of [0, 1, 128, 255]) {
      const wanted = (value - (spec.mean[plane] ?? 0)) / (spec.std[plane] ?? 1);
      expect(channel.levels[value + levelOffset]).toBeCloseTo(wanted, 4);
    }
  }
});

test('a warped picture is at most one level from exact bilinear interpolation', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<PixelFormat>('rgb24', 'bgr24', 'nv12', 'i420', 'yuyv', 'grey'),
      fc.integer({ min: 2, max: 40 }),
      fc.integer({ min: 2, max: 40 }),
      fc.tuple(slope(), slope(), shift(), slope(), slope(), shift()),
      fc.integer({ min: 1, max: 1e9 }),
      (format, width, height, matrix, seed) => {
        const frame = noise(format, width, height, seed);
        const chip = { width: 24, height: 17, data: new Uint8Array(24 * 17 * 3) };
        warp(frame, matrix, chip);
        for (let y = 0; y < chip.height; y++) {
          for (let x = 0; x < chip.width; x++) {
            const exact = interpolated(frame, matrix, x, y);
            for (const [colour, value] of exact.entries()) {
              const got = chip.data[3 * (y * chip.width + x) + colour] ?? Number.NaN;
              expect(Math.abs(got - Math.round(value))).toBeLessThanOrEqual(1);
            }
          }
        }
      },
    ),
  );
});

test('a shrunk picture, even of noise, is within four levels of the exact mean over the area', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 1e9 }),
      (width, height, side, seed) => {
        const frame = noise('grey', width, height, seed);
        const tensor = new Float32Array(3 * side * side);
        const scale = createLetterbox()(frame, rgb, side, side, tensor);
        const across = Math.max(1, Math.round(width * scale));
        const down = Math.max(1, Math.round(height * scale));
        for (let y = 0; y < down; y++) {
          for (let x = 0; x < across; x++) {
            const exact = areaMean(frame, (x * width) / across, (y * height) / down, across, down);
            const got = tensor[y * side + x] ?? Number.NaN;
            expect(Math.abs(got - exact)).toBeLessThanOrEqual(4);
          }
        }
      },
    ),
  );
});

test('the tables are made anew when camera, tensor or model change', () => {
  type Case = Parameters<typeof picture>[1];
  const usual: Case = { format: 'nv12', width: 60, height: 40, across: 30, down: 20, spec: rgb };
  const letterbox = createLetterbox();
  for (const change of [
    { format: 'i420' },
    { width: 61 },
    { height: 41 },
    { across: 29 },
    { down: 19 },
    { spec: { ...rgb, colour: 'BGR' } },
    { spec: { ...rgb, mean: [0, 0, 1] } },
    { spec: { ...rgb, std: [1, 1, 2] } },
  ] as const) {
    for (const next of [{ ...usual, ...change }, usual]) {
      expect(picture(letterbox, next)).toEqual(picture(createLetterbox(), next));
    }
  }
});

function picture(
  letterbox: ReturnType<typeof createLetterbox>,
  of: {
    readonly format: PixelFormat;
    readonly width: number;
    readonly height: number;
    readonly across: number;
    readonly down: number;
    readonly spec: PixelSpec;
  },
): Float32Array {
  const tensor = new Float32Array(3 * of.across * of.down);
  letterbox(noise(of.format, of.width, of.height, 3), of.spec, of.across, of.down, tensor);
  return tensor;
}

function slope() {
  return fc.integer({ min: -3_000_000, max: 3_000_000 }).map((millionths) => millionths / 1e6);
}

function shift() {
  return fc.integer({ min: -20_000_000, max: 40_000_000 }).map((millionths) => millionths / 1e6);
}

/** In double, without a shortcut, to be compared with. */
function interpolated(frame: Frame, [a, b, c, d, e, f]: Affine, x: number, y: number): number[] {
  const atX = a * x + b * y + c;
  const atY = d * x + e * y + f;
  const { kind, parts } = componentsOf(frame);
  const values = parts.map((part, i) => {
    const black = kind !== 'yuv' ? 0 : i === 0 ? 16 : 128;
    let sum = 0;
    for (const row of [Math.floor(atY), Math.floor(atY) + 1]) {
      for (const column of [Math.floor(atX), Math.floor(atX) + 1]) {
        const weight = (1 - Math.abs(atX - column)) * (1 - Math.abs(atY - row));
        const inside = row >= 0 && column >= 0 && row < frame.height && column < frame.width;
        const place = (row >> part.shiftY) * part.stride + (column >> part.shiftX) * part.step;
        sum += weight * (inside ? (frame.data[part.base + place] ?? Number.NaN) : black);
      }
    }
    return sum;
  });
  const colours =
    kind === 'yuv' ? convert(values) : kind === 'grey' ? Array(3).fill(values[0]) : values;
  return colours.map((value) => Math.min(255, Math.max(0, value)));
}

function convert([y = 0, u = 0, v = 0]: readonly number[]): number[] {
  const luma = bt601.y * (y - 16);
  return [
    (luma + bt601.redV * (v - 128)) / 256,
    (luma - bt601.greenU * (u - 128) - bt601.greenV * (v - 128)) / 256,
    (luma + bt601.blueU * (u - 128)) / 256,
  ];
}

function areaMean(frame: Frame, left: number, top: number, across: number, down: number): number {
  const right = left + frame.width / across;
  const bottom = top + frame.height / down;
  let sum = 0;
  let area = 0;
  for (let y = Math.floor(top); y < Math.min(bottom, frame.height); y++) {
    const tall = Math.min(bottom, y + 1) - Math.max(top, y);
    for (let x = Math.floor(left); x < Math.min(right, frame.width); x++) {
      const part = tall * (Math.min(right, x + 1) - Math.max(left, x));
      sum += part * (frame.data[y * frame.width + x] ?? Number.NaN);
      area += part;
    }
  }
  return sum / area;
}

function noise(format: PixelFormat, width: number, height: number, seed: number): Frame {
  let state = seed;
  const data = Uint8Array.from({ length: frameSizeBytes(format, width, height) }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state >> 16;
  });
  return { format, width, height, data, capturedAtMs: 0, sourceId: 'test' };
}
