import { AgentError } from '../../errors.ts';
import { createLatestFrame, type RawFrameSpec } from '../../io/camera/latest-frame.ts';
import type { Clock, FrameSource } from '../../ports.ts';
import { frameSizeBytes } from '../../vision/frame.ts';

export type FakeSource = FrameSource & {
  /** One frame: its bytes, or the value of all its bytes. */
  offer(pixels: Uint8Array | number): void;
  end(): void;
  lose(message?: string): void;
};

/** A camera whose frames, end and failure the test decides. */
export function createFakeSource(spec: RawFrameSpec, clock: Clock, id = 'fake'): FakeSource {
  const slot = createLatestFrame(spec, id);
  const sizeBytes = frameSizeBytes(spec.format, spec.width, spec.height);
  return {
    id,
    next: slot.next,
    get dropped() {
      return slot.dropped;
    },
    close: async () => slot.close(),
    offer: (pixels) => {
      const bytes = typeof pixels === 'number' ? new Uint8Array(sizeBytes).fill(pixels) : pixels;
      slot.offer(bytes, clock.monotonicMs());
    },
    end: slot.end,
    lose: (message = 'the cable was cut') => slot.fail(new AgentError('SOURCE_LOST', message)),
  };
}
