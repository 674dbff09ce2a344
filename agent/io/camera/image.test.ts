import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, test } from 'vitest';
import { AgentError } from '../../errors.ts';
import { makeFifo } from '../../test/fakes/fifo.ts';
import { blue, bombPng, green, picture, red } from '../../test/fakes/pictures.ts';
import type { Frame } from '../../vision/frame.ts';
import { readPicture } from './image.ts';

const folder = mkdtempSync(join(tmpdir(), 'doorkeep-image-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('kinds of pictures', () => {
  test.each([
    ['jpeg', () => picture().jpeg({ quality: 95, chromaSubsampling: '4:4:4' }), 12],
    [
      'progressive jpeg',
      () => picture().jpeg({ quality: 95, progressive: true, chromaSubsampling: '4:4:4' }),
      12,
    ],
    // Ink has no such blue; read upside down (the usual mistake) it would be off by 200.
    ['cmyk jpeg', () => picture().toColourspace('cmyk').jpeg({ quality: 95 }), 80],
    ['png', () => picture().png(), 0],
    ['interlaced png', () => picture().png({ progressive: true }), 0],
    ['palette png', () => picture().png({ palette: true }), 4],
    ['16-bit png', () => picture().toColourspace('rgb16').png(), 1],
    ['lossless webp', () => picture().webp({ lossless: true }), 0],
    ['webp', () => picture().webp({ quality: 95, smartSubsample: true }), 16],
    [
      'jpeg with a Display P3 profile',
      () => picture().withIccProfile('p3').jpeg({ quality: 95, chromaSubsampling: '4:4:4' }),
      14,
    ],
  ] as const)('a %s is read as what it shows', async (_name, make, tolerance) => {
    const frame = await readPicture(await make().toBuffer());
    expect(frame.data.length).toBe(64 * 48 * 3);
    expect([frame.format, frame.width, frame.height]).toEqual(['rgb24', 64, 48]);
    expectColour(frame, 16, 36, red, tolerance);
    expectColour(frame, 48, 36, blue, tolerance);
    expectColour(frame, 32, 4, green, tolerance);
  });

  test.each([
    ['8-bit grey jpeg', () => picture().greyscale().jpeg({ quality: 100 })],
    ['8-bit grey png', () => picture().greyscale().png()],
    ['16-bit grey png', () => picture().toColourspace('grey16').png()],
  ])('a %s becomes a colour frame of equal channels', async (_name, make) => {
    const frame = await readPicture(await make().toBuffer());
    expect(frame.data.length).toBe(64 * 48 * 3);
    const [r, g, b] = colourAt(frame, 16, 36);
    expect([g, b]).toEqual([r, r]);
    expect(colourAt(frame, 16, 36)).not.toEqual(colourAt(frame, 48, 36));
  });

  test('what shows through a picture is mid-grey', async () => {
    const background = { r: 255, g: 0, b: 0, alpha: 0 };
    const hole = sharp({ create: { width: 64, height: 48, channels: 4, background } });
    for (const bytes of [await hole.clone().png().toBuffer(), await hole.webp().toBuffer()]) {
      expect(colourAt(await readPicture(bytes), 20, 20)).toEqual([128, 128, 128]);
    }
  });

  test('of an animation the first picture is read', async () => {
    const second = sharp({ create: { width: 64, height: 48, channels: 3, background: '#000' } });
    const frames = [await picture().png().toBuffer(), await second.png().toBuffer()];
    const animation = await sharp(frames, { join: { animated: true } })
      .webp({ lossless: true })
      .toBuffer();
    expect((await sharp(animation).metadata()).pages).toBe(2);
    const frame = await readPicture(animation);
    expect([frame.width, frame.height]).toEqual([64, 48]);
    expectColour(frame, 48, 36, blue, 0);
  });
});

describe('EXIF', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'a photo taken with the phone turned (orientation %i) is upright',
    async (orientation) => {
      const upright = await readPicture(await picture().png().toBuffer());
      const bytes = await asTaken(orientation);
      const frame = await readPicture(bytes);
      expect([frame.width, frame.height]).toEqual([64, 48]);
      expect(Buffer.compare(frame.data, upright.data)).toBe(0);
    },
  );

  test('S3-16 a photo with GPS in its EXIF leaves no trace of it', async () => {
    const gps = { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 3230/100' };
    const ifd0 = { Artist: 'Anna Example', Make: 'CanaryCam' };
    const bytes = await picture().withExif({ IFD0: ifd0, IFD3: gps }).jpeg().toBuffer();
    // The picture that the promise is about really has them.
    expect(bytes.includes('CanaryCam')).toBe(true);
    expect((await sharp(bytes).metadata()).exif?.includes('Anna Example')).toBe(true);
    const path = file('gps.jpg', bytes);
    const frame = await readPicture(path);
    expect(Object.keys(frame).sort()).toEqual([
      'capturedAtMs',
      'data',
      'format',
      'height',
      'sourceId',
      'width',
    ]);
    expect({ ...frame, data: undefined }).toEqual({
      format: 'rgb24',
      width: 64,
      height: 48,
      data: undefined,
      capturedAtMs: 0,
      sourceId: 'gps.jpg',
    });
    const held = Buffer.from(frame.data.buffer);
    expect(held.includes('CanaryCam')).toBe(false);
    expect(held.includes('Anna Example')).toBe(false);
  });
});

