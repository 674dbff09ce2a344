import type { Box, Face } from './face.ts';

/**
 * Greedy non-maximum suppression: best first, a face that overlaps a better one by more than `maxIou`
 * is dropped. Sorts `faces` in place. A face is only compared with those kept, so the cost is
 * faces.length · maxFaces however many boxes a detector brings.
 */
export function suppressOverlaps(faces: Face[], maxIou: number, maxFaces: number): Face[] {
  faces.sort((a, b) => b.score - a.score);
  const kept: Face[] = [];
  for (const face of faces) {
    if (kept.length === maxFaces) break;
    if (kept.every((better) => iou(better.box, face.box) <= maxIou)) kept.push(face);
  }
  return kept;
}

/** Intersection over union, 0…1; 0 for boxes without area. */
export function iou(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (!(width > 0 && height > 0)) return 0;
  const intersection = width * height;
  return intersection / (a.width * a.height + b.width * b.height - intersection);
}
