/** What the camera source does with a real driver. */
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { readSettings } from '../../../agent/config.ts';
import { cameraChecks, relayCheck } from '../../../agent/device-health.ts';
import { openV4l2Source } from '../../../agent/io/camera/frame-v4l2.ts';
import { systemClock } from '../../../agent/io/process/clock.ts';
import {
  feed,
  framesOf,
  imageProcessor,
  input,
  openCamera,
  output,
  show,
  size,
} from './cameras.ts';
import { check, expect } from './console.ts';

export async function checkCameras(): Promise<void> {
  await check('the camera gives NV12 frames as they were shown, with their time', realFrames);
  await check('only the newest frame waits, the others are counted', newestOnly);
  await check('a camera gives what is asked for, or says that it does not', otherFormats);
  await check('no program that the agent starts has the camera open', closedForChildren);
  await check('an image processor (multiplanar) gives NV12 frames too', multiplanar);
  await check('doctor sees both cameras and the line of the relay, and leaves them alone', doctor);
}

/** The end of both cameras: nothing can be checked with them after it. */
export async function checkUnplugging(): Promise<void> {
  await check('a camera that is unplugged is SOURCE_LOST', unplugged);
}

async function realFrames(): Promise<string> {
  const shown = framesOf('visit');
  await show('visit');
  const { source, format } = openV4l2Source({ path: input, openCamera });
  try {
    expect(format === 'nv12', `the format is ${format}`);
    let before = 0;
    let oldestMs = 0;
    let known = 0;
    for (let taken = 0; taken < 20; taken++) {
      const frame = await source.next();
      if (!frame) throw new Error('the camera ended');
      expect(frame.width === size.width && frame.height === size.height, 'the size is another');
      expect(frame.capturedAtMs > before, 'a time goes back');
      const ageMs = systemClock.monotonicMs() - frame.capturedAtMs;
      expect(ageMs >= 0, 'a frame is of the future');
      before = frame.capturedAtMs;
      oldestMs = Math.max(oldestMs, ageMs);
      const isKnown = shown.some((each) => Buffer.compare(each, frame.data) === 0);
      if (isKnown) known++;
      // Before the first shown frame has come round, the driver brings a test picture.
      else expect(known === 0 && taken < 5, `frame ${taken} is not one that was shown`);
    }
    return `${known} of 20 frames byte for byte, the oldest ${oldestMs.toFixed(1)} ms old`;
  } finally {
    await source.close();
  }
}

async function newestOnly(): Promise<string> {
  const { source } = openV4l2Source({ path: input, openCamera });
  try {
    await source.next();
    await setTimeout(1_000);
    const askedAtMs = systemClock.monotonicMs();
    const frame = await source.next();
    expect(source.dropped >= 5, `${source.dropped} frames were dropped in a second`);
    const ageMs = askedAtMs - (frame?.capturedAtMs ?? 0);
    expect(ageMs < 500, `the newest frame is ${ageMs.toFixed(0)} ms old`);
    return `${source.dropped} dropped, the one that waited was ${ageMs.toFixed(0)} ms old`;
  } finally {
    await source.close();
  }
}

async function otherFormats(): Promise<string> {
  const yuyv = openV4l2Source({ path: input, format: 'yuyv', size, openCamera });
  const frame = await yuyv.source.next();
  await yuyv.source.close();
  expect(frame?.data.length === 2 * size.width * size.height, 'a YUYV frame has another length');
  const refusals = [
    refusalOf(() => openV4l2Source({ path: input, format: 'mjpeg', openCamera })),
    refusalOf(() =>
      openV4l2Source({ path: imageProcessor, size: { width: 101, height: 99 }, openCamera }),
    ),
    refusalOf(() => openV4l2Source({ path: output, openCamera })),
  ];
  return refusals.join('; ');
}

async function closedForChildren(): Promise<string> {
  const { source } = openV4l2Source({ path: input, openCamera });
  try {
    const open = readdirSync('/proc/self/fd').filter((fd) => linkOf(fd) === input);
    expect(open.length === 1, `the camera is open ${open.length} times`);
    const [, flags = ''] =
      /flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${open[0]}`, 'utf8')) ?? [];
    expect((Number.parseInt(flags, 8) & 0o2000000) !== 0, `O_CLOEXEC is not in ${flags}`);
  } finally {
    await source.close();
  }
  const left = readdirSync('/proc/self/fd').filter((fd) => linkOf(fd) === input);
  expect(left.length === 0, 'the camera is still open after closing');
  return 'O_CLOEXEC, and closed after closing';
}

async function multiplanar(): Promise<string> {
  const { source, format, maxFrameBytes } = openV4l2Source({ path: imageProcessor, openCamera });
  try {
    const frames = [await source.next(), await source.next()];
    expect(format === 'nv12', `the format is ${format}`);
    expect(
      frames.every((frame) => frame?.data.length === maxFrameBytes),
      'the length is another',
    );
    // The driver's test picture: colour bars, so no plane of it is of one value.
    expect(new Set(frames[1]?.data).size > 4, 'the picture is empty');
    return `${frames[1]?.width}x${frames[1]?.height}`;
  } finally {
    await source.close();
  }
}

async function doctor(): Promise<string> {
  const { source } = openV4l2Source({ path: input, openCamera });
  try {
    // While one of them streams, too.
    const cameras = cameraChecks();
    await source.next();
    expect(
      `${cameras.map(({ name, state }) => `${name} ${state}`)}` ===
        `camera ${input} ok,camera ${imageProcessor} ok`,
      `it says ${JSON.stringify(cameras)}`,
    );
    const seen = [5, 500].map((line) =>
      relayCheck(readSettings({ 'relay.chip': '/dev/gpiochip0', 'relay.line': line }, 'a check')),
    );
    const [there, missing] = seen;
    expect(there?.state === 'ok' && missing?.state === 'fail', `it says ${JSON.stringify(seen)}`);
    return [...cameras, ...seen].map(({ detail }) => detail).join('; ');
  } finally {
    await source.close();
  }
}

async function unplugged(): Promise<string> {
  const { source } = openV4l2Source({ path: imageProcessor, openCamera });
  await source.next();
  feed.kill('SIGKILL');
  writeFileSync('/sys/bus/platform/drivers/vivid/unbind', 'vivid.0');
  try {
    for (let left = 0; left < 4; left++) await source.next();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    expect(code === 'SOURCE_LOST', `it said ${error}`);
    return error instanceof Error ? error.message : '';
  } finally {
    await source.close();
  }
  throw new Error('it goes on bringing frames');
}

function linkOf(fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    // That of the folder itself.
    return undefined;
  }
}

function refusalOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error('nothing was refused');
}
