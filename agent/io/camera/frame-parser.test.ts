import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AgentError } from '../../errors.ts';
import { createManualTime } from '../../test/fakes/manual-time.ts';
import { frameSizeBytes, pixelFormats } from '../../vision/frame.ts';
import { createFrameParser, rawFrameSpec } from './frame-parser.ts';

test('frames come out whole however the stream was cut', () => {
  const sizeBytes = 24;
  const cuts = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(cuts, (lengths) => {
      const total = lengths.reduce((sum, length) => sum + length, 0);
      const stream = Uint8Array.from({ length: total }, (_, index) => (index % 251) + 1);
      const frames: number[][] = [];
      const parser = parserOf(sizeBytes, (frame) => frames.push([...frame]));
      let at = 0;
      let announced = 0;
      for (const length of lengths) {
        announced += parser.push(stream.slice(at, at + length));
        at += length;
      }
      expect(announced).toBe(Math.floor(total / sizeBytes));
      expect(frames.flat()).toEqual([...stream.subarray(0, announced * sizeBytes)]);
      expect(parser.pendingBytes).toBe(total % sizeBytes);
    }),
  );
});

test('S0-18 a chunk of the stream is overwritten once its pixels are in the frame', () => {
  const parser = parserOf(24, () => {});
  const memory = new Uint8Array(100).fill(77);
  const chunk = memory.subarray(20, 80);
  parser.push(chunk);
  expect(chunk.includes(77)).toBe(false);
  expect(memory.filter((byte) => byte === 77)).toHaveLength(40);
});

test('the memory of a chunk is freed at once where nobody else has a part in it', () => {
  const parser = parserOf(24, () => {});
  const chunk = new Uint8Array(60);
  parser.push(chunk);
  expect(chunk.byteLength).toBe(0);
});

test('a frame is as old as its first byte', () => {
  const time = createManualTime(5_000);
  const capturedAtMs: number[] = [];
  const slot = { filling: new Uint8Array(10), publish: (at: number) => capturedAtMs.push(at) };
  const parser = createFrameParser(slot, time.clock);
  parser.push(new Uint8Array(4));
  time.advance(40);
  parser.push(new Uint8Array(10));
  time.advance(40);
  parser.push(new Uint8Array(6));
  expect(capturedAtMs).toEqual([5_000, 5_040]);
});

test('after a reset the next byte begins a new frame, and the half one is overwritten', () => {
  const frames: number[][] = [];
  const target = new Uint8Array(4);
  const slot = { filling: target, publish: () => frames.push([...target]) };
  const parser = createFrameParser(slot, createManualTime().clock);
  parser.push(Uint8Array.of(1, 2, 3));
  parser.reset();
  expect([...target]).toEqual([0, 0, 0, 0]);
  expect(parser.pendingBytes).toBe(0);
  parser.push(Uint8Array.of(5, 6, 7, 8));
  expect(frames).toEqual([[5, 6, 7, 8]]);
});

test.each(pixelFormats)('%s and a size are understood', (format) => {
  const spec = rawFrameSpec(format, '1280x720');
  expect(spec).toEqual({ format, width: 1280, height: 720 });
  expect(frameSizeBytes(spec.format, spec.width, spec.height)).toBeGreaterThan(0);
});

test.each([
  ['h264', '1280x720', 'frame format "h264" is none of rgb24'],
  ['nv12', '1280', 'frame size "1280" is not WIDTHxHEIGHT'],
  ['nv12', '1280x-1', 'frame size "1280x-1"'],
  ['nv12', '15x720', 'sides of 16 to 8192'],
  ['nv12', '1280x8193', 'sides of 16 to 8192'],
  ['nv12', '', 'frame size ""'],
])('%s %s is refused in one clear line', (format, size, message) => {
  const refusal = refusalOf(() => rawFrameSpec(format, size));
  expect(refusal.code).toBe('CONFIG_INVALID');
  expect(refusal.message).toContain(message);
});

function parserOf(sizeBytes: number, onFrame: (frame: Uint8Array) => void) {
  const filling = new Uint8Array(sizeBytes);
  return createFrameParser({ filling, publish: () => onFrame(filling) }, createManualTime().clock);
}

function refusalOf(run: () => unknown): AgentError {
  try {
    run();
  } catch (error) {
    if (error instanceof AgentError) return error;
  }
  throw new Error('it was not refused');
}
