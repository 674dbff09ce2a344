/**
 * The door at work. What is imported here is all that the main thread holds: models, templates and the
 * database are in the recognition thread only.
 */
import type { Place } from './agent.ts';
import { AgentError } from './errors.ts';
import { systemClock } from './io/clock.ts';
import { type PumpCounters, pumpFrames, type SourceLost } from './io/frame-pump.ts';
import type { Log, LogFields } from './io/log.ts';
import { moduleBeside, startRecognitionThread } from './io/recognition-thread.ts';
import { protectsKeys } from './io/secure-memory.ts';
import { superviseRecognition } from './io/supervised-recognition.ts';
import type { FrameSource } from './ports.ts';
import type { RecognitionEvent } from './recognition/event.ts';
import { createMotionGate } from './vision/motion.ts';

export type DoorOutput = {
  readonly onEvent: (event: RecognitionEvent | SourceLost) => void;
  readonly log: Log;
};

/**
 * Until the source ends: frames from the source, recognition in a thread of its own,
 * events out. Returns the counters. @throws SOURCE_LOST, and what keeps the thread from opening
 */
export async function runDoor(
  place: Place,
  source: FrameSource,
  maxFrameBytes: number,
  { onEvent, log }: DoorOutput,
): Promise<PumpCounters> {
  const { config } = place;
  const thread = superviseRecognition<RecognitionEvent>({
    clock: systemClock,
    start: () =>
      startRecognitionThread({
        workerUrl: moduleBeside(import.meta.url, './worker'),
        workerData: place,
        maxFrameBytes,
      }),
    onRestart: ({ attempt, error }) =>
      log.error('recognition-restarted', { attempt, code: error.code }),
  });
  const motion = createMotionGate({
    threshold: config['motion.threshold'],
    // The last word on a visitor who left comes with a later frame: one must be looked at.
    holdMs: Math.max(config['motion.holdMs'], 2 * config['track.gapMs']),
  });
  try {
    await thread.ready;
    log.info('agent-started');
    if (!protectsKeys()) log.warn('keys-unprotected');
    const pump = pumpFrames<RecognitionEvent>({
      source,
      opensFor: (frame) => !config['motion.enabled'] || motion.opensFor(frame),
      recognise: (frame) => thread.recognise(frame),
      onRest: () => thread.forget(),
      onEvent: (event) => {
        if ('capturedAtMs' in event) motion.keepOpen(event.capturedAtMs);
        onEvent(event);
      },
      onError: (error) => log.error('recognition-failed', codeOf(error)),
    });
    const failed = thread.exited.then(async (error) => {
      await source.close();
      if (error) throw error;
    });
    await Promise.race([pump.done, failed]);
    const counters = pump.counters();
    log.info('agent-stopped', counters);
    return counters;
  } finally {
    motion.wipe();
    await source.close();
    await thread.close();
  }
}

function codeOf(error: unknown): LogFields {
  return { code: error instanceof AgentError ? error.code : 'INTERNAL' };
}
