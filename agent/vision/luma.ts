import type { Frame } from './frame.ts';

/** Brightness of a frame on a coarse grid, row by row, 0…255 as the camera counts it. */
export type LumaGrid = {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
};

export function createLumaGrid(width: number, height: number): LumaGrid {
  return { width, height, data: new Uint8Array(width * height) };
}

/**
 * Fills `grid` from a frame of any format without allocating: every cell is the mean of the 2 x 2
 * pixels at its centre, which halves the sensor's noise. YUV formats give their Y as it is; RGB is
 * weighted as in BT.601.
 */
export function sampleLuma(frame: Frame, grid: LumaGrid): void {
  switch (frame.format) {
    case 'rgb24':
      sampleColour(frame, grid, 77, 29);
      break;
    case 'bgr24':
      sampleColour(frame, grid, 29, 77);
      break;
    case 'yuyv':
      samplePlane(frame, grid, ((frame.width + 1) >> 1) * 4, 2);
      break;
    case 'nv12':
    case 'i420':
    case 'grey':
      samplePlane(frame, grid, frame.width, 1);
      break;
  }
}

function samplePlane(frame: Frame, grid: LumaGrid, rowBytes: number, pixelBytes: number): void {
  const { data } = frame;
  const cellWidth = frame.width / grid.width;
  const cellHeight = frame.height / grid.height;
  for (let row = 0; row < grid.height; row++) {
    const y = middle(row, cellHeight);
    const top = y * rowBytes;
    const bottom = Math.min(y + 1, frame.height - 1) * rowBytes;
    for (let column = 0; column < grid.width; column++) {
      const x = middle(column, cellWidth);
      const left = x * pixelBytes;
      const right = Math.min(x + 1, frame.width - 1) * pixelBytes;
      const sum =
        (data[top + left] ?? 0) +
        (data[top + right] ?? 0) +
        (data[bottom + left] ?? 0) +
        (data[bottom + right] ?? 0);
      grid.data[row * grid.width + column] = (sum + 2) >> 2;
    }
  }
}

function sampleColour(frame: Frame, grid: LumaGrid, first: number, last: number): void {
  const { data, width, height } = frame;
  const cellWidth = width / grid.width;
  const cellHeight = height / grid.height;
  for (let row = 0; row < grid.height; row++) {
    const y = middle(row, cellHeight);
    const top = y * width;
    const bottom = Math.min(y + 1, height - 1) * width;
    for (let column = 0; column < grid.width; column++) {
      const x = middle(column, cellWidth);
      const right = Math.min(x + 1, width - 1);
      const a = (top + x) * 3;
      const b = (top + right) * 3;
      const c = (bottom + x) * 3;
      const d = (bottom + right) * 3;
      const sum =
        first * ((data[a] ?? 0) + (data[b] ?? 0) + (data[c] ?? 0) + (data[d] ?? 0)) +
        150 * ((data[a + 1] ?? 0) + (data[b + 1] ?? 0) + (data[c + 1] ?? 0) + (data[d + 1] ?? 0)) +
        last * ((data[a + 2] ?? 0) + (data[b + 2] ?? 0) + (data[c + 2] ?? 0) + (data[d + 2] ?? 0));
      grid.data[row * grid.width + column] = (sum + 512) >> 10;
    }
  }
}

/** The pixel in, or just after, the middle of cell `index`. */
function middle(index: number, cellPixels: number): number {
  return Math.trunc((index + 0.5) * cellPixels);
}