describe('size', () => {
  test('a large photo is shrunk to 2048 pixels, a small one is left as it is', async () => {
    const large = sharp({ create: { width: 5000, height: 3000, channels: 3, background: '#456' } });
    const frame = await readPicture(await large.jpeg().toBuffer());
    expect([frame.width, frame.height]).toEqual([2048, 1229]);
    expect((await readPicture(await picture().png().toBuffer())).width).toBe(64);
  });

  test('a bomb is refused by its header: 900 million pixels in a file of 1 kB', async () => {
    const bytes = bombPng(30_000, 30_000);
    const refusal = await refusalOf(bytes, { name: 'bomb.png' });
    expect(refusal.code).toBe('IMAGE_TOO_LARGE');
    expect(refusal.message).toBe('bomb.png has 30000x30000 pixels, more than 40 million');
  });

  test('as many pixels as permitted are read, one row more is refused', async () => {
    const bytes = await picture().png().toBuffer();
    expect((await readPicture(bytes, { maxPixels: 64 * 48 })).width).toBe(64);
    expect((await refusalOf(bytes, { maxPixels: 64 * 47 })).code).toBe('IMAGE_TOO_LARGE');
  });

  test('a file of too many bytes is refused without reading it', async () => {
    const path = file('huge.jpg', Buffer.from('ffd8ff', 'hex'));
    // A hole: reading its terabyte would fail.
    truncateSync(path, 2 ** 40);
    const refusal = await refusalOf(path);
    expect(refusal.code).toBe('IMAGE_TOO_LARGE');
    expect(refusal.message).toContain('huge.jpg is a file of 1048576.0 MiB, more than 32.0');
    expect((await refusalOf(Buffer.alloc(101), { maxBytes: 100 })).code).toBe('IMAGE_TOO_LARGE');
  });

  test.each([
    [1, 1],
    [15, 400],
    [8000, 20],
  ])('a picture of %i x %i pixels shows nothing', async (width, height) => {
    const tiny = sharp({ create: { width, height, channels: 3, background: '#456' } });
    const refusal = await refusalOf(await tiny.png().toBuffer());
    expect(refusal.code).toBe('IMAGE_INVALID');
    expect(refusal.message).toBe(
      `picture has ${width}x${height} pixels: nothing can be seen in it`,
    );
  });
});

