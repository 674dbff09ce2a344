import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Sharp } from 'sharp';
import { AgentError } from '../../errors.ts';
import { type Frame, frameLimits } from '../../vision/frame.ts';
import { reasonOf, systemCode } from '../files/file-fault.ts';

export type PictureLimits = {
  /** Pixels the header may announce. 40 million: more than the phones that take enrolment photos. */
  readonly maxPixels?: number;
  /** Size of the file. */
  readonly maxBytes?: number;
  /** Monotonic clock; 0 where the picture's age means nothing. */
  readonly capturedAtMs?: number;
  /** Named in messages and as `sourceId` when bytes are given instead of a path. */
  readonly name?: string;
};

/**
 * A JPEG, PNG or WebP picture as an rgb24 frame: turned upright by its EXIF orientation, converted to
 * sRGB, of an animation the first image, transparency on mid-grey, the long side at most 2048 pixels.
 * All else that the file says (GPS, camera, thumbnail, date) is dropped. `sourceId` is the file's name.
 *
 * The caller owns `data` and wipes it. Rejects with INPUT_MISSING, INPUT_INVALID (cannot be read),
 * IMAGE_INVALID (no picture, or not a whole one) or IMAGE_TOO_LARGE (told by size and header, before decoding).
 */
export async function readPicture(
  picture: string | Uint8Array,
  limits: PictureLimits = {},
): Promise<Frame> {
  const { maxPixels = 40e6, maxBytes = 32 * 2 ** 20, capturedAtMs = 0 } = limits;
  const isPath = typeof picture === 'string';
  const name = limits.name ?? (isPath ? basename(picture) : 'picture');
  const bytes = isPath ? await readWhole(picture, maxBytes) : picture;
  try {
    if (bytes.length > maxBytes) throw tooManyBytes(name, bytes.length, maxBytes);
    refuseOtherKinds(name, bytes);
    return { ...(await decode(name, bytes, maxPixels)), capturedAtMs, sourceId: name };
  } finally {
    if (isPath) bytes.fill(0);
  }
}

/** The detector looks at 320 to 1280 pixels and the chip is 112 wide: 2048 loses nothing. */
export const longSide = 2048;

/** Cut-outs are put on mid-grey: black or white would look like backlight to the quality check. */
const behindTransparency = { r: 128, g: 128, b: 128 };

type Pixels = Pick<Frame, 'format' | 'width' | 'height' | 'data'>;

async function decode(name: string, bytes: Uint8Array, maxPixels: number): Promise<Pixels> {
  const picture = await openPicture(bytes);
  const size = await picture.metadata().catch((cause: unknown) => {
    throw broken(name, cause);
  });
  if (size.width * size.height > maxPixels) {
    throw new AgentError(
      'IMAGE_TOO_LARGE',
      `${name} has ${size.width}x${size.height} pixels, more than ${maxPixels / 1e6} million`,
    );
  }
  const { data, info } = await picture
    .autoOrient()
    .flatten({ background: behindTransparency })
    .resize({ width: longSide, height: longSide, fit: 'inside', withoutEnlargement: true })
    // 8 bit, sRGB: sharp's preset, whatever the file had.
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch((cause: unknown) => {
      throw broken(name, cause);
    });
  if (Math.min(info.width, info.height) < frameLimits.minSide) {
    throw new AgentError(
      'IMAGE_INVALID',
      `${name} has ${size.width}x${size.height} pixels: nothing can be seen in it`,
    );
  }
  if (info.channels !== 3) throw new TypeError(`sharp gave ${info.channels} channels, not 3`);
  return { format: 'rgb24', width: info.width, height: info.height, data };
}

/** sharp costs 20 MB and a moment to load: the door itself never decodes a picture. */
async function openPicture(bytes: Uint8Array): Promise<Sharp> {
  const { default: sharp } = await import('sharp');
  sharp.cache(false);
  sharp.concurrency(1);
  return sharp(bytes, {
    // A truncated photo decodes to a face with a grey half: refuse it.
    failOn: 'truncated',
    // Checked by us against the header, where we can say the size; nothing is decoded before that.
    limitInputPixels: false,
  });
}

