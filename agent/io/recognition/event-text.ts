import type { RecognitionEvent } from '../../recognition/event.ts';

/** One event in words: "match R-12 (score 0.71, threshold 0.36, lead 0.52) in 14.2 ms". */
export function eventLine(event: RecognitionEvent): string {
  return `${decisionText(event)} in ${event.timesMs.total.toFixed(1)} ms`;
}

export function decisionText(event: RecognitionEvent): string {
  switch (event.kind) {
    case 'match':
      return `match ${event.residentId} (score ${event.score.toFixed(2)}, threshold ${event.threshold}${lead(event)})`;
    case 'no-match':
      return event.score === undefined
        ? 'no match (nobody is enrolled)'
        : `no match (best score ${event.score.toFixed(2)}, threshold ${event.threshold})`;
    case 'ambiguous':
      return `ambiguous (two residents: ${event.score.toFixed(2)} and ${event.runnerUpScore.toFixed(2)})`;
    case 'poor-quality':
      return `poor picture (${event.reasons.join(', ')})`;
    case 'attack':
      return 'presentation attack';
    case 'stale':
      return 'too late to act upon';
    case 'no-face':
      return 'no face';
  }
}

function lead(event: RecognitionEvent & { kind: 'match' }): string {
  if (event.runnerUpScore === undefined) return '';
  return `, lead ${(event.score - event.runnerUpScore).toFixed(2)}`;
}

/** What `identify` says of one picture: a picture without a face has an empty list. */
export function pictureResult(events: readonly RecognitionEvent[]) {
  return { faces: events.filter(({ kind }) => kind !== 'no-face') };
}
