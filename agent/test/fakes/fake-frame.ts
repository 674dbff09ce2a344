import type { Frame } from '../../vision/frame.ts';
import { createLetterbox } from '../../vision/letterbox.ts';
import { normalise } from '../../vision/pixels.ts';
import { warp } from '../../vision/warp.ts';

/** The script's kernels of the way from pixels to tensors. */
export function scriptKernels() {
  return { letterbox: createLetterbox(), warp, normalise };
}

/** An rgb24 frame painted by a function of the pixel; 0…255. */
export function paintedFrame(
  width: number,
  height: number,
  paint: (x: number, y: number) => number | readonly [number, number, number],
  capturedAtMs = 0,
): Frame {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const colour = paint(x, y);
      data.set(typeof colour === 'number' ? [colour, colour, colour] : colour, (y * width + x) * 3);
    }
  }
  return { format: 'rgb24', width, height, data, capturedAtMs, sourceId: 'fake' };
}

/** Detail everywhere and the same in every run: what a sharp, well-lit scene looks like to the measures. */
export function texturedFrame(width: number, height: number, capturedAtMs = 0): Frame {
  let state = 7;
  const noise = () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return 60 + (state / 2147483648) * 140;
  };
  return paintedFrame(width, height, () => noise(), capturedAtMs);
}
