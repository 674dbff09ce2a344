import { closeSync, constants, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { secureMemory, wipe } from '../process/secure-memory.ts';
import { fileFault, systemCode } from './file-fault.ts';

/** Bytes that must be nowhere after an erasure, in secure memory until they are wiped. */
export type Markers = {
  /** Names and how many bytes each has. */
  readonly all: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  wipe(): void;
};

export type FoundMarker = {
  readonly file: string;
  readonly marker: string;
  readonly count: number;
};
export type MarkerSearch = {
  readonly files: number;
  readonly sizeBytes: number;
  readonly found: readonly FoundMarker[];
};

/** Long enough that chance never has the same: one in 2^256 per place. */
const markerBytes = 32;
/** From each file; a page of a database may be empty, or text that another file has too. */
const samplesPerFile = 16;

/**
 * Takes what to look for later, before it is erased: `texts` as they are, `secrets` whole, and samples of 32 bytes
 * from everywhere in each file of `folder` that look like nothing but sealed content.
 * @throws STORE_FAILED STORE_READ_ONLY; what was taken is wiped
 */
export function takeMarkers(options: {
  readonly folder: string;
  /** Files whose whole content is secret: keys. */
  readonly secrets: readonly string[];
  /** Files of random bytes that only keep room: what is left of them on the medium says nothing. */
  readonly noise?: readonly string[];
  readonly texts: Readonly<Record<string, string>>;
}): Markers {
  const all: { name: string; bytes: Uint8Array }[] = [];
  const markers = { all, wipe: () => all.forEach(({ bytes }) => void wipe(bytes)) };
  const take = (name: string, bytes: Uint8Array) => {
    const kept = secureMemory(bytes.length);
    kept.set(bytes);
    all.push({ name, bytes: kept });
  };
  try {
    for (const file of options.secrets) {
      // Room for a key and one byte: more is none.
      visitPieces(file, 4096, 0, (bytes) => bytes.length > 0 && take(file, bytes));
    }
    for (const [name, text] of Object.entries(options.texts)) take(name, Buffer.from(text));
    for (const file of filesIn(options.folder)) {
      if (options.secrets.includes(file) || options.noise?.includes(file)) continue;
      const samples: Uint8Array[] = [];
      visitPieces(file, 1 << 16, 0, (bytes) => sample(bytes, samples));
      // Spread over the file, first and last among them.
      const step = Math.max(1, (samples.length - 1) / (samplesPerFile - 1));
      for (let at = 0; at < samples.length; at += step) {
        const each = samples[Math.round(at)];
        if (each) take(file, each);
      }
      samples.forEach(wipe);
    }
    return markers;
  } catch (cause) {
    markers.wipe();
    throw cause;
  }
}

/** Counts every marker in every file under `folder`, a piece at a time: memory does not grow with the files. */
export function searchMarkers(folder: string, { all }: Pick<Markers, 'all'>): MarkerSearch {
  const overlap = Math.max(0, ...all.map(({ bytes }) => bytes.length - 1));
  const found: FoundMarker[] = [];
  const files = filesIn(folder);
  let sizeBytes = 0;
  for (const file of files) {
    const counts = all.map(() => 0);
    visitPieces(file, 1 << 20, overlap, (bytes, freshFrom) => {
      sizeBytes += bytes.length - freshFrom;
      for (const [index, { bytes: marker }] of all.entries()) {
        // One that ends before `freshFrom` was counted in the piece before.
        const from = Math.max(0, freshFrom - marker.length + 1);
        counts[index] = (counts[index] ?? 0) + occurrences(bytes, marker, from);
      }
    });
    for (const [index, { name: marker }] of all.entries()) {
      const count = counts[index] ?? 0;
      if (count > 0) found.push({ file, marker, count });
    }
  }
  return { files: files.length, sizeBytes, found };
}

function occurrences(bytes: Buffer, marker: Uint8Array, from: number): number {
  let count = 0;
  for (let at = bytes.indexOf(marker, from); at >= 0; at = bytes.indexOf(marker, at + 1)) count++;
  return count;
}

/** Of a page at most one: bytes as chance makes them, of which 32 are hardly ever fewer than 26 different ones. */
function sample(bytes: Uint8Array, samples: Uint8Array[]): void {
  for (let page = 0; page < bytes.length; page += 4096) {
    for (let at = page; at + markerBytes <= Math.min(page + 4096, bytes.length); at += 128) {
      const piece = bytes.subarray(at, at + markerBytes);
      if (new Set(piece).size < 26) continue;
      samples.push(Uint8Array.from(piece)); // slice() of a Buffer is no copy
      break;
    }
  }
}

/** `freshFrom`: before that are the last `overlap` bytes of the piece before. The memory is overwritten at the end. */
function visitPieces(
  file: string,
  pieceBytes: number,
  overlap: number,
  visit: (bytes: Buffer, freshFrom: number) => void,
): void {
  const buffer = Buffer.alloc(overlap + pieceBytes);
  try {
    const fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      let kept = 0;
      for (;;) {
        const length = readSync(fd, buffer, kept, pieceBytes, null);
        if (length === 0) return;
        visit(buffer.subarray(0, kept + length), kept);
        const next = Math.min(overlap, kept + length);
        buffer.copyWithin(0, kept + length - next, kept + length);
        kept = next;
      }
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    if (systemCode(cause) !== 'ENOENT') throw fileFault(cause, file);
  } finally {
    wipe(buffer);
  }
}

/** Files only, of every depth: a link leads elsewhere, a socket holds nothing. */
function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return [];
    throw fileFault(cause, folder);
  }
}
