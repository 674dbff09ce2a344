import type { AgentError } from '../../errors.ts';
import { type Frame, frameSizeBytes, type PixelFormat } from '../../vision/frame.ts';

/** What every frame of a raw source looks like. */
export type RawFrameSpec = {
  readonly format: PixelFormat;
  readonly width: number;
  readonly height: number;
};

/**
 * The queue of one frame between a producer that is never blocked and a consumer that takes what is
 * newest. Three buffers, allocated once: one is being filled, one is ready, one is with the consumer.
 */
export type LatestFrame = {
  /** Where the producer writes the coming frame. Another buffer after each `publish`. */
  readonly filling: Uint8Array;
  /** The filled buffer is now the newest frame; one that nobody took is dropped and counted. */
  publish(capturedAtMs: number): void;
  /** Fills the buffer with `bytes` (one whole frame) and publishes it. */
  offer(bytes: Uint8Array, capturedAtMs: number): void;
  /** As FrameSource.next: one call at a time. The frame lent before is overwritten with zeros first. */
  next(): Promise<Frame | undefined>;
  /** A frame that is ready is still handed out; then `next` gives undefined. */
  end(): void;
  /** A frame that is ready is still handed out; then `next` rejects with `error`. */
  fail(error: AgentError): void;
  /** Ends at once and overwrites all buffers, the lent one too. May be called twice. */
  close(): void;
  readonly dropped: number;
};

type Waiter = {
  resolve(frame: Frame | undefined): void;
  reject(error: AgentError): void;
};

export function createLatestFrame(spec: RawFrameSpec, sourceId: string): LatestFrame {
  const { format, width, height } = spec;
  const sizeBytes = frameSizeBytes(format, width, height);
  const buffers = [0, 1, 2].map(() => new Uint8Array(sizeBytes));
  const spare: Uint8Array[] = [...buffers];
  let filling = takeSpare();
  let ready: Frame | undefined;
  let lent: Uint8Array | undefined;
  let waiter: Waiter | undefined;
  let outcome: 'open' | 'ended' | AgentError = 'open';
  let dropped = 0;

  function takeSpare(): Uint8Array {
    const buffer = spare.pop();
    if (!buffer) throw new TypeError('a frame buffer was handed out twice');
    return buffer;
  }

  function lend(frame: Frame): Frame {
    lent = frame.data;
    return frame;
  }

  function takeBack(): void {
    if (!lent) return;
    lent.fill(0);
    spare.push(lent);
    lent = undefined;
  }

  function publish(capturedAtMs: number): void {
    if (outcome !== 'open') return;
    const frame: Frame = { format, width, height, data: filling, capturedAtMs, sourceId };
    if (waiter) {
      filling = takeSpare();
      const { resolve } = waiter;
      waiter = undefined;
      resolve(lend(frame));
    } else {
      if (ready) dropped++;
      filling = ready?.data ?? takeSpare();
      ready = frame;
    }
  }

  function settle(how: 'ended' | AgentError): void {
    if (outcome !== 'open') return;
    outcome = how;
    filling.fill(0);
    if (how === 'ended') waiter?.resolve(undefined);
    else waiter?.reject(how);
    waiter = undefined;
  }

  async function next(): Promise<Frame | undefined> {
    if (waiter) throw new TypeError('next() was called while another call is waiting');
    takeBack();
    if (ready) {
      const frame = ready;
      ready = undefined;
      return lend(frame);
    }
    if (outcome === 'ended') return undefined;
    if (outcome !== 'open') throw outcome;
    return new Promise((resolve, reject) => {
      waiter = { resolve, reject };
    });
  }

  return {
    get filling() {
      return filling;
    },
    publish,
    offer: (bytes, capturedAtMs) => {
      if (bytes.length !== sizeBytes) {
        throw new TypeError(`a frame of ${bytes.length} bytes was offered, not ${sizeBytes}`);
      }
      filling.set(bytes);
      publish(capturedAtMs);
    },
    next,
    end: () => settle('ended'),
    fail: settle,
    close: () => {
      settle('ended');
      outcome = 'ended';
      ready = undefined;
      for (const buffer of buffers) buffer.fill(0);
    },
    get dropped() {
      return dropped;
    },
  };
}
