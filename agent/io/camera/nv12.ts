/**
 * Interleaved RGB to NV12, as a camera would bring it: BT.601, limited range (ITU-R BT.601-7, 2.5.3); the
 * chroma of each 2x2 block is that of its first pixel. Even sides. For demonstration and benchmarks.
 */
export function toNv12(rgb: Uint8Array, width: number, height: number, nv12: Uint8Array): void {
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 3;
      const [r = 0, g = 0, b = 0] = [rgb[at], rgb[at + 1], rgb[at + 2]];
      nv12[y * width + x] = 16 + (65.738 * r + 129.057 * g + 25.064 * b) / 256;
      if (y % 2 === 0 && x % 2 === 0) {
        const chroma = width * height + (y / 2) * width + x;
        nv12[chroma] = 128 + (-37.945 * r - 74.494 * g + 112.439 * b) / 256;
        nv12[chroma + 1] = 128 + (112.439 * r - 94.154 * g - 18.285 * b) / 256;
      }
    }
  }
}
