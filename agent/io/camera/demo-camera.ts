import type { Clock, FrameSource } from '../../ports.ts';
import type { Frame } from '../../vision/frame.ts';
import { systemTimers, type Timers } from '../process/clock.ts';
import type { DemoVisit } from './demo-material.ts';
import { readPicture } from './image.ts';
import { toNv12 } from './nv12.ts';

/** What the demo's camera gives: NV12, as the image processors of intercoms do. */
export const demoFrame = { width: 640, height: 480, framesPerSecond: 20 } as const;
export const demoFrameBytes = (demoFrame.width * demoFrame.height * 3) / 2;

/** Frames of one visit, and of the empty porch after it (long enough for the visit to be over). */
const framesOfVisit = 6;
const framesOfPorch = 8;

export type DemoCamera = FrameSource & {
  /** Whose visit it was at this moment; undefined: nobody's. */
  visitAt(capturedAtMs: number): DemoVisit | undefined;
};

/**
 * One visit after the other, at the camera's rate, or slower where the device is: unlike a real camera it
 * drops nothing, so that every device shows the same visits.
 */
export function openDemoCamera(
  visits: readonly DemoVisit[],
  clock: Clock,
  timers: Timers = systemTimers,
): DemoCamera {
  const beganAtMs: number[] = [];
  const scenes = createScenes();
  let picture: Frame | undefined;
  let position = 0;
  let dueAtMs = clock.monotonicMs();
  let closed = false;

  async function next(): Promise<Frame | undefined> {
    const visit = visits[Math.floor(position / (framesOfVisit + framesOfPorch))];
    if (!visit || closed) return undefined;
    const index = position++ % (framesOfVisit + framesOfPorch);
    if (index === 0) picture = await readPicture(visit.picture);
    if (index === framesOfVisit) picture?.data.fill(0);
    await new Promise<void>((resolve) => {
      timers.after(Math.max(0, dueAtMs - clock.monotonicMs()), resolve);
    });
    const capturedAtMs = clock.monotonicMs();
    dueAtMs = Math.max(capturedAtMs, dueAtMs + 1000 / demoFrame.framesPerSecond);
    if (index === 0) beganAtMs.push(capturedAtMs);
    const data = scenes.draw(index < framesOfVisit ? picture : undefined, index);
    const { width, height } = demoFrame;
    return { format: 'nv12', width, height, data, capturedAtMs, sourceId: 'demo' };
  }

  return {
    id: 'demo',
    next,
    dropped: 0,
    visitAt: (capturedAtMs) => visits[beganAtMs.filter((at) => at <= capturedAtMs).length - 1],
    close: async () => {
      closed = true;
      picture?.data.fill(0);
      scenes.wipe();
    },
  };
}

const rowBytes = demoFrame.width * 3;
const porchGrey = 96;

function createScenes() {
  const rgb = new Uint8Array(rowBytes * demoFrame.height);
  const frame = new Uint8Array(demoFrameBytes);
  return {
    /** The empty porch, or somebody there, a few pixels further to the right each time. */
    draw(picture: Frame | undefined, index: number): Uint8Array {
      rgb.fill(porchGrey);
      if (picture) place(picture, rgb, (index - framesOfVisit / 2) * 4);
      toNv12(rgb, demoFrame.width, demoFrame.height, frame);
      return frame;
    },
    wipe() {
      rgb.fill(0);
      frame.fill(0);
    },
  };
}

/** Enlarges by the nearest pixel until the picture fills most of the frame, standing on its lower edge. */
function place(picture: Frame, scene: Uint8Array, shift: number): void {
  const scale = Math.min((demoFrame.height * 0.9) / picture.height, 560 / picture.width);
  const width = Math.round(picture.width * scale);
  const height = Math.round(picture.height * scale);
  const left = ((demoFrame.width - width) >> 1) + shift;
  const top = demoFrame.height - height;
  for (let y = 0; y < height; y++) {
    const from = Math.min(picture.height - 1, Math.floor(y / scale)) * picture.width;
    for (let x = 0; x < width; x++) {
      const source = (from + Math.min(picture.width - 1, Math.floor(x / scale))) * 3;
      scene.set(picture.data.subarray(source, source + 3), (top + y) * rowBytes + (left + x) * 3);
    }
  }
}
