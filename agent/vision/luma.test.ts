import { expect, test } from 'vitest';
import { type Frame, frameSizeBytes, type PixelFormat, pixelFormats } from './frame.ts';
import { createLumaGrid, sampleLuma } from './luma.ts';

/** Left half dark, right half light, in every format; chroma is set to values that must not be read. */
function halves(format: PixelFormat, width: number, height: number): Frame {
  const data = new Uint8Array(frameSizeBytes(format, width, height)).fill(77);
  const luma = (x: number) => (x < width / 2 ? 40 : 200);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      switch (format) {
        case 'rgb24':
        case 'bgr24':
          data.fill(luma(x), (y * width + x) * 3, (y * width + x) * 3 + 3);
          break;
        case 'yuyv':
          data[y * ((width + 1) >> 1) * 4 + x * 2] = luma(x);
          break;
        default:
          data[y * width + x] = luma(x);
      }
    }
  }
  return { format, width, height, data, capturedAtMs: 0, sourceId: 'halves' };
}

test.each(pixelFormats)('%s: the grid shows light where there is light', (format) => {
  for (const [width, height] of [
    [640, 480],
    [33, 17],
  ] as const) {
    const grid = createLumaGrid(4, 3);
    sampleLuma(halves(format, width, height), grid);
    expect([...grid.data]).toEqual([40, 40, 200, 200, 40, 40, 200, 200, 40, 40, 200, 200]);
  }
});

test('a cell is the mean of four pixels', () => {
  const data = new Uint8Array(16 * 16).fill(10);
  const frame: Frame = {
    format: 'grey',
    width: 16,
    height: 16,
    data,
    capturedAtMs: 0,
    sourceId: 'grey',
  };
  const grid = createLumaGrid(1, 1);
  data.set([20, 30], 8 * 16 + 8);
  data.set([40, 50], 9 * 16 + 8);
  sampleLuma(frame, grid);
  expect(grid.data[0]).toBe(35);
});

test('red and blue weigh as BT.601 says, in either order', () => {
  const data = new Uint8Array(16 * 16 * 3);
  for (let i = 0; i < data.length; i += 3) data.set([200, 0, 100], i);
  const grid = createLumaGrid(1, 1);
  const frame = { width: 16, height: 16, data, capturedAtMs: 0, sourceId: 'colour' };
  sampleLuma({ ...frame, format: 'rgb24' }, grid);
  expect(grid.data[0]).toBe(Math.round(0.299 * 200 + 0.114 * 100));
  sampleLuma({ ...frame, format: 'bgr24' }, grid);
  expect(grid.data[0]).toBe(Math.round(0.114 * 200 + 0.299 * 100));
});