describe('what is no whole picture', () => {
  const noise = Buffer.from(Array.from({ length: 320 * 240 * 3 }, (_, i) => (i * 7919) % 256));
  const noisy = () => sharp(noise, { raw: { width: 320, height: 240, channels: 3 } });

  test.each([
    ['jpeg', () => noisy().jpeg()],
    ['progressive jpeg', () => noisy().jpeg({ progressive: true })],
    ['png', () => noisy().png()],
    ['interlaced png', () => noisy().png({ progressive: true })],
    ['webp', () => noisy().webp()],
    ['lossless webp', () => noisy().webp({ lossless: true })],
  ])('a %s that breaks off, wherever, is refused and not shown half grey', async (_name, make) => {
    const bytes = await make().toBuffer();
    expect((await readPicture(bytes)).width).toBe(320);
    const outcomes = new Set<string>();
    for (let i = 0; i < 20; i++) {
      // Spread over the file, at places without a pattern; the last 20 bytes may be ornament.
      const end = Math.floor(((i + ((i * 0.618) % 1)) / 20) * (bytes.length - 20)) + 1;
      outcomes.add((await refusalOf(bytes.subarray(0, end), { name: 'half.jpg' })).code);
    }
    expect([...outcomes]).toEqual(['IMAGE_INVALID']);
  });

  test.each([
    ['an empty file', '', 'x.jpg is empty'],
    [
      'a text named .jpg',
      'this is a letter',
      'x.jpg is no picture: only JPEG, PNG and WebP are read',
    ],
    [
      'an SVG',
      '<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"/>',
      'x.jpg is a web or SVG document',
    ],
    ['an SVG after an XML header', '<?xml version="1.0"?><svg/>', 'x.jpg is a web or SVG document'],
    ['a web page', '  <!DOCTYPE html><html></html>', 'x.jpg is a web or SVG document'],
    ['a PDF', '%PDF-1.7 and so on', 'x.jpg is a PDF document'],
    ['a HEIC', '\0\0\0\x18ftypheic\0\0\0\0', 'x.jpg is a HEIC picture'],
    ['a GIF', 'GIF89a\x01\0\x01\0', 'x.jpg is a GIF picture'],
    ['a BMP', 'BM\0\0\0\0', 'x.jpg is a BMP picture'],
    ['a JPEG of three bytes', '\xff\xd8\xff', 'x.jpg is broken or not whole'],
    ['a PNG of eight bytes', '\x89PNG\r\n\x1a\n', 'x.jpg is broken or not whole'],
    ['a RIFF that is no WebP', 'RIFF\0\0\0\0WAVEfmt ', 'x.jpg is no picture'],
  ])('%s is refused in one clear line that names the file', async (_name, content, message) => {
    const refusal = await refusalOf(file('x.jpg', Buffer.from(content, 'latin1')));
    expect(refusal.code).toBe('IMAGE_INVALID');
    expect(refusal.message).toContain(message);
    expect(refusal.message).not.toContain('\n');
  });

  test.each([
    ['tiff', () => picture().tiff()],
    ['avif', () => picture().avif({ effort: 0 })],
    ['gif', () => picture().gif()],
  ])('a real %s is refused, although the library could read it', async (name, make) => {
    const refusal = await refusalOf(await make().toBuffer());
    expect(refusal.code).toBe('IMAGE_INVALID');
    expect(refusal.message.toLowerCase()).toContain(`${name} picture`);
  });
});

describe('paths', () => {
  test('a file that is not there is INPUT_MISSING', async () => {
    const refusal = await refusalOf(join(folder, 'nobody.jpg'));
    expect([refusal.code, refusal.message]).toEqual([
      'INPUT_MISSING',
      'nobody.jpg: there is no such file',
    ]);
  });

  test('a folder is no picture', async () => {
    expect((await refusalOf(folder)).message).toMatch(/is a folder, not a picture$/);
  });

  test('a FIFO or a device is refused without waiting for it', async () => {
    const fifo = join(folder, 'fifo.jpg');
    makeFifo(fifo);
    for (const path of [fifo, '/dev/zero']) {
      const refusal = await refusalOf(path);
      expect(refusal.code).toBe('INPUT_INVALID');
      expect(refusal.message).toContain('is no plain file');
    }
  });

  test('the frame bears the name of the file, not its folder, and the time it is given', async () => {
    const path = file('anna.png', await picture().png().toBuffer());
    const { sourceId, capturedAtMs } = await readPicture(path, { capturedAtMs: 12.5 });
    expect({ sourceId, capturedAtMs }).toEqual({ sourceId: 'anna.png', capturedAtMs: 12.5 });
  });

  test('bytes that were given stay as they are', async () => {
    const bytes = await picture().png().toBuffer();
    const copy = Buffer.from(bytes);
    await readPicture(bytes);
    expect(bytes.equals(copy)).toBe(true);
  });
});

/** The scene as the sensor sees it, with the note how to turn it upright. */
async function asTaken(orientation: number): Promise<Buffer> {
  const [mirrored, quarterTurns] = (
    [
      [false, 0],
      [true, 0],
      [false, 2],
      [true, 2],
      [true, 1],
      [false, 3],
      [true, 3],
      [false, 1],
    ] as const
  )[orientation - 1] ?? [false, 0];
  const turned = await picture()
    .rotate(quarterTurns * 90)
    .png()
    .toBuffer();
  const sensor = sharp(mirrored ? await sharp(turned).flop().png().toBuffer() : turned);
  return sensor.withMetadata({ orientation }).png().toBuffer();
}

function file(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

function colourAt({ data, width }: Frame, x: number, y: number): number[] {
  const at = (y * width + x) * 3;
  return [...data.subarray(at, at + 3)];
}

function expectColour(frame: Frame, x: number, y: number, colour: readonly number[], by: number) {
  const off = colourAt(frame, x, y).map((value, i) => Math.abs(value - (colour[i] ?? 0)));
  expect(Math.max(...off), `${colourAt(frame, x, y)} instead of ${colour}`).toBeLessThanOrEqual(by);
}

async function refusalOf(...args: Parameters<typeof readPicture>): Promise<AgentError> {
  const outcome = await readPicture(...args).catch((error: unknown) => error);
  if (outcome instanceof AgentError) return outcome;
  throw new Error(`it was not refused: ${String(outcome)}`);
}
