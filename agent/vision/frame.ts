/** How the bytes of a frame are laid out. `nv12`, `i420`: 4:2:0, full-height luma first. `yuyv`: 4:2:2. */
export const pixelFormats = ['rgb24', 'bgr24', 'nv12', 'i420', 'yuyv', 'grey'] as const;
export type PixelFormat = (typeof pixelFormats)[number];

/** One picture of a camera, as it came. Rows follow each other without padding. */
export type Frame = {
  readonly format: PixelFormat;
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
  /** Monotonic clock, milliseconds, at capture (not at arrival, where the source knows better). */
  readonly capturedAtMs: number;
  readonly sourceId: string;
};

/** Width and height a frame may have: below, nothing can be seen; above, it is no door camera. */
export const frameLimits = { minSide: 16, maxSide: 8192 } as const;

/**
 * Size in bytes of one frame. 4:2:0 formats round the chroma planes up, as V4L2 and ffmpeg do;
 * yuyv rounds the width up to whole pixel pairs.
 */
export function frameSizeBytes(format: PixelFormat, width: number, height: number): number {
  switch (format) {
    case 'rgb24':
    case 'bgr24':
      return width * height * 3;
    case 'nv12':
    case 'i420':
      return width * height + 2 * ((width + 1) >> 1) * ((height + 1) >> 1);
    case 'yuyv':
      return ((width + 1) >> 1) * 4 * height;
    case 'grey':
      return width * height;
  }
}
