import type { Embedding } from '../template/template.ts';
import type { Face } from '../vision/face.ts';
import type { RecognitionEvent } from './event.ts';
import { scaleToUnit } from './unit-vector.ts';

export type VisitorSettings = {
  /** Most frames that one decision is made of. */
  readonly maxFrames: number;
  /** Least cosine of a new embedding to the mean of those before it: below, it is somebody else. */
  readonly minAgreement: number;
  /** A match this far above the threshold needs no further frame. */
  readonly sureLead: number;
};

/** What is known of whoever is in front of the camera, between two decisions. */
export type Visitor = {
  face: Face;
  lastSeenAtMs: number;
  /** When something was last reported of this visitor. */
  reportedAtMs: number | undefined;
  /** Weighted sum of the unit embeddings since the last decision. */
  sum: Float32Array;
  /** Its direction; after a decision that of the last one, so that a change of person is still seen. */
  mean: Float32Array;
  isKnown: boolean;
  /** Of the model that `mean` came from. */
  modelSha256: string;
  /** Since the last decision. */
  frames: number;
  attempts: number;
  attacks: number;
  comparisons: number;
  /** The best founded thing to say, should nothing better come; and the last attack. */
  pending: RecognitionEvent | undefined;
  pendingAttack: RecognitionEvent | undefined;
};

export function newVisitor(face: Face, atMs: number): Visitor {
  return {
    face,
    lastSeenAtMs: atMs,
    reportedAtMs: undefined,
    sum: new Float32Array(0),
    mean: new Float32Array(0),
    isKnown: false,
    modelSha256: '',
    frames: 0,
    attempts: 0,
    attacks: 0,
    comparisons: 0,
    pending: undefined,
    pendingAttack: undefined,
  };
}

/** Is this embedding of the person whose embeddings were added before? True where there are none yet. */
export function agrees(visitor: Visitor, embedding: Embedding, minAgreement: number): boolean {
  if (!visitor.isKnown) return true;
  let cosine = 0;
  for (const [i, value] of embedding.values.entries()) cosine += value * (visitor.mean[i] ?? 0);
  return cosine >= minAgreement;
}

/** Adds a unit embedding; returns the direction of the weighted sum, in memory of the visitor. */
export function addEmbedding(visitor: Visitor, embedding: Embedding, weight: number): Embedding {
  const { values, modelSha256 } = embedding;
  if (visitor.sum.length !== values.length) {
    visitor.sum = new Float32Array(values.length);
    visitor.mean = new Float32Array(values.length);
  }
  for (const [i, value] of values.entries()) {
    visitor.sum[i] = (visitor.sum[i] ?? 0) + weight * value;
  }
  visitor.mean.set(visitor.sum);
  // Opposite embeddings may add up to nothing: then the newest speaks for itself.
  if (!scaleToUnit(visitor.mean)) visitor.mean.set(values);
  visitor.isKnown = true;
  visitor.modelSha256 = modelSha256;
  visitor.frames++;
  return { values: visitor.mean, modelSha256 };
}

/**
 * Takes one more frame's outcome into account. Returns what is to be said of the visitor now; undefined:
 * wait for another frame. A match is only ever the outcome of the frame at hand, never an older one.
 */
export function weigh(
  visitor: Visitor,
  event: RecognitionEvent,
  settings: VisitorSettings,
): RecognitionEvent | undefined {
  visitor.attempts++;
  if (event.kind === 'attack') {
    visitor.attacks++;
    visitor.pendingAttack = event;
  } else if (rank(event) >= rank(visitor.pending)) {
    visitor.pending = event;
  }
  if (rank(event) === compared) visitor.comparisons++;

  const isDue = visitor.attempts >= settings.maxFrames;
  if (event.kind === 'match' && !isSuspect(visitor)) {
    const isSure = event.score >= event.threshold + settings.sureLead;
    return isSure || isDue ? event : undefined;
  }
  if (!isDue) return undefined;
  if (isSuspect(visitor) && visitor.pendingAttack) return visitor.pendingAttack;
  return visitor.pending?.kind === 'match' ? undefined : visitor.pending;
}

/** What was last compared of this visitor, in the visitor's memory; undefined: this event is of no comparison. */
export function comparedIn(visitor: Visitor, event: RecognitionEvent): Embedding | undefined {
  if (event.kind === 'no-face' || event.framesUsed === 0 || !visitor.isKnown) return undefined;
  return { values: visitor.mean, modelSha256: visitor.modelSha256 };
}

/** What is left to say of a visitor who goes: a match that was not sure enough comes too late now. */
export function lastWord(visitor: Visitor): RecognitionEvent | undefined {
  if (visitor.reportedAtMs !== undefined) return undefined;
  const pending = isSuspect(visitor) ? visitor.pendingAttack : visitor.pending;
  if (pending?.kind !== 'match') return pending;
  const { residentId, score, runnerUpScore, threshold, margin, ...seen } = pending;
  return { ...seen, kind: 'stale' };
}

/**
 * After a decision the next one starts from nothing. An attack stays on the account: a photo needs two
 * lucky frames more, not one.
 */
export function startAnew(visitor: Visitor, decided: RecognitionEvent): void {
  visitor.sum.fill(0);
  visitor.frames = 0;
  visitor.attempts = 0;
  visitor.attacks = decided.kind === 'attack' ? 1 : 0;
  visitor.comparisons = 0;
  visitor.pending = undefined;
  visitor.pendingAttack = undefined;
}

/** Zeroes the embeddings and forgets everything but the place. */
export function forget(visitor: Visitor): void {
  visitor.sum.fill(0);
  visitor.mean.fill(0);
  Object.assign(visitor, newVisitor(visitor.face, visitor.lastSeenAtMs));
}

/** An attack in as many frames as were compared: one lucky frame does not make a photo a person. */
function isSuspect(visitor: Visitor): boolean {
  return visitor.attacks > 0 && visitor.attacks >= visitor.comparisons;
}

const compared = 2;

function rank(event: RecognitionEvent | undefined): number {
  switch (event?.kind) {
    case 'match':
    case 'no-match':
    case 'ambiguous':
      return compared;
    case 'poor-quality':
    case 'attack':
    case 'stale':
      return 1;
    case 'no-face':
    case undefined:
      return 0;
  }
}
