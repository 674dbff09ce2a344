import { AgentError } from '../../errors.ts';
import type { Clock } from '../../ports.ts';
import { frameLimits, frameSizeBytes, pixelFormats } from '../../vision/frame.ts';
import type { LatestFrame, RawFrameSpec } from './latest-frame.ts';

export type FrameParser = {
  /**
   * Takes the next bytes of the stream, however it was cut, overwrites `chunk` with zeros and frees its
   * memory where it has it to itself: the pixels live on in the slot only. Returns how many frames these
   * bytes completed.
   */
  push(chunk: Uint8Array): number;
  /** Bytes of the frame that is not complete. */
  readonly pendingBytes: number;
  /** Forgets the incomplete frame: the next byte is the first of a new one. */
  reset(): void;
};

/**
 * Cuts a stream of raw frames, one after the other without headers, straight into the slot's buffers.
 * A frame's capture time is the arrival of its first byte: the nearest a pipe can tell.
 */
export function createFrameParser(
  slot: Pick<LatestFrame, 'filling' | 'publish'>,
  clock: Clock,
): FrameParser {
  let used = 0;
  let startedAtMs = 0;

  function push(chunk: Uint8Array): number {
    let frames = 0;
    for (let at = 0; at < chunk.length; ) {
      if (used === 0) startedAtMs = clock.monotonicMs();
      const target = slot.filling;
      const sizeBytes = Math.min(target.length - used, chunk.length - at);
      target.set(chunk.subarray(at, at + sizeBytes), used);
      at += sizeBytes;
      used += sizeBytes;
      if (used < target.length) break;
      used = 0;
      frames++;
      slot.publish(startedAtMs);
    }
    giveBack(chunk);
    return frames;
  }

  return {
    push,
    get pendingBytes() {
      return used;
    },
    reset: () => {
      slot.filling.fill(0, 0, used);
      used = 0;
    },
  };
}

/**
 * The pixels are overwritten, and the memory is freed now: V8 does not see how large what hangs on a small
 * Buffer is, and would let 30 MB of such chunks pile up before it collects them (measured at 640x480, 10 frames
 * a second: 177 MB resident without, 147 MB with it).
 */
function giveBack(chunk: Uint8Array): void {
  chunk.fill(0);
  const { buffer } = chunk;
  const isItsOwn = chunk.byteLength === buffer.byteLength && buffer instanceof ArrayBuffer;
  if (isItsOwn) buffer.transfer(0);
}

/** "nv12", "1280x720" -> what the frames look like, or CONFIG_INVALID. */
export function rawFrameSpec(format: string, size: string): RawFrameSpec {
  const known = pixelFormats.find((name) => name === format);
  if (!known) {
    throw new AgentError(
      'CONFIG_INVALID',
      `frame format "${format}" is none of ${pixelFormats.join(', ')}`,
    );
  }
  return { format: known, ...frameSize(size) };
}

/** "1280x720", or CONFIG_INVALID. */
export function frameSize(text: string): { readonly width: number; readonly height: number } {
  const [, width, height] = /^(\d{1,5})x(\d{1,5})$/.exec(text) ?? [];
  const size = { width: Number(width), height: Number(height) };
  if (!isSide(size.width) || !isSide(size.height)) {
    throw new AgentError(
      'CONFIG_INVALID',
      `frame size "${text}" is not WIDTHxHEIGHT with sides of ${frameLimits.minSide} to ${frameLimits.maxSide} pixels`,
    );
  }
  return size;
}

/** "1382400 bytes each (nv12 1280x720)": for messages about streams that do not fit. */
export function describeSpec({ format, width, height }: RawFrameSpec): string {
  return `${frameSizeBytes(format, width, height)} bytes each (${format} ${width}x${height})`;
}

function isSide(pixels: number): boolean {
  return pixels >= frameLimits.minSide && pixels <= frameLimits.maxSide;
}
