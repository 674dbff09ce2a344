import { AgentError } from '../../errors.ts';
import type { FrameSource } from '../../ports.ts';
import type { Frame } from '../../vision/frame.ts';

export type PumpCounters = {
  /** Frames the source handed out. */
  readonly frames: number;
  /** Frames that came while another was being examined. */
  readonly dropped: number;
  /** Frames in which nothing moved. */
  readonly gated: number;
  /** Frames that were examined. */
  readonly recognised: number;
  /** Frames that could not be examined, and events that could not be delivered. */
  readonly errors: number;
};

export type SourceLost = {
  readonly kind: 'source-lost';
  readonly sourceId: string;
  readonly error: AgentError;
};

export type FramePump = {
  /** Settles when the source has ended or is closed; rejects with SOURCE_LOST after the event of that name. */
  readonly done: Promise<void>;
  /** A copy, as of now. */
  counters(): PumpCounters;
};

/**
 * The loop of the door: newest frame, motion gate, recognition, event; then the next frame. What goes
 * wrong with one frame is counted, told to `onError`, and never stops the loop. Close the source to end it.
 */
export function pumpFrames<Event>(parts: {
  readonly source: FrameSource;
  /** False: nothing moved, spare the recognizer. */
  readonly opensFor: (frame: Frame) => boolean;
  readonly recognise: (frame: Frame) => Promise<readonly Event[]>;
  /** The first frame that is spared after others were examined. */
  readonly onRest?: () => void;
  readonly onEvent: (event: Event | SourceLost) => void;
  readonly onError: (error: unknown) => void;
}): FramePump {
  const { source, opensFor, recognise, onRest = () => {}, onEvent, onError } = parts;
  let frames = 0;
  let gated = 0;
  let recognised = 0;
  let errors = 0;
  let resting = true;

  function failed(error: unknown): void {
    errors++;
    onError(error);
  }

  function deliver(event: Event | SourceLost): void {
    try {
      onEvent(event);
    } catch (error) {
      failed(error);
    }
  }

  async function examine(frame: Frame): Promise<void> {
    try {
      if (!opensFor(frame)) {
        gated++;
        if (!resting) onRest();
        resting = true;
        return;
      }
      resting = false;
      const events = await recognise(frame);
      recognised++;
      for (const event of events) deliver(event);
    } catch (error) {
      failed(error);
    }
  }

  async function run(): Promise<void> {
    try {
      for (let frame = await source.next(); frame; frame = await source.next()) {
        frames++;
        await examine(frame);
      }
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      deliver({ kind: 'source-lost', sourceId: source.id, error });
      throw error;
    }
  }

  return {
    done: run(),
    counters: () => ({ frames, dropped: source.dropped, gated, recognised, errors }),
  };
}
