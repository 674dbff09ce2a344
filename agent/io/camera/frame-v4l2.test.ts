import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { AgentError } from '../../errors.ts';
import { createFakeCamera } from '../../test/fakes/fake-camera.ts';
import { systemClock } from '../process/clock.ts';
import { createLog } from '../process/log.ts';
import { loadOpenCamera } from '../process/native.ts';
import { openV4l2Source } from './frame-v4l2.ts';
import { openSource } from './source-options.ts';

const path = '/dev/video0';

test('a camera is asked for what was wanted, and otherwise for the best that it gives as it is set', () => {
  const camera = createFakeCamera({ format: 'nv12', width: 640, height: 480 });
  const { openCamera } = camera;
  const opened = openV4l2Source({ path, openCamera });
  expect(camera.asked).toEqual([path, null, 0, 0]);
  expect(opened).toMatchObject({ format: 'nv12', maxFrameBytes: 460_800 });
  openV4l2Source({ path, openCamera, format: 'yuyv', size: { width: 320, height: 240 } });
  expect(camera.asked).toEqual([path, 'yuyv', 320, 240]);
});

test('a frame is the one buffer of the source, as the camera filled it', async () => {
  const camera = createFakeCamera({ format: 'yuyv', width: 32, height: 24 });
  const { source } = openV4l2Source({ path, openCamera: camera.openCamera });
  camera.offer(1);
  const first = await source.next();
  camera.offer(2);
  const second = await source.next();
  expect(second).toMatchObject({ format: 'yuyv', width: 32, height: 24, sourceId: 'v4l2' });
  expect(second?.data).toBe(first?.data);
});

test('a camera that cannot be opened is told with its device and the reason', () => {
  const refuse = () => {
    throw new Error('it gives none of NV12, YUYV and MJPEG');
  };
  expect(() => openV4l2Source({ path, openCamera: refuse })).toThrow(
    new AgentError('SOURCE_LOST', 'v4l2: /dev/video0: it gives none of NV12, YUYV and MJPEG'),
  );
});

test('S0-18 closing hands the camera back, and no frame is left behind', async () => {
  const camera = createFakeCamera({ format: 'nv12', width: 32, height: 24 });
  const { source } = openV4l2Source({ path, openCamera: camera.openCamera });
  camera.offer(5);
  await source.next();
  expect(camera.isOpen).toBe(true);
  await source.close();
  expect(camera.isOpen).toBe(false);
  expect(new Set(camera.copiedInto)).toEqual(new Set([0]));
});

test('a camera that is unplugged is lost for good, after the frame that it had brought', async () => {
  const camera = createFakeCamera({ format: 'nv12', width: 32, height: 24 });
  const { source } = openV4l2Source({ path, openCamera: camera.openCamera });
  camera.offer(5);
  camera.lose('it was unplugged: No such device');
  expect((await source.next())?.data[0]).toBe(5);
  for (const _ of [1, 2]) {
    await expect(source.next()).rejects.toMatchObject({
      code: 'SOURCE_LOST',
      message: 'v4l2: /dev/video0: it was unplugged: No such device',
    });
  }
});

