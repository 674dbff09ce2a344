import { randomFillSync } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileFault, systemCode } from './file-fault.ts';

/**
 * Overwrites the key file where it stands, twice (random bytes, then zeros, each onto the medium), and removes
 * it, with what a making of it that was interrupted may have left beside it. False: there was none. On flash
 * behind a controller the old bytes may survive elsewhere: only a key in hardware can be destroyed for certain.
 * @throws STORE_READ_ONLY STORE_FAILED; may then be called again
 */
export function destroyKeyFile(file: string): boolean {
  const folder = dirname(file);
  const isUnfinished = (name: string) =>
    name.startsWith(`${basename(file)}.`) && /\.[0-9a-f-]{36}\.tmp$/.test(name);
  try {
    const beside = namesIn(folder).filter(isUnfinished);
    const destroyed = [file, ...beside.map((name) => join(folder, name))].filter(overwrite);
    for (const path of destroyed) rmSync(path);
    if (destroyed.length > 0) syncFolder(folder);
    return destroyed.length > 0;
  } catch (cause) {
    throw fileFault(cause, file);
  }
}

/** Not through a link: what it points to is not ours. The link goes all the same. */
function overwrite(path: string): boolean {
  const fd = openToOverwrite(path);
  if (fd === undefined) return false;
  if (fd === 'a link') return true;
  try {
    const bytes = new Uint8Array(fstatSync(fd).size);
    for (const fill of [randomFillSync, (zeros: Uint8Array) => zeros.fill(0)]) {
      fill(bytes);
      writeSync(fd, bytes, 0, bytes.length, 0);
      fsyncSync(fd);
    }
    return true;
  } finally {
    closeSync(fd);
  }
}

function openToOverwrite(path: string): number | 'a link' | undefined {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined;
    if (systemCode(cause) === 'ELOOP') return 'a link';
    throw cause;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return [];
    throw cause;
  }
}

function syncFolder(folder: string): void {
  const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
