import type { CameraFormat, NativeCamera, OpenCamera } from '../../io/camera/native-camera.ts';
import { systemClock } from '../../io/process/clock.ts';
import { frameSizeBytes } from '../../vision/frame.ts';

export type FakeCamera = {
  readonly openCamera: OpenCamera;
  /** What it was opened with last. */
  readonly asked: readonly unknown[];
  /** A frame whose bytes are all of this value; of mjpeg, one picture. */
  offer(frame: number | Uint8Array): void;
  lose(why: string): void;
  readonly isOpen: boolean;
  /** What the last frame was copied into, as it is now. */
  readonly copiedInto: Uint8Array;
};

/** A camera as the addon gives it, fed by hand: the newest frame, one call for each time that none was there. */
export function createFakeCamera(spec: {
  readonly format: CameraFormat;
  readonly width: number;
  readonly height: number;
  readonly sizeBytes?: number;
}): FakeCamera {
  const { format, width, height } = spec;
  const sizeBytes =
    spec.sizeBytes ?? (format === 'mjpeg' ? 65_536 : frameSizeBytes(format, width, height));
  let asked: readonly unknown[] = [];
  let notify = () => {};
  let newest: Uint8Array | undefined;
  let fault: string | undefined;
  let dropped = 0;
  let isArmed = false;
  let isOpen = false;
  let capturedAtMs = 0;
  let copiedInto: Uint8Array = new Uint8Array();

  const camera: NativeCamera = {
    format,
    width,
    height,
    sizeBytes,
    take(bytes) {
      if (bytes.length !== sizeBytes) throw new TypeError(`bytes must be of length ${sizeBytes}`);
      if (!isOpen) throw new Error('it is closed');
      if (!newest) {
        if (fault !== undefined) throw new Error(fault);
        isArmed = true;
        return 0;
      }
      const { length } = newest;
      bytes.set(newest);
      copiedInto = bytes;
      newest = undefined;
      return length;
    },
    capturedAtMs: () => capturedAtMs,
    dropped: () => dropped,
    close: () => {
      isOpen = false;
    },
  };

  function call(): void {
    if (!isArmed || !isOpen) return;
    isArmed = false;
    notify();
  }

  return {
    openCamera: (...given) => {
      asked = given.slice(0, -1);
      notify = given[4];
      isOpen = true;
      return camera;
    },
    get asked() {
      return asked;
    },
    offer(frame) {
      if (newest) dropped++;
      newest = typeof frame === 'number' ? new Uint8Array(sizeBytes).fill(frame) : frame.slice();
      capturedAtMs = systemClock.monotonicMs();
      call();
    },
    lose(why) {
      fault = why;
      call();
    },
    get copiedInto() {
      return copiedInto;
    },
    get isOpen() {
      return isOpen;
    },
  };
}
