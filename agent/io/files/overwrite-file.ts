import { randomFillSync } from 'node:crypto';
import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { systemCode } from './file-fault.ts';

/** Random bytes before the zeros: for the 32 bytes of a key, where it costs nothing. */
export type Passes = 'zeros' | 'random-then-zeros';

/**
 * Overwrites a file where it stands and waits until that is on the medium; returns its size, undefined where there
 * is none. A link, a pipe, a socket hold nothing of ours and are left alone: 0 bytes. Throws what the system throws.
 */
export function overwriteFile(path: string, passes: Passes): number | undefined {
  const fd = openToOverwrite(path);
  if (typeof fd !== 'number') return fd === 'absent' ? undefined : 0;
  try {
    const found = fstatSync(fd);
    if (!found.isFile()) return 0;
    if (passes === 'random-then-zeros') {
      writeWhole(fd, randomFillSync(new Uint8Array(found.size)), 0);
      fsyncSync(fd);
    }
    zeroFill(fd, found.size);
    fsyncSync(fd);
    return found.size;
  } finally {
    closeSync(fd);
  }
}

/** What was removed from a folder, or renamed in it, is on the medium once the folder is. */
export function syncFolderNow(folder: string): void {
  const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Not through a link, which could lead anywhere; not blocking, should it be a pipe. */
function openToOverwrite(path: string): number | 'absent' | 'nothing-in-it' {
  try {
    return openSync(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    const code = systemCode(cause);
    if (code === 'ENOENT') return 'absent';
    if (code === 'ELOOP' || code === 'ENXIO') return 'nothing-in-it';
    throw cause;
  }
}

const pieceBytes = 1 << 20;
/** The smallest block of any file system in use. */
const blockBytes = 512;
const piece = new Uint8Array(pieceBytes);
const zeros = new Uint8Array(pieceBytes);

/**
 * Only blocks that hold something are written: a hole would take a new block, and where there is none left
 * (ENOSPC) nothing could be erased.
 */
function zeroFill(fd: number, sizeBytes: number): void {
  try {
    for (let at = 0; at < sizeBytes; at += pieceBytes) {
      const bytes = piece.subarray(0, Math.min(pieceBytes, sizeBytes - at));
      for (const [from, to] of readWhole(fd, bytes, at) ? usedRuns(bytes) : [whole(bytes)]) {
        writeWhole(fd, zeros.subarray(0, to - from), at + from);
      }
    }
  } finally {
    piece.fill(0);
  }
}

/** False: the medium does not give them back; it may take new ones all the same. */
function readWhole(fd: number, bytes: Uint8Array, at: number): boolean {
  try {
    for (let done = 0; done < bytes.length; ) {
      const length = readSync(fd, bytes, done, bytes.length - done, at + done);
      if (length === 0) return false;
      done += length;
    }
    return true;
  } catch (cause) {
    if (systemCode(cause) === 'EIO') return false;
    throw cause;
  }
}

/** [from, to) */
type Run = readonly [number, number];

const whole = (bytes: Uint8Array): Run => [0, bytes.length];

/** Neighbouring blocks that are not all zero. */
function usedRuns(bytes: Uint8Array): readonly Run[] {
  const runs: [number, number][] = [];
  for (let from = 0; from < bytes.length; from += blockBytes) {
    const to = Math.min(from + blockBytes, bytes.length);
    if (Buffer.compare(bytes.subarray(from, to), zeros.subarray(0, to - from)) === 0) continue;
    const last = runs.at(-1);
    if (last?.[1] === from) last[1] = to;
    else runs.push([from, to]);
  }
  return runs;
}

function writeWhole(fd: number, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(fd, bytes, done, bytes.length - done, at + done);
  }
}
