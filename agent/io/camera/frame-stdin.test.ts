import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { AgentError } from '../../errors.ts';
import type { FrameSource } from '../../ports.ts';
import { systemClock } from '../process/clock.ts';
import { openStdinSource } from './frame-stdin.ts';

const spec = { format: 'nv12', width: 64, height: 48 } as const;
const sizeBytes = 64 * 48 * 1.5;

test('a stream that ends inside a frame is told as frames of the wrong size', async () => {
  const stream = new PassThrough();
  const source = openStdinSource(stream, { spec, clock: systemClock });
  stream.end(new Uint8Array(sizeBytes + 100));
  expect((await source.next())?.data.length).toBe(sizeBytes);
  expect((await lossOf(source)).message).toBe(
    'stdin: the stream ended after 100 bytes of a frame: raw frames of the wrong size? Expected 4608 bytes each (nv12 64x48)',
  );
});

test('an empty stream is a source that has ended', async () => {
  const stream = new PassThrough();
  const source = openStdinSource(stream, { spec, clock: systemClock });
  stream.end();
  expect(await source.next()).toBeUndefined();
});

test('a stream that fails is told with its reason', async () => {
  const stream = new PassThrough();
  const source = openStdinSource(stream, { spec, clock: systemClock });
  stream.destroy(new Error('EIO'));
  expect((await lossOf(source)).message).toBe('stdin: the stream failed (EIO)');
});

test('a stream that is cut off without an end is lost', async () => {
  const stream = new PassThrough();
  const source = openStdinSource(stream, { spec, clock: systemClock });
  stream.destroy();
  expect((await lossOf(source)).message).toBe('stdin: the stream was cut off');
});

test('whoever writes is never held up, although nobody takes a frame', async () => {
  const frames = 10_000;
  const writer = spawn('head', ['-c', String(frames * sizeBytes), '/dev/zero'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const source = openStdinSource(writer.stdout, { spec, clock: systemClock });
  expect(await once(writer, 'close')).toEqual([0, null]);
  expect(source.dropped).toBe(frames - 1);
  expect(await source.next()).toBeDefined();
  expect(await source.next()).toBeUndefined();
});

test('after closing nothing is read any more, and the stream is let go', async () => {
  const stream = new PassThrough();
  const source = openStdinSource(stream, { spec, clock: systemClock });
  expect(stream.listenerCount('data')).toBe(1);
  await source.close();
  expect([stream.listenerCount('data'), stream.destroyed]).toEqual([0, true]);
});

async function lossOf(source: FrameSource): Promise<AgentError> {
  const outcome = await source.next().catch((error: unknown) => error);
  if (outcome instanceof AgentError && outcome.code === 'SOURCE_LOST') return outcome;
  throw new Error(`the source was not lost: ${String(outcome)}`);
}
