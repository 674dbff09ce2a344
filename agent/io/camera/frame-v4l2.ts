import { AgentError } from '../../errors.ts';
import type { FrameSource } from '../../ports.ts';
import { type Frame, frameSizeBytes } from '../../vision/frame.ts';
import { reasonOf } from '../files/file-fault.ts';
import { longSide, readPicture } from './image.ts';
import type { CameraFormat, NativeCamera, OpenCamera } from './native-camera.ts';

export type V4l2Options = {
  /** The device: /dev/video0. */
  readonly path: string;
  /** Undefined: the first of NV12, YUYV and MJPEG that it gives. */
  readonly format?: CameraFormat | undefined;
  /** Undefined: as the driver has it. */
  readonly size?: { readonly width: number; readonly height: number } | undefined;
  readonly openCamera: OpenCamera;
  readonly id?: string;
};

export type V4l2Source = {
  readonly source: FrameSource;
  readonly format: CameraFormat;
  readonly maxFrameBytes: number;
};

/**
 * Frames of a Video4Linux2 camera, with the driver's capture times. One copy each, into one buffer; MJPEG is
 * decoded as a picture is, which takes the device time and memory: for cameras that give nothing else.
 * SOURCE_LOST: it cannot be opened, was unplugged, or brings nothing for ten seconds, or no whole picture.
 */
export function openV4l2Source(options: V4l2Options): V4l2Source {
  const { path, format = null, size, openCamera, id = 'v4l2' } = options;
  let wake = () => {};
  const camera = opened();
  const maxFrameBytes = largestFrame(camera);
  const buffer = new Uint8Array(camera.sizeBytes);
  let lent: Uint8Array = buffer;
  let outcome: 'open' | 'closed' | AgentError = 'open';
  let broken = 0;
  let brokenInARow = 0;
  let busy = false;

  function opened(): NativeCamera {
    const { width = 0, height = 0 } = size ?? {};
    try {
      return openCamera(path, format, width, height, () => wake());
    } catch (cause) {
      throw lost(reasonOf(cause), cause);
    }
  }

  function lost(reason: string, cause: unknown): AgentError {
    return new AgentError('SOURCE_LOST', `${id}: ${path}: ${reason}`, { cause });
  }

  async function next(): Promise<Frame | undefined> {
    if (busy) throw new TypeError('next() was called while another call is waiting');
    busy = true;
    try {
      lent.fill(0);
      for (;;) {
        const usedBytes = take();
        const frame = usedBytes > 0 ? await frameOf(usedBytes) : await arrival();
        if (outcome === 'closed') return undefined;
        if (frame) return frame;
      }
    } finally {
      busy = false;
    }
  }

  /** 0 after closing too. */
  function take(): number {
    if (outcome === 'closed') return 0;
    if (outcome !== 'open') throw outcome;
    try {
      return camera.take(buffer);
    } catch (cause) {
      outcome = lost(reasonOf(cause), cause);
      throw outcome;
    }
  }

  /** Until the camera calls; at once where it is closed. */
  async function arrival(): Promise<undefined> {
    if (outcome === 'closed') return;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }

  async function frameOf(usedBytes: number): Promise<Frame | undefined> {
    const capturedAtMs = camera.capturedAtMs();
    if (camera.format !== 'mjpeg') {
      const { width, height } = camera;
      return { format: camera.format, width, height, data: buffer, capturedAtMs, sourceId: id };
    }
    const picture = await decoded(buffer.subarray(0, usedBytes), capturedAtMs);
    if (!picture) return undefined;
    lent = picture.data;
    if (outcome === 'closed') lent.fill(0);
    return { ...picture, sourceId: id };
  }

  /** A camera on a bad cable brings half a picture now and then: the next one will do. */
  async function decoded(bytes: Uint8Array, capturedAtMs: number): Promise<Frame | undefined> {
    try {
      const picture = await readPicture(bytes, { capturedAtMs, name: id });
      if (picture.data.length > maxFrameBytes) {
        throw new AgentError('IMAGE_TOO_LARGE', `${id} brought a picture larger than it said`);
      }
      brokenInARow = 0;
      return picture;
    } catch (cause) {
      if (!(cause instanceof AgentError)) throw cause;
      broken++;
      if (++brokenInARow === mostBroken) {
        outcome = lost('it brings no whole picture', cause);
        throw outcome;
      }
      return undefined;
    } finally {
      bytes.fill(0);
    }
  }

  async function close(): Promise<void> {
    outcome = 'closed';
    camera.close();
    buffer.fill(0);
    lent.fill(0);
    wake();
  }

  const source: FrameSource = {
    id,
    next,
    get dropped() {
      return camera.dropped() + broken;
    },
    close,
  };
  return { source, format: camera.format, maxFrameBytes };
}

/** Ten seconds of broken pictures at the pace of a slow camera. */
const mostBroken = 50;

function largestFrame({ format, width, height }: NativeCamera): number {
  if (format !== 'mjpeg') return frameSizeBytes(format, width, height);
  const scale = Math.min(1, longSide / Math.max(width, height));
  return frameSizeBytes('rgb24', Math.ceil(width * scale), Math.ceil(height * scale));
}