/**
 * The allow-list, by first bytes and not by name: nothing else reaches the decoders (an SVG can fetch,
 * a PDF can run). Common kinds are told by name, so that the installer knows what to convert.
 */
function refuseOtherKinds(name: string, bytes: Uint8Array): void {
  if (bytes.length === 0) throw new AgentError('IMAGE_INVALID', `${name} is empty`);
  // latin1: one character per byte, so that positions are bytes.
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(64, bytes.length)).toString(
    'latin1',
  );
  if (head.startsWith('\xff\xd8\xff') || head.startsWith('\x89PNG\r\n\x1a\n')) return;
  if (/^RIFF.{4}WEBP/s.test(head)) return;
  const kind = otherKinds.find(([pattern]) => pattern.test(head))?.[1];
  throw new AgentError(
    'IMAGE_INVALID',
    `${name} is ${kind ?? 'no picture'}: only JPEG, PNG and WebP are read`,
  );
}

const otherKinds: readonly (readonly [RegExp, string])[] = [
  [/^.{4}ftyp(hei|hev|mif1|msf1)/s, 'a HEIC picture'],
  [/^.{4}ftypavi/s, 'an AVIF picture'],
  [/^GIF8/, 'a GIF picture'],
  [/^(II\*\0|MM\0\*)/, 'a TIFF picture'],
  [/^BM/, 'a BMP picture'],
  [/^%PDF/, 'a PDF document'],
  [/^(\xef\xbb\xbf)?\s*<(\?xml|svg|!doctype|html)/i, 'a web or SVG document'],
];

/** The bytes of a plain file. A FIFO or a device is refused without waiting for it. */
async function readWhole(path: string, maxBytes: number): Promise<Uint8Array> {
  const name = basename(path);
  try {
    // stat first: merely opening some devices does something (a watchdog starts to count).
    refuseOddFiles(name, await stat(path));
    // O_NONBLOCK: should the name have become a FIFO since, opening it does not wait for a writer.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const { size } = refuseOddFiles(name, await file.stat());
      if (size > maxBytes) throw tooManyBytes(name, size, maxBytes);
      return await readBytes(file, size);
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof AgentError) throw cause;
    throw unreadable(name, cause);
  }
}

async function readBytes(file: FileHandle, sizeBytes: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(sizeBytes);
  let used = 0;
  while (used < sizeBytes) {
    const { bytesRead } = await file.read(bytes, used, sizeBytes - used, used);
    if (bytesRead === 0) break;
    used += bytesRead;
  }
  return bytes.subarray(0, used);
}

type FileKind = { readonly size: number; isFile(): boolean; isDirectory(): boolean };

function refuseOddFiles<T extends FileKind>(name: string, file: T): T {
  if (file.isFile()) return file;
  const kind = file.isDirectory() ? 'a folder' : 'no plain file';
  throw new AgentError('INPUT_INVALID', `${name} is ${kind}, not a picture`);
}

function unreadable(name: string, cause: unknown): AgentError {
  const code = systemCode(cause);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new AgentError('INPUT_MISSING', `${name}: there is no such file`, { cause });
  }
  return new AgentError('INPUT_INVALID', `${name} cannot be read (${reasonOf(cause)})`, { cause });
}

function tooManyBytes(name: string, sizeBytes: number, maxBytes: number): AgentError {
  const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
  return new AgentError(
    'IMAGE_TOO_LARGE',
    `${name} is a file of ${mib(sizeBytes)} MiB, more than ${mib(maxBytes)}`,
  );
}

/** libvips says the same thing several times on several lines: the first will do. */
function broken(name: string, cause: unknown): AgentError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const reason = /(?:Vips\w+|vips\w+|webp|pngload|webpload): ([^\n]+)/.exec(message)?.[1];
  return new AgentError(
    'IMAGE_INVALID',
    `${name} is broken or not whole${reason ? ` (${reason})` : ''}`,
    { cause },
  );
}
