import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Programme } from '../../consent/consent.ts';
import { fileFault, reasonOf, systemCode } from '../files/file-fault.ts';
import { syncFolderNow } from '../files/overwrite-file.ts';
import { decodeCopy } from './consent-copy.ts';

/** What one of the two files holds. A fault is one line that names the file. */
export type ReadCopy =
  | { readonly kind: 'sound'; readonly programme: Programme }
  | { readonly kind: 'missing' | 'damaged'; readonly fault: string };

/** Never throws. Not through a link, nor a file that others than its owner may write: that is nobody's consent. */
export function readCopy(path: string): ReadCopy {
  const damaged = (fault: string): ReadCopy => ({ kind: 'damaged', fault: `${path}: ${fault}` });
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDONLY | unfollowed);
    const found = fstatSync(fd);
    if (!found.isFile()) return damaged('is not a regular file');
    if ((found.mode & 0o022) !== 0) return damaged('others than its owner may write it');
    if (found.size > mostBytes) return damaged('is too large');
    const read = decodeCopy(contentOf(fd, found.size));
    return 'fault' in read ? damaged(read.fault) : { kind: 'sound', ...read };
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return { kind: 'missing', fault: `${path}: is missing` };
    return damaged(`cannot be read (${reasonOf(cause)})`);
  } finally {
    if (fd !== undefined) closeQuietly(fd);
  }
}

/** One of the two files, open to be written. */
export type OpenCopy = {
  readonly path: string;
  readonly fd: number;
  readonly isNew: boolean;
  /** What stood in it. */
  readonly before: Uint8Array;
  sizeBytes: number;
  isOverwritten: boolean;
};

/**
 * Makes the file, and has its name on the medium, where there is none.
 * @throws STORE_FULL STORE_READ_ONLY STORE_FAILED
 */
export function openCopy(path: string): OpenCopy {
  return atFile(path, () => {
    const there = openThere(path);
    const fd = there ?? openSync(path, newFile | unfollowed, 0o600);
    try {
      const found = fstatSync(fd);
      if (!found.isFile()) throw new Error('is not a regular file');
      if ((found.mode & 0o777) !== 0o600) fchmodSync(fd, 0o600);
      if (there === undefined) syncFolderNow(dirname(path));
      const before = contentOf(fd, Math.min(found.size, mostBytes));
      const isNew = there === undefined;
      return { path, fd, isNew, before, sizeBytes: found.size, isOverwritten: false };
    } catch (cause) {
      closeQuietly(fd);
      if (there === undefined) removeQuietly(path);
      throw cause;
    }
  });
}

/** Makes it at least so large, with blocks of its own; what stands in it stays. */
export function reserve(copy: OpenCopy, sizeBytes: number): void {
  if (copy.sizeBytes >= sizeBytes) return;
  atFile(copy.path, () => {
    writeAt(copy.fd, padding(sizeBytes - copy.sizeBytes), copy.sizeBytes);
    fsyncSync(copy.fd);
  });
  copy.sizeBytes = sizeBytes;
}

/** @param bytes as many as the file has */
export function overwriteCopy(copy: OpenCopy, bytes: Uint8Array): void {
  copy.isOverwritten = true;
  atFile(copy.path, () => {
    writeAt(copy.fd, bytes, 0);
    fsyncSync(copy.fd);
  });
}

/** As it was, as far as the medium lets it: what went wrong before is what is told. */
export function putBack(copy: OpenCopy): void {
  if (copy.isNew) removeQuietly(copy.path);
  if (copy.isNew || !copy.isOverwritten) return;
  try {
    const rest = padding(copy.sizeBytes - copy.before.length);
    writeAt(copy.fd, Buffer.concat([copy.before, rest]), 0);
    fsyncSync(copy.fd);
  } catch {
    // Torn, it counts as no consent.
  }
}

export function closeCopy({ fd }: OpenCopy): void {
  closeQuietly(fd);
}

const newFile = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
/** Not through a link, which could lead anywhere; not blocking, should it be a pipe. */
const unfollowed = constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** More than the longest programme takes. */
const mostBytes = 16 << 20;

function openThere(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDWR | unfollowed);
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined;
    throw cause;
  }
}

/** Line feeds, as `encodeCopy` fills up with: real bytes, not a hole. */
function padding(sizeBytes: number): Uint8Array {
  return new Uint8Array(Math.max(0, sizeBytes)).fill(0x0a);
}

function contentOf(fd: number, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  let done = 0;
  while (done < sizeBytes) {
    const length = readSync(fd, bytes, done, sizeBytes - done, done);
    if (length === 0) break;
    done += length;
  }
  return bytes.subarray(0, done);
}

function writeAt(fd: number, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(fd, bytes, done, bytes.length - done, at + done);
  }
}

function atFile<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw fileFault(cause, path);
  }
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // It was synced before, or has failed before.
  }
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Empty or half, it counts as no consent.
  }
}
