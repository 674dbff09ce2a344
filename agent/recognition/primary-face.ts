import type { Face } from '../vision/face.ts';

/**
 * Who stands at the door: the largest face, one at the rim of the picture counting for half of one in
 * the middle. Of equals the first, which is the detector's surer one. Undefined: nobody.
 */
export function primaryFace(
  faces: readonly Face[],
  frame: { readonly width: number; readonly height: number },
): Face | undefined {
  let best: Face | undefined;
  let bestWeight = Number.NEGATIVE_INFINITY;
  for (const face of faces) {
    const weight = weightOf(face, frame);
    if (weight > bestWeight) {
      best = face;
      bestWeight = weight;
    }
  }
  return best;
}

function weightOf({ box }: Face, frame: { width: number; height: number }): number {
  const asideX = (box.x + box.width / 2) / frame.width - 0.5;
  const asideY = (box.y + box.height / 2) / frame.height - 0.5;
  const aside = Math.min(1, (2 * Math.hypot(asideX, asideY)) / Math.SQRT2);
  return box.width * box.height * (1 - aside / 2);
}

/** The face nearest to the middle of the picture, as the protocol of LFW has it. */
export function centralFace(
  faces: readonly Face[],
  frame: { readonly width: number; readonly height: number },
): Face | undefined {
  const distance = ({ box }: Face) =>
    Math.hypot(box.x + (box.width - frame.width) / 2, box.y + (box.height - frame.height) / 2);
  return faces.toSorted((a, b) => distance(a) - distance(b))[0];
}