describe('MJPEG', () => {
  const pictureOf = (grey: number, width = 64, height = 48) =>
    sharp({ create: { width, height, channels: 3, background: { r: grey, g: grey, b: grey } } })
      .jpeg({ optimiseCoding: false })
      .toBuffer();

  function mjpegCamera(width = 64, height = 48) {
    const camera = createFakeCamera({ format: 'mjpeg', width, height });
    const { source, maxFrameBytes } = openV4l2Source({ path, openCamera: camera.openCamera });
    return { camera, source, maxFrameBytes };
  }

  test('comes out as RGB, with the time of its capture', async () => {
    const { camera, source, maxFrameBytes } = mjpegCamera();
    camera.offer(await pictureOf(90));
    const before = systemClock.monotonicMs();
    const frame = await source.next();
    expect(frame).toMatchObject({ format: 'rgb24', width: 64, height: 48, sourceId: 'v4l2' });
    expect(new Set(frame?.data)).toEqual(new Set([90]));
    expect(frame?.data.length).toBe(maxFrameBytes);
    expect(frame?.capturedAtMs).toBeLessThanOrEqual(before);
  });

  test('S0-18 a decoded picture is gone when the next one is asked for, and after closing', async () => {
    const { camera, source } = mjpegCamera();
    camera.offer(await pictureOf(90));
    const { data } = (await source.next()) ?? {};
    camera.offer(await pictureOf(80));
    const next = (await source.next())?.data;
    expect(new Set(camera.copiedInto)).toEqual(new Set([0]));
    expect(new Set(data)).toEqual(new Set([0]));
    expect(new Set(next)).toEqual(new Set([80]));
    await source.close();
    expect(new Set(next)).toEqual(new Set([0]));
  });

  test('S0-18 a picture that was being decoded when the camera was closed is handed to nobody', async () => {
    const { camera, source } = mjpegCamera();
    camera.offer(await pictureOf(90));
    const frame = source.next();
    await source.close();
    expect(await frame).toBeUndefined();
  });

  test('without its Huffman tables, as cameras send it, is decoded with the usual ones', async () => {
    const { camera, source } = mjpegCamera();
    camera.offer(withoutHuffmanTables(await pictureOf(90)));
    expect(new Set((await source.next())?.data)).toEqual(new Set([90]));
  });

  test('half a picture is passed over and counted; from fifty in a row on, the camera is lost', async () => {
    const { camera, source } = mjpegCamera();
    const whole = await pictureOf(90);
    const half = whole.subarray(0, whole.length / 2);
    camera.offer(half);
    const frame = source.next();
    while (source.dropped < 1) await new Promise(setImmediate);
    camera.offer(await pictureOf(70));
    expect((await frame)?.data[0]).toBe(70);
    const lost = source.next();
    lost.catch(() => {});
    for (let passed = 1; passed < 51; passed++) {
      camera.offer(half);
      while (source.dropped <= passed) await new Promise(setImmediate);
    }
    await expect(lost).rejects.toMatchObject({
      code: 'SOURCE_LOST',
      message: 'v4l2: /dev/video0: it brings no whole picture',
    });
  });

  test('a picture larger than the camera said is passed over: there is no room for it', async () => {
    const { camera, source } = mjpegCamera(32, 24);
    camera.offer(await pictureOf(90));
    const frame = source.next();
    while (source.dropped < 1) await new Promise(setImmediate);
    camera.offer(await pictureOf(60, 32, 24));
    expect((await frame)?.width).toBe(32);
  });
});

const loaded = loadOpenCamera();

describe.skipIf(loaded.kind === 'absent')('the addon', () => {
  const openCamera = (...given: readonly unknown[]) => {
    if (loaded.kind === 'loaded') Reflect.apply(loaded.openCamera, undefined, given);
  };
  const notify = () => {};

  test('says what is wrong with a device', () => {
    expect(() => openCamera('/dev/no-camera', null, 0, 0, notify)).toThrow(
      'open: No such file or directory',
    );
    expect(() => openCamera('/dev/null', null, 0, 0, notify)).toThrow('it is no camera');
  });

  test.each([
    ['no path', ['', null, 0, 0, notify]],
    ['a path with a zero', ['/dev/\0', null, 0, 0, notify]],
    ['another format', ['/dev/null', 'rgb24', 0, 0, notify]],
    ['no format', ['/dev/null', undefined, 0, 0, notify]],
    ['half a pixel', ['/dev/null', null, 0.5, 0, notify]],
    ['a height below nothing', ['/dev/null', null, 0, -1, notify]],
    ['nobody to call', ['/dev/null', null, 0, 0, undefined]],
    ['too little', ['/dev/null', null]],
  ])('refuses %s', (_what, given) => {
    expect(() => openCamera(...given)).toThrow(TypeError);
  });
});

describe('--v4l2', () => {
  const log = createLog({ level: 'error', clock: systemClock, write: () => {} });

  test.each([
    ['another source beside it', { v4l2: path, stdin: true }, 'USAGE'],
    ['a format that no camera has', { v4l2: path, format: 'i420' }, 'CONFIG_INVALID'],
    ['a size that is none', { v4l2: '/dev/null', size: '640' }, 'CONFIG_INVALID'],
    ['a device that is no camera', { v4l2: '/dev/null', size: '640x480' }, 'SOURCE_LOST'],
  ])('refuses %s', async (_what, options, code) => {
    await expect(openSource(options, log)).rejects.toMatchObject({ code });
  });
});

/** Drops every DHT segment that comes before the pixels. */
function withoutHuffmanTables(jpeg: Uint8Array): Uint8Array {
  const view = new DataView(jpeg.buffer, jpeg.byteOffset, jpeg.length);
  const kept = [jpeg.subarray(0, 2)];
  let at = 2;
  while (view.getUint16(at) !== 0xffda) {
    const end = at + 2 + view.getUint16(at + 2);
    if (view.getUint16(at) !== 0xffc4) kept.push(jpeg.subarray(at, end));
    at = end;
  }
  return Buffer.concat([...kept, jpeg.subarray(at)]);
}
