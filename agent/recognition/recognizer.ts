import { type DecisionSettings, decide } from '../gallery/decision.ts';
import type { Candidate } from '../gallery/search.ts';
import type { Clock } from '../ports.ts';
import type { Embedding, Probe } from '../template/template.ts';
import type { Face } from '../vision/face.ts';
import type { Frame } from '../vision/frame.ts';
import type { MotionGate } from '../vision/motion.ts';
import { checkFrame } from '../vision/pixels.ts';
import type { FaceSeen, RecognitionEvent } from './event.ts';
import type { Examination, FacePipeline } from './face-pipeline.ts';
import { isFresh } from './freshness.ts';
import { primaryFace } from './primary-face.ts';
import { type Stopwatch, startStopwatch } from './stopwatch.ts';
import type { Tell, Track } from './track.ts';
import { comparedIn, type Visitor } from './visitor.ts';

/** `P`: what a search takes; one probe, or several where templates of several versions are in use. */
export type RecognizerParts<P = Probe> = {
  readonly pipeline: FacePipeline;
  /** Makes the probe, and zeroes it. */
  readonly protector: {
    probe(embedding: Embedding, earlier: readonly Embedding[]): P;
    forget(): void;
  };
  readonly search: (probe: P) => Iterable<Candidate>;
  /** The face by recognisers that some templates still are of; their memory is zeroed here. */
  readonly embedEarlier?: ((frame: Frame, face: Face) => Promise<Embedding[]>) | undefined;
  /**
   * A match that is about to be reported, of a visit without an attack in it, and what it was made of:
   * first the fused embedding. Their memory holds during the call. Must not throw, nor take long.
   */
  readonly onConfirmedMatch?:
    | ((match: MatchEvent, embeddings: readonly Embedding[]) => void)
    | undefined;
  /**
   * Every event that is reported, just before it is out, and the embedding that was compared (the fused one);
   * undefined: none was, or it is overwritten already. Its memory holds during the call. Must not take long;
   * what it throws is counted and changes nothing.
   */
  readonly onAttempt?: Tell | undefined;
  readonly decision: DecisionSettings;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** 'best': who stands at the door; of everybody else no embedding is ever computed. */
  readonly faces: 'best' | 'all';
  readonly maxAgeMs: number;
  /** Several frames, one event per visitor. Without: every frame is an attempt of its own. */
  readonly track?: Track | undefined;
  readonly motion?: MotionGate | undefined;
};

type MatchEvent = Extract<RecognitionEvent, { kind: 'match' }>;

/** What one attempt computed of a face. */
type Computed = {
  /** To be zeroed. */
  readonly embeddings: Embedding[];
  /** What was searched with; the first may be the track's. */
  compared: readonly Embedding[];
};

export type Recognizer = {
  /** One frame at a time. Throws a TypeError on a frame whose bytes are not what it says. */
  recognise(frame: Frame): Promise<RecognitionEvent[]>;
  /** Forgets every visitor, zeroing what was kept of them. */
  wipe(): void;
  /** How many times `onAttempt` threw. */
  readonly attemptFaults: number;
};

/** The hot path, from a frame to what the door learns of it. */
export function createRecognizer<P = Probe>(parts: RecognizerParts<P>): Recognizer {
  const { pipeline, protector, search, decision: settings, clock, track, motion } = parts;
  let attemptFaults = 0;

  async function recognise(frame: Frame): Promise<RecognitionEvent[]> {
    checkFrame(frame);
    const watch = startStopwatch(clock);
    const events = track?.advance(frame.capturedAtMs, tell) ?? [];
    if (motion && !motion.opensFor(frame)) return events;
    const faces = await pipeline.locate(frame, watch.lap);
    if (faces.length > 0) motion?.keepOpen(frame.capturedAtMs);
    else if (!track) {
      const nobody: RecognitionEvent = { kind: 'no-face', ...frameSeen(frame, watch) };
      tell(nobody, undefined);
      events.push(nobody);
    }
    const chosen = parts.faces === 'all' ? faces : [primaryFace(faces, frame)];
    for (const face of chosen) {
      const event = face && (await attempt(frame, face, faces, watch.fork()));
      if (event) events.push(event);
    }
    return events;
  }

  async function attempt(frame: Frame, face: Face, faces: readonly Face[], watch: Stopwatch) {
    const visitor = track?.follow(face, frame.capturedAtMs);
    const computed: Computed = { embeddings: [], compared: [] };
    try {
      const event = await judge(frame, face, faces, watch, visitor, computed);
      if (!track || !visitor) {
        tell(event, computed.compared[0]);
        return event;
      }
      const hasAttack = visitor.attacks > 0;
      const word = track.conclude(visitor, event);
      if (word?.kind === 'match' && !hasAttack) parts.onConfirmedMatch?.(word, computed.compared);
      if (word) tell(word, comparedIn(visitor, word));
      return word;
    } finally {
      for (const { values } of computed.embeddings) values.fill(0);
    }
  }

  /** Who listens is no concern of the door. */
  function tell(event: RecognitionEvent, embedding: Embedding | undefined): void {
    try {
      parts.onAttempt?.(event, embedding);
    } catch {
      attemptFaults++;
    }
  }

  async function judge(
    frame: Frame,
    face: Face,
    faces: readonly Face[],
    watch: Stopwatch,
    visitor: Visitor | undefined,
    computed: Computed,
  ): Promise<RecognitionEvent> {
    const examination = await pipeline.examine(frame, face, faces, watch.lap);
    const { quality, pad } = examination;
    const seen = (framesUsed: number): FaceSeen => ({
      ...frameSeen(frame, watch),
      ...faceSeen(face, examination),
      framesUsed,
    });
    if (quality.reasons.length > 0) {
      return { kind: 'poor-quality', reasons: quality.reasons, ...seen(0) };
    }
    if (pad.kind === 'attack') return { kind: 'attack', ...seen(0) };
    const embedding = await pipeline.embed(frame, face, watch.lap);
    if (!embedding) return { kind: 'poor-quality', reasons: ['NO_EMBEDDING'], ...seen(0) };
    computed.embeddings.push(embedding);
    const earlier = parts.embedEarlier ? await parts.embedEarlier(frame, face) : [];
    computed.embeddings.push(...earlier);
    try {
      const weight = quality.model === 'not-checked' ? face.score : quality.model.score;
      const fused = track && visitor ? track.fuse(visitor, embedding, weight) : embedding;
      computed.compared = [fused, ...earlier];
      const probe = protector.probe(fused, earlier);
      watch.lap('template');
      const candidates = search(probe);
      watch.lap('search');
      const decision = decide(candidates, settings);
      watch.lap('decide');
      const context = seen(visitor?.frames ?? 1);
      if (!isFresh(frame.capturedAtMs, context.decidedAtMs, parts.maxAgeMs)) {
        return { kind: 'stale', ...context };
      }
      return { ...decision, ...context, ...settings };
    } finally {
      protector.forget();
    }
  }

  function frameSeen(frame: Frame, watch: Stopwatch) {
    const { sourceId, capturedAtMs } = frame;
    return {
      sourceId,
      capturedAtMs,
      decidedAtMs: clock.monotonicMs(),
      timesMs: watch.times(),
    };
  }

  return {
    recognise,
    wipe: () => {
      track?.wipe();
      motion?.wipe();
    },
    get attemptFaults() {
      return attemptFaults;
    },
  };
}

function faceSeen(face: Face, { quality, pad }: Examination) {
  return {
    box: face.box,
    landmarks: face.landmarks,
    detectionScore: face.score,
    quality: quality.measures,
    qualityModel: quality.model,
    pad,
  };
}
