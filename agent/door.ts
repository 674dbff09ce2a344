/**
 * The door at work. What is imported here is all that the main thread holds: models, templates and the
 * database are in the recognition thread only.
 */
import type { Place } from './agent.ts';
import { openDoorRelay } from './door-relay.ts';
import { AgentError } from './errors.ts';
import { type PumpCounters, pumpFrames, type SourceLost } from './io/camera/frame-pump.ts';
import { systemClock } from './io/process/clock.ts';
import type { Log, LogFields } from './io/process/log.ts';
import { protectsKeys } from './io/process/secure-memory.ts';
import { moduleBeside, startRecognitionThread } from './io/recognition/recognition-thread.ts';
import { superviseRecognition } from './io/recognition/supervised-recognition.ts';
import type { StartHolder } from './io/relay/start-holder.ts';
import type { FrameSource } from './ports.ts';
import type { RecognitionEvent } from './recognition/event.ts';
import type { DoorFault } from './ueip/attempt-of-event.ts';
import type { Frame } from './vision/frame.ts';
import { createMotionGate } from './vision/motion.ts';
import type { RecognitionData } from './worker.ts';

export type DoorOutput = {
  readonly onEvent: (event: RecognitionEvent | SourceLost) => void;
  readonly log: Log;
  /** The models are loaded, and frames are awaited. */
  readonly onReady?: (() => void) | undefined;
  /** What holds the line of the relay; absent: nothing opens. */
  readonly relay?: StartHolder | undefined;
  /**
   * A ring (io/programme/attempt-ring.ts) into which the recognition thread, and every one that follows it, puts its
   * attempts while somebody listens.
   */
  readonly attempts?: SharedArrayBuffer | undefined;
  /**
   * An attempt of which no event can tell: the source was lost; frames could not be examined. What it throws
   * is logged and changes nothing.
   */
  readonly onFault?: ((fault: DoorFault) => void) | undefined;
};

/**
 * Until the source ends: frames from the source, recognition in a thread of its own,
 * events out, and orders to the relay. Returns the counters. @throws SOURCE_LOST, and what keeps the thread from opening
 */
export async function runDoor(
  place: Place,
  source: FrameSource,
  maxFrameBytes: number,
  { onEvent, log, onReady, relay: holder, attempts, onFault }: DoorOutput,
): Promise<PumpCounters> {
  const { config } = place;
  const thread = superviseRecognition<RecognitionEvent>({
    clock: systemClock,
    start: () =>
      startRecognitionThread({
        workerUrl: moduleBeside(import.meta.url, './worker'),
        workerData: { ...place, attempts } satisfies RecognitionData,
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
  const relay = holder && openDoorRelay(config, log, holder);
  let isFailing = false;

  /** Frames that fail one after the other are one attempt, as the frames of one visitor are. */
  async function recognise(frame: Frame): Promise<readonly RecognitionEvent[]> {
    try {
      const events = await thread.recognise(frame);
      isFailing = false;
      return events;
    } catch (error) {
      if (!isFailing) tellFault('model-failed');
      isFailing = true;
      throw error;
    }
  }

  /** Who listens is no concern of the door. */
  function tellFault(fault: DoorFault): void {
    try {
      onFault?.(fault);
    } catch {
      log.error('attempts-not-told', { errors: 1 });
    }
  }

  try {
    await thread.ready;
    log.info('agent-started');
    onReady?.();
    if (!protectsKeys()) log.warn('keys-unprotected');
    const pump = pumpFrames<RecognitionEvent>({
      source,
      opensFor: (frame) => !config['motion.enabled'] || motion.opensFor(frame),
      recognise,
      onRest: () => thread.forget(),
      onEvent: (event) => {
        // First: nobody waits before the door because of what else is done with an event.
        relay?.onEvent(event);
        if ('capturedAtMs' in event) motion.keepOpen(event.capturedAtMs);
        else tellFault('camera-lost');
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
    await relay?.close();
  }
}

function codeOf(error: unknown): LogFields {
  return { code: error instanceof AgentError ? error.code : 'INTERNAL' };
}
