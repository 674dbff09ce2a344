import type { Clock } from '../../ports.ts';
import type { RecognitionEvent } from '../../recognition/event.ts';
import type { Embedding } from '../../template/template.ts';
import { attemptOfEvent } from '../../ueip/attempt-of-event.ts';
import { ringProducer } from './attempt-ring.ts';

/**
 * What recognition tells of an attempt, copied into the ring: all that the hot path has to do with the
 * improvement programme. Whether there is a grant it does not know; where nobody listens it does nothing.
 */
export function createAttemptRecorder(
  attempts: SharedArrayBuffer,
  clock: Clock,
): (event: RecognitionEvent, embedding: Embedding | undefined) => void {
  const ring = ringProducer(attempts);
  return (event, embedding) => {
    if (!ring.isListening()) return;
    const { result, reason, bestScore, overheadMs, stagesMs } = attemptOfEvent(event);
    ring.offer({
      result,
      reason,
      bestScore,
      overheadMs,
      stagesMs,
      wallMs: clock.wallMs(),
      monotonicMs: clock.monotonicMs(),
      values: embedding?.values,
    });
  };
}
