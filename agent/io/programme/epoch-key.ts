import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  type Stats,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { AgentError } from '../../errors.ts';
import { fileFault, reasonOf, systemCode } from '../files/file-fault.ts';
import { syncFolderNow } from '../files/overwrite-file.ts';
import { randomKey } from '../process/chance.ts';
import { secureMemory, wipe } from '../process/secure-memory.ts';

export const epochKeyBytes = 32;

export type EpochKey =
  /** In secure memory; whoever asked wipes it. */
  | { readonly kind: 'key'; readonly bytes: Uint8Array }
  | { readonly kind: 'absent' }
  /** Nothing that can be trusted to have been kept. */
  | { readonly kind: 'unusable'; readonly why: Unusable };

export type Unusable =
  | 'wrong size'
  | 'no file'
  | 'open to others'
  /** Zeros: its destruction was interrupted. */
  | 'destroyed';

/**
 * The key of a grant: 32 random bytes in a file of its own, mode 0600, on the medium when this returns. Written
 * where it stands and never renamed, so that its bytes are in one place only and destroyKeyFile() reaches them
 * (a crash in between leaves a key of the wrong size, under which nothing was sealed). Makes the folder.
 * @throws STORE_FAILED (there is one already) STORE_READ_ONLY STORE_FULL
 */
export function createEpochKey(file: string): Uint8Array {
  const bytes = randomKey();
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const fd = openSync(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      fchmodSync(fd, 0o600);
      writeSync(fd, bytes);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    syncFolderNow(dirname(file));
    return bytes;
  } catch (cause) {
    wipe(bytes);
    throw fileFault(cause, file);
  }
}

/** @throws KEY_INVALID: the system does not let it be read */
export function readEpochKey(file: string): EpochKey {
  const fd = openKey(file);
  if (typeof fd !== 'number') return fd;
  try {
    const why = faultOf(fstatSync(fd));
    if (why) return { kind: 'unusable', why };
    const bytes = secureMemory(epochKeyBytes);
    const length = readSync(fd, bytes);
    const isZero = bytes.every((byte) => byte === 0);
    if (length === epochKeyBytes && !isZero) return { kind: 'key', bytes };
    wipe(bytes);
    return { kind: 'unusable', why: isZero ? 'destroyed' : 'wrong size' };
  } catch (cause) {
    throw unreadable(file, cause);
  } finally {
    closeSync(fd);
  }
}

/** Not through a link, which could lead anywhere; not blocking, should it be a pipe. */
function openKey(file: string): number | EpochKey {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  try {
    return openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return { kind: 'absent' };
    if (systemCode(cause) === 'ELOOP') return { kind: 'unusable', why: 'no file' };
    throw unreadable(file, cause);
  }
}

function faultOf(found: Stats): Unusable | undefined {
  if (!found.isFile()) return 'no file';
  if (found.mode & 0o077) return 'open to others';
  return found.size === epochKeyBytes ? undefined : 'wrong size';
}

function unreadable(file: string, cause: unknown): AgentError {
  const message = `the key file ${file} cannot be read (${reasonOf(cause)})`;
  return new AgentError('KEY_INVALID', message, { cause });
}
