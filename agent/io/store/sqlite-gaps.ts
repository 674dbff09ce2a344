import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';

/** The unused middle of every page of a database file. */
export type PageGaps = {
  /**
   * Fills it with zeros. secure_delete zeroes rows where they are deleted, but when SQLite moves rows to another
   * page it now and then leaves a copy in this gap (measured: one of 18,000 rows that were deleted here and
   * there), and no later deletion reaches it.
   *
   * Only while nobody else has the file open, everything of the -wal is in it, and no page is kept in memory
   * afterwards.
   */
  clear(): void;
  /** Only after SQLite has closed the file: closing one more descriptor of it takes its locks away (POSIX). */
  close(): void;
};

export function openPageGaps(file: string): PageGaps {
  const fd = openSync(file, 'r+');
  let isOpen = true;
  return {
    clear() {
      const pageBytes = pageSizeOf(fd);
      const places = { headerBytes: 0, pageBytes, to: fstatSync(fd).size };
      if (clearPlaces(fd, { ...places, from: 0 }, (_, at) => at === 0)) fsyncSync(fd);
    },
    close() {
      if (isOpen) closeSync(fd);
      isOpen = false;
    },
  };
}

/**
 * The same for the frames of a -wal up to `keptBytes`, all of which are in the database file. A frame that was
 * changed is no frame any more, nor are those behind it: their pages are in the database too.
 */
export function clearFrameGaps(fd: number, pageBytes: number, keptBytes: number): void {
  const places = { headerBytes: 24, pageBytes, from: 32, to: keptBytes };
  const isFirstPage = (frame: Buffer) => frame.readUInt32BE(0) === 1;
  if (clearPlaces(fd, places, isFirstPage)) fsyncSync(fd);
}

type Places = {
  /** Before each page. */
  readonly headerBytes: number;
  readonly pageBytes: number;
  readonly from: number;
  readonly to: number;
};

/** Returns whether there was anything to clear. */
function clearPlaces(
  fd: number,
  { headerBytes, pageBytes, from, to }: Places,
  isFirstPage: (place: Buffer, at: number) => boolean,
): boolean {
  const placeBytes = headerBytes + pageBytes;
  const piece = Buffer.alloc(Math.max(1, Math.floor(pieceBytes / placeBytes)) * placeBytes);
  let hasCleared = false;
  for (let at = from; at < to; at += piece.length) {
    const length = readSync(fd, piece, 0, Math.min(piece.length, to - at), at);
    for (let start = 0; start + placeBytes <= length; start += placeBytes) {
      const place = piece.subarray(start, start + placeBytes);
      const page = place.subarray(headerBytes);
      const gap = gapOf(page, isFirstPage(place, at + start) ? fileHeaderBytes : 0);
      if (gap === undefined || isZero(page.subarray(...gap))) continue;
      page.fill(0, ...gap);
      const [first, end] = gap;
      writeSync(fd, page, first, end - first, at + start + headerBytes + first);
      hasCleared = true;
    }
  }
  return hasCleared;
}

const pieceBytes = 64 * 1024;

// https://www.sqlite.org/fileformat2.html

const fileHeaderBytes = 100;

function pageSizeOf(fd: number): number {
  const header = Buffer.alloc(fileHeaderBytes);
  readSync(fd, header, 0, header.length, 0);
  const found = header.readUInt16BE(16);
  return found === 1 ? 65_536 : Math.max(found, 512);
}

/** Between the list of cells and the first of them. Undefined: no page of a tree, or a damaged one. */
function gapOf(page: Buffer, offset: number): [from: number, to: number] | undefined {
  const headerBytes = headerBytesOf[page.readUInt8(offset)];
  if (headerBytes === undefined) return undefined;
  const from = offset + headerBytes + 2 * page.readUInt16BE(offset + 3);
  const to = page.readUInt16BE(offset + 5) || 65_536;
  return from < to && to <= page.length ? [from, to] : undefined;
}

/** By the page's first byte. Pages of other kinds begin with a page number, whose first byte is 0. */
const headerBytesOf: Readonly<Record<number, number>> = { 2: 12, 5: 12, 10: 8, 13: 8 };

const zeros = Buffer.alloc(65_536);

function isZero(bytes: Buffer): boolean {
  return bytes.equals(zeros.subarray(0, bytes.length));
}
