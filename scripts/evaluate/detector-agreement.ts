import { nextAbove } from '../../agent/gallery/score-threshold.ts';
import { quantile } from '../../agent/recognition/quantile.ts';
import type { Face, Point } from '../../agent/vision/face.ts';
import { iou } from '../../agent/vision/suppression.ts';

/** One picture as two detectors see it; all coordinates are the picture's. */
export type SeenTwice = {
  /** At the threshold that the reference is used with. */
  readonly reference: readonly Face[];
  /** At `lowestScore` or more. */
  readonly candidate: readonly Face[];
  /** Pixels of the detector's tensor for one of the picture. */
  readonly scale: number;
};

/** Where it is known who is there: a picture and the tip of every nose in it. */
export type Annotated = SeenTwice & { readonly noses: readonly Point[] };

export type Agreement = {
  /** Faces of the reference's, and those of them that the candidate finds: IoU of the boxes 0.5 or more. */
  readonly wanted: number;
  readonly found: number;
  /** The candidate's boxes that are none of the reference's. */
  readonly others: number;
  /** Mean distance of the five landmarks, in distances between the reference's eyes; one for each face found. */
  readonly landmarkErrors: readonly number[];
};

/** What counts as the same face. */
const sameFaceIou = 0.5;

/** How far the candidate, at this threshold, finds what the reference finds. `counts`: which faces of the reference's. */
export function agreement(
  pictures: readonly SeenTwice[],
  threshold: number,
  counts: (face: Face, picture: SeenTwice) => boolean = () => true,
): Agreement {
  let wanted = 0;
  let others = 0;
  const landmarkErrors: number[] = [];
  for (const picture of pictures) {
    const boxes = picture.candidate.filter(({ score }) => score >= threshold);
    for (const face of picture.reference) {
      if (!counts(face, picture)) continue;
      wanted += 1;
      const near = nearest(face, boxes);
      if (near) landmarkErrors.push(landmarkError(face, near));
    }
    others += boxes.filter((box) => !nearest(box, picture.reference)).length;
  }
  return { wanted, found: landmarkErrors.length, others, landmarkErrors };
}

/** Height of a face in the detector's tensor, in pixels. */
export function heightSeen({ box }: Face, { scale }: SeenTwice): number {
  return box.height * scale;
}

/** Noses in a box, and the scores of boxes in which there is none: false ones. */
export function annotatedFaces(
  pictures: readonly { readonly noses: readonly Point[]; readonly faces: readonly Face[] }[],
): { readonly noses: number; readonly found: number; readonly falseScores: readonly number[] } {
  let noses = 0;
  let found = 0;
  const falseScores: number[] = [];
  for (const picture of pictures) {
    noses += picture.noses.length;
    found += picture.noses.filter((nose) => picture.faces.some((face) => holds(face, nose))).length;
    const empty = picture.faces.filter((face) => !picture.noses.some((nose) => holds(face, nose)));
    falseScores.push(...empty.map(({ score }) => score));
  }
  return { noses, found, falseScores };
}

/** The lowest threshold, `lowest` at least, at which no more than `allowed` of these scores pass. */
export function thresholdAllowing(
  falseScores: readonly number[],
  allowed: number,
  lowest: number,
): number {
  const bar = falseScores.toSorted((a, b) => b - a)[allowed];
  return bar === undefined || bar < lowest ? lowest : nextAbove(bar);
}

/** `share` of them lie at or below this. */
export function errorQuantile({ landmarkErrors }: Agreement, share: number): number {
  return quantile(landmarkErrors, share);
}

function nearest(face: Face, others: readonly Face[]): Face | undefined {
  let best: Face | undefined;
  let bestIou = sameFaceIou;
  for (const other of others) {
    const overlap = iou(face.box, other.box);
    if (overlap < bestIou) continue;
    best = other;
    bestIou = overlap;
  }
  return best;
}

function landmarkError(reference: Face, candidate: Face): number {
  const [left, right] = reference.landmarks;
  const distances = reference.landmarks.map((point, at) =>
    distance(point, candidate.landmarks[at] ?? [Number.NaN, Number.NaN]),
  );
  const mean = distances.reduce((sum, each) => sum + each, 0) / distances.length;
  return mean / distance(left, right);
}

function distance([x1, y1]: Point, [x2, y2]: Point): number {
  return Math.hypot(x1 - x2, y1 - y2);
}

function holds({ box }: Face, [x, y]: Point): boolean {
  return x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height;
}
