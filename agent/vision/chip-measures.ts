import type { AlignmentSpec, Chip } from '../ports.ts';

/** What the pixels of an aligned face say. Luma is 0…255, weighted as in BT.601. */
export type ChipMeasures = {
  /** Mean luma of the face. */
  readonly luma: number;
  /** Luma that 95 % of the face stay under. It moves less with the colour of the skin than the mean. */
  readonly highlights: number;
  /** Variance of the Laplacian by variance of the luma: free of contrast; sensor noise raises it. */
  readonly sharpness: number;
  /** Detail around the eyes by contrast of the face; near 0 under dark glasses. */
  readonly eyeTexture: number;
  /** Detail around the mouth by detail around the eyes; near 0 under a plain mask or a hand. */
  readonly mouthTexture: number;
  /** How much less red than the cheeks the mouth and chin are, (R − B) / luma; large under most masks. */
  readonly mouthPallor: number;
};

/**
 * The chip the measures and their limits are made for: 96 x 96, 30 pixels between the eyes, so that a
 * face of 20 pixels is hardly enlarged (which would look like blur). ArcFace's frontal points, shrunk from
 * 112 with pixel centres kept: (p + ½) · 96 / 112 − ½.
 */
export const measuringChip: AlignmentSpec = {
  size: 96,
  points: [
    [32.7525, 44.2397],
    [62.9558, 44.0726],
    [47.9502, 61.4171],
    [35.5423, 79.099],
    [60.5542, 78.9607],
  ],
};

/** Measures chips of `measuringChip`. The planes are used again and zeroed after every face. */
export function createChipMeter(): (chip: Chip) => ChipMeasures {
  const fine = plane(measuringChip.size);
  const coarse = plane(measuringChip.size / 2);
  const histogram = new Uint32Array(256);

  return (chip) => {
    if (chip.width !== fine.size || chip.height !== fine.size) {
      throw new TypeError(`a chip of ${fine.size} x ${fine.size} is measured, nothing else`);
    }
    try {
      fillPlanes(chip, fine, coarse);
      const face = statistics(fine, regions.face);
      const contrast = Math.sqrt(statistics(coarse, regions.face).variance);
      const eyes = (detail(coarse, regions.leftEye) + detail(coarse, regions.rightEye)) / 2;
      return {
        luma: face.mean,
        highlights: percentile(fine, regions.face, histogram, 0.95),
        sharpness: face.laplacianVariance / (face.variance + flatVariance),
        eyeTexture: eyes / (contrast + 2),
        mouthTexture: detail(coarse, regions.mouth) / (detail(coarse, regions.eyes) + 0.5),
        mouthPallor: warmth(chip, regions.cheeks) - warmth(chip, regions.mouth),
      };
    } finally {
      fine.data.fill(0);
      coarse.data.fill(0);
      histogram.fill(0);
    }
  };
}

type Plane = { readonly size: number; readonly data: Float32Array };

/** Parts of the side of the chip. None touches the border: neighbours can be read without a check. */
type Region = { left: number; right: number; top: number; bottom: number };
const regions = {
  face: { left: 0.2, right: 0.8, top: 0.3, bottom: 0.95 },
  eyes: { left: 0.25, right: 0.75, top: 0.35, bottom: 0.58 },
  leftEye: { left: 0.27, right: 0.43, top: 0.4, bottom: 0.52 },
  rightEye: { left: 0.57, right: 0.73, top: 0.4, bottom: 0.52 },
  cheeks: { left: 0.3, right: 0.7, top: 0.52, bottom: 0.62 },
  mouth: { left: 0.3, right: 0.7, top: 0.72, bottom: 0.95 },
} as const satisfies Record<string, Region>;

/** Variance of luma below which a face is flat: keeps rounding from looking like detail. */
const flatVariance = 25;

function plane(size: number): Plane {
  return { size, data: new Float32Array(size * size) };
}

function fillPlanes(chip: Chip, fine: Plane, coarse: Plane): void {
  const pixels = chip.data;
  for (let i = 0; i < fine.data.length; i++) {
    const red = pixels[i * 3] ?? 0;
    const green = pixels[i * 3 + 1] ?? 0;
    const blue = pixels[i * 3 + 2] ?? 0;
    fine.data[i] = 0.299 * red + 0.587 * green + 0.114 * blue;
  }
  for (let y = 0; y < coarse.size; y++) {
    for (let x = 0; x < coarse.size; x++) {
      const at = 2 * y * fine.size + 2 * x;
      const below = at + fine.size;
      coarse.data[y * coarse.size + x] =
        ((fine.data[at] ?? 0) +
          (fine.data[at + 1] ?? 0) +
          (fine.data[below] ?? 0) +
          (fine.data[below + 1] ?? 0)) /
        4;
    }
  }
}

function statistics({ size, data }: Plane, region: Region) {
  let count = 0;
  let sum = 0;
  let squares = 0;
  let laplacianSum = 0;
  let laplacianSquares = 0;
  const { left, right, top, bottom } = pixelsOf(region, size);
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const at = y * size + x;
      const value = data[at] ?? 0;
      const laplacian =
        4 * value -
        (data[at - 1] ?? 0) -
        (data[at + 1] ?? 0) -
        (data[at - size] ?? 0) -
        (data[at + size] ?? 0);
      count++;
      sum += value;
      squares += value * value;
      laplacianSum += laplacian;
      laplacianSquares += laplacian * laplacian;
    }
  }
  const mean = sum / count;
  return {
    mean,
    variance: Math.max(0, squares / count - mean * mean),
    laplacianVariance: laplacianSquares / count - (laplacianSum / count) ** 2,
  };
}

/** Mean absolute step to the right and down. */
function detail({ size, data }: Plane, region: Region): number {
  let count = 0;
  let sum = 0;
  const { left, right, top, bottom } = pixelsOf(region, size);
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const at = y * size + x;
      const value = data[at] ?? 0;
      sum += Math.abs((data[at + 1] ?? 0) - value) + Math.abs((data[at + size] ?? 0) - value);
      count++;
    }
  }
  return sum / count;
}

function percentile(
  { size, data }: Plane,
  region: Region,
  histogram: Uint32Array,
  part: number,
): number {
  histogram.fill(0);
  let count = 0;
  const { left, right, top, bottom } = pixelsOf(region, size);
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const bin = Math.round(data[y * size + x] ?? 0);
      histogram[bin] = (histogram[bin] ?? 0) + 1;
      count++;
    }
  }
  let below = 0;
  for (let bin = 0; bin < histogram.length; bin++) {
    below += histogram[bin] ?? 0;
    if (below >= part * count) return bin;
  }
  return histogram.length - 1;
}

/** (R − B) / luma over a region of the chip; 0 in a grey picture. */
function warmth(chip: Chip, region: Region): number {
  let difference = 0;
  let luma = 0;
  let count = 0;
  const { left, right, top, bottom } = pixelsOf(region, chip.width);
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const at = (y * chip.width + x) * 3;
      const red = chip.data[at] ?? 0;
      const blue = chip.data[at + 2] ?? 0;
      difference += red - blue;
      luma += 0.299 * red + 0.587 * (chip.data[at + 1] ?? 0) + 0.114 * blue;
      count++;
    }
  }
  // 5 steps of luma per pixel keep near-black pixels from counting as coloured.
  return difference / (luma + 5 * count);
}

function pixelsOf(region: Region, size: number): Region {
  return {
    left: Math.round(region.left * size),
    right: Math.round(region.right * size),
    top: Math.round(region.top * size),
    bottom: Math.round(region.bottom * size),
  };
}
