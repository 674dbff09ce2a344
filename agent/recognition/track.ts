import type { Embedding } from '../template/template.ts';
import type { Face } from '../vision/face.ts';
import { iou } from '../vision/suppression.ts';
import type { RecognitionEvent } from './event.ts';
import {
  addEmbedding,
  agrees,
  comparedIn,
  forget,
  lastWord,
  newVisitor,
  startAnew,
  type Visitor,
  type VisitorSettings,
  weigh,
} from './visitor.ts';

export type TrackSettings = VisitorSettings & {
  /** A face unseen for longer than this has gone. */
  readonly gapMs: number;
  /** A visitor who stays is reported again after this. */
  readonly repeatAfterMs: number;
};

/**
 * minAgreement 0.4, with 0095: two persons reach that cosine in about 1 of 6,000 comparisons (LFW);
 * pictures of one person, even of different days, had 0.57 and more in the 19 labelled pairs. Whoever
 * falls below it in a bad pose only begins again.
 */
export const defaultTrackSettings: TrackSettings = {
  maxFrames: 3,
  minAgreement: 0.4,
  sureLead: 0.05,
  gapMs: 800,
  repeatAfterMs: 5000,
};

/** Hears of an event that is reported. The embedding's memory holds during the call. Must not throw. */
export type Tell = (event: RecognitionEvent, embedding: Embedding | undefined) => void;

/** One visitor = one event: binds the frames of a visit together. Time is that of the frames. */
export type Track = {
  /** To be called with every frame's time, first. Returns the last words of visitors who have gone; tells each. */
  advance(atMs: number, tell?: Tell): RecognitionEvent[];
  /** The visitor whose face this is, by place alone; a new one where none fits. */
  follow(face: Face, atMs: number): Visitor;
  /**
   * What to compare: the mean of the visit's embeddings, weighted. If this one is of another person, the
   * visit ends and the next begins with it. The memory is the track's and holds until the next call.
   */
  fuse(visitor: Visitor, embedding: Embedding, weight: number): Embedding;
  /** The event to report now; undefined: wait for more frames, or it was reported already. */
  conclude(visitor: Visitor, event: RecognitionEvent): RecognitionEvent | undefined;
  /** Zeroes and forgets everybody. */
  wipe(): void;
};

export function createTrack(settings: TrackSettings = defaultTrackSettings): Track {
  let visitors: Visitor[] = [];
  let lastWords: RecognitionEvent[] = [];
  const matchedAtMs = new Map<string, number>();

  function leave(visitor: Visitor, tell?: Tell): void {
    const word = lastWord(visitor);
    if (word) lastWords.push(word);
    if (word) tell?.(word, comparedIn(visitor, word));
    forget(visitor);
  }

  function isRepeat(visitor: Visitor, event: RecognitionEvent): boolean {
    const before =
      event.kind === 'match' ? matchedAtMs.get(event.residentId) : visitor.reportedAtMs;
    return before !== undefined && event.capturedAtMs - before < settings.repeatAfterMs;
  }

  return {
    advance(atMs, tell) {
      // Of those whose place another person took: what was compared of them is overwritten already.
      for (const word of lastWords) tell?.(word, undefined);
      const isGone = (visitor: Visitor) => atMs - visitor.lastSeenAtMs > settings.gapMs;
      for (const visitor of visitors.filter(isGone)) leave(visitor, tell);
      visitors = visitors.filter((visitor) => !isGone(visitor));
      for (const [residentId, at] of matchedAtMs) {
        if (atMs - at >= settings.repeatAfterMs) matchedAtMs.delete(residentId);
      }
      const words = lastWords;
      lastWords = [];
      return words;
    },
    follow(face, atMs) {
      const known = nearest(visitors, face, atMs);
      const visitor = known ?? newVisitor(face, atMs);
      if (!known) visitors.push(visitor);
      visitor.face = face;
      visitor.lastSeenAtMs = atMs;
      return visitor;
    },
    fuse(visitor, embedding, weight) {
      if (!agrees(visitor, embedding, settings.minAgreement)) leave(visitor);
      return addEmbedding(visitor, embedding, weight);
    },
    conclude(visitor, event) {
      const word = weigh(visitor, event, settings);
      if (!word) return undefined;
      startAnew(visitor, word);
      if (isRepeat(visitor, word)) return undefined;
      visitor.reportedAtMs = word.capturedAtMs;
      if (word.kind === 'match') matchedAtMs.set(word.residentId, word.capturedAtMs);
      return word;
    },
    wipe() {
      for (const visitor of visitors) forget(visitor);
      visitors = [];
      lastWords = [];
      matchedAtMs.clear();
    },
  };
}

/** Whom the face lies closest to: the overlap counts, or, for quick steps, that it is within one face's width. */
function nearest(visitors: readonly Visitor[], face: Face, atMs: number): Visitor | undefined {
  let best: Visitor | undefined;
  let bestCloseness = 0;
  for (const visitor of visitors) {
    // Two faces of one frame are two visitors.
    if (visitor.lastSeenAtMs === atMs) continue;
    const closeness = closenessOf(visitor.face, face);
    if (closeness > bestCloseness) {
      best = visitor;
      bestCloseness = closeness;
    }
  }
  return best;
}

/** 1 … 2 by overlap, 0 … 1 by distance, 0: too far apart or too different in size. */
function closenessOf({ box: a }: Face, { box: b }: Face): number {
  const overlap = iou(a, b);
  if (overlap >= minOverlap) return 1 + overlap;
  const size = Math.max(a.width, b.width);
  if (size > maxGrowth * Math.min(a.width, b.width)) return 0;
  const dx = a.x + a.width / 2 - b.x - b.width / 2;
  const dy = a.y + a.height / 2 - b.y - b.height / 2;
  return Math.max(0, 1 - Math.hypot(dx, dy) / size);
}

const minOverlap = 0.2;
const maxGrowth = 2;
