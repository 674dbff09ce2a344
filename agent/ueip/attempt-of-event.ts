import type { RecognitionEvent } from '../recognition/event.ts';
import type { Attempt, FailureReason, Moment } from './attempt.ts';

/** What an attempt came to, without its moment and without the face. */
export type AttemptOutcome = Omit<Attempt, 'at' | 'embedding'>;

/** Who was at the door, where, and why a picture was poor is left behind here. A success is a match and nothing else. */
export function attemptOfEvent(event: RecognitionEvent): AttemptOutcome {
  const { capturedAtMs, decidedAtMs, timesMs } = event;
  const sinceCaptureMs = decidedAtMs - capturedAtMs;
  const reason = reasonOf(event);
  return {
    result: reason === null ? 'success' : 'failure',
    reason,
    bestScore: bestScoreOf(event),
    // A camera whose clock is ahead, or gives no number, has frames of the future: they are stale, and took no time.
    overheadMs: sinceCaptureMs > 0 ? sinceCaptureMs : 0,
    stagesMs: timesMs,
  };
}

/** An attempt that did not get as far as an event: the camera or the recognition thread failed. */
export function attemptOfFault(reason: DoorFault, at: Moment): Attempt {
  return {
    at,
    embedding: undefined,
    result: 'failure',
    reason,
    bestScore: null,
    overheadMs: 0,
    stagesMs: { total: 0 },
  };
}

export type DoorFault = Extract<FailureReason, 'camera-lost' | 'model-failed'>;

function reasonOf({ kind }: RecognitionEvent): Exclude<FailureReason, DoorFault> | null {
  switch (kind) {
    case 'match':
      return null;
    case 'poor-quality':
      return 'low-quality';
    case 'no-face':
    case 'attack':
    case 'no-match':
    case 'ambiguous':
    case 'stale':
      return kind;
  }
}

function bestScoreOf(event: RecognitionEvent): number | null {
  switch (event.kind) {
    case 'match':
    case 'no-match':
    case 'ambiguous':
      return event.score ?? null;
    case 'no-face':
    case 'poor-quality':
    case 'attack':
    case 'stale':
      return null;
  }
}
