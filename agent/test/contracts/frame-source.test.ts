import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setImmediate, setTimeout } from 'node:timers/promises';
import sharp from 'sharp';
import { describe } from 'vitest';
import { startExecSource } from '../../io/camera/frame-exec.ts';
import { openFilesSource } from '../../io/camera/frame-files.ts';
import { openStdinSource } from '../../io/camera/frame-stdin.ts';
import { openV4l2Source } from '../../io/camera/frame-v4l2.ts';
import type { RawFrameSpec } from '../../io/camera/latest-frame.ts';
import { systemClock } from '../../io/process/clock.ts';
import type { Clock } from '../../ports.ts';
import { createFakeCamera } from '../fakes/fake-camera.ts';
import { createFakeSource } from '../fakes/fake-source.ts';
import { makeFifo } from '../fakes/fifo.ts';
import { createManualTime } from '../fakes/manual-time.ts';
import { frameSourceContract, type SourceHarness } from './frame-source.ts';

const spec: RawFrameSpec = { format: 'grey', width: 32, height: 24 };
const sizeBytes = 32 * 24;

for (const [name, make] of [
  ['fake', fake],
  ['stdin', stdin],
  ['exec', exec],
  ['files', files],
  ['v4l2', v4l2],
] as const) {
  describe(`frame source: ${name}`, () => frameSourceContract(make));
}

async function fake(): Promise<SourceHarness> {
  const source = createFakeSource(spec, systemClock);
  return {
    source,
    offer: async (value) => source.offer(value),
    end: async () => source.end(),
    lose: async () => source.lose(),
    dispose: async () => {},
  };
}

async function stdin(): Promise<SourceHarness> {
  const stream = new PassThrough();
  const source = openStdinSource(stream, { spec, clock: systemClock });
  return {
    source,
    offer: async (value) => {
      stream.write(new Uint8Array(sizeBytes).fill(value));
      await setImmediate();
    },
    end: async () => {
      stream.end();
      await setImmediate();
    },
    lose: async () => {
      stream.destroy(new Error('the pipe broke'));
      await setImmediate();
    },
    dispose: async () => {},
  };
}

/** `cat` of a FIFO that the test writes to: a program that brings frames exactly when told. */
async function exec(): Promise<SourceHarness> {
  const folder = await mkdtemp(join(tmpdir(), 'doorkeep-exec-'));
  const fifo = join(folder, 'frames');
  makeFifo(fifo);
  // Read and write: opening it so does not wait for the other side.
  const hand = await open(fifo, 'r+');
  let readings = 0;
  /** The source reads the clock at the first byte of a frame and when the frame is whole. */
  const clock: Clock = {
    ...systemClock,
    monotonicMs: () => {
      readings++;
      return systemClock.monotonicMs();
    },
  };
  const source = startExecSource({ command: ['cat', fifo], spec, clock, restarts: 0 });
  let isOpen = true;

  async function write(bytes: Uint8Array, expectedReadings: number): Promise<void> {
    const until = readings + expectedReadings;
    await hand.write(bytes);
    while (readings < until) await setTimeout(1);
  }
  async function hangUp(): Promise<void> {
    if (isOpen) await hand.close();
    isOpen = false;
  }

  return {
    source,
    offer: (value) => write(new Uint8Array(sizeBytes).fill(value), 2),
    end: hangUp,
    lose: async () => {
      await write(new Uint8Array(sizeBytes - 1), 1);
      await hangUp();
    },
    dispose: async () => {
      await hangUp();
      await rm(folder, { recursive: true });
    },
  };
}

/** A slide show of files that the test writes one after the other, each just before it is due. */
async function files(): Promise<SourceHarness> {
  const folder = await mkdtemp(join(tmpdir(), 'doorkeep-files-'));
  const time = createManualTime();
  const pictures = Array.from({ length: 16 }, (_, index) => join(folder, `${index}.png`));
  const source = await openFilesSource({
    pictures,
    mode: 'newest',
    fps: 10,
    clock: time.clock,
    timers: time.timers,
    onSkipped: () => {},
  });
  let offered = 0;
  return {
    source,
    offer: async (value) => {
      const picture = { width: 32, height: 24, channels: 3, background: greyOf(value) } as const;
      await sharp({ create: picture })
        .png()
        .toFile(pictures[offered++] ?? '');
      time.advance(100);
    },
    end: async () => {
      pictures.length = offered;
    },
    lose: async () => {
      pictures.length = 1;
      time.advance(100);
    },
    dispose: () => rm(folder, { recursive: true }),
  };
}

/** What the addon promises, without a kernel: the real camera is tried in a virtual machine (scripts/kernel). */
async function v4l2(): Promise<SourceHarness> {
  const camera = createFakeCamera({ format: 'nv12', width: 32, height: 24 });
  const { source } = openV4l2Source({ path: '/dev/video0', openCamera: camera.openCamera });
  return {
    source,
    offer: async (value) => camera.offer(value),
    lose: async () => camera.lose('it was unplugged: No such device'),
    dispose: async () => {},
  };
}

function greyOf(value: number) {
  return { r: value, g: value, b: value };
}
