import type { Readable } from 'node:stream';
import { AgentError } from '../../errors.ts';
import type { Clock, FrameSource } from '../../ports.ts';
import { createFrameParser, describeSpec } from './frame-parser.ts';
import { createLatestFrame, type RawFrameSpec } from './latest-frame.ts';

/**
 * Raw frames from a stream that somebody else feeds, as a rule standard input. The stream is always
 * read at once, so its writer is never held up. SOURCE_LOST: the stream failed, or ended inside a frame.
 */
export function openStdinSource(
  stream: Readable,
  options: { readonly spec: RawFrameSpec; readonly clock: Clock; readonly id?: string },
): FrameSource {
  const { spec, clock, id = 'stdin' } = options;
  const slot = createLatestFrame(spec, id);
  const parser = createFrameParser(slot, clock);

  function lost(reason: string, cause?: unknown): void {
    slot.fail(new AgentError('SOURCE_LOST', `${id}: ${reason}`, { cause }));
  }

  stream.on('data', parser.push);
  stream.on('end', () => {
    if (parser.pendingBytes === 0) return slot.end();
    lost(
      `the stream ended after ${parser.pendingBytes} bytes of a frame: raw frames of the wrong size? Expected ${describeSpec(spec)}`,
    );
  });
  stream.on('error', (cause) => lost(`the stream failed (${cause.message})`, cause));
  stream.on('close', () => lost('the stream was cut off'));

  return {
    id,
    next: slot.next,
    get dropped() {
      return slot.dropped;
    },
    close: async () => {
      // First: what still arrived would be written into the buffers that closing has overwritten.
      stream.off('data', parser.push);
      slot.close();
      stream.destroy();
    },
  };
}
