/** What a camera's driver may be asked for, best first. */
export const cameraFormats = ['nv12', 'yuyv', 'mjpeg'] as const;
export type CameraFormat = (typeof cameraFormats)[number];

/** A camera that streams, as native/src/v4l2-addon.c gives it. Methods throw a TypeError on a wrong argument. */
export type NativeCamera = {
  readonly format: CameraFormat;
  readonly width: number;
  readonly height: number;
  /** Of a frame; of mjpeg the most it may have. */
  readonly sizeBytes: number;
  /**
   * Copies the newest frame that was not taken yet into `bytes` (of `sizeBytes`) and returns its length; 0: there is
   * none yet, and `notify` is called once when there is. @throws Error when the camera is lost: why
   */
  take(bytes: Uint8Array): number;
  /** Of the frame taken last, by the monotonic clock, from the driver where it says so. */
  capturedAtMs(): number;
  /** Frames that gave way to newer ones, or that the driver marked as broken. */
  dropped(): number;
  /** The driver's buffers are overwritten. May be called twice; `notify` is not called any more. */
  close(): void;
};

/**
 * `format` null: the first of `cameraFormats` that the driver gives; width and height 0: as the driver has them.
 * @throws Error why not, without the path
 */
export type OpenCamera = (
  path: string,
  format: CameraFormat | null,
  width: number,
  height: number,
  notify: () => void,
) => NativeCamera;

/** What a camera of the kernel says of itself. */
export type CameraSight = {
  /** As its driver calls it. */
  readonly name: string;
  /** Of ours, those that it gives, best first. */
  readonly formats: readonly CameraFormat[];
};

/**
 * Of a node of the kernel that is open; null: it captures no pictures. Nothing streams, and nothing is set.
 * @throws Error why it is no camera, or none of ours
 */
export type LookAtCamera = (fd: number) => CameraSight | null;
