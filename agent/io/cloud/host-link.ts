import { closeSync, constants, openSync, readSync } from 'node:fs';

/**
 * Whether the host says that its link to the cloud is up: a file of its own holds the word `linked`. No file, another
 * word, a file that cannot be read: it is not. Null: the host says nothing, and the cloud is asked.
 */
export function isLinkedByHost(file: string | null): boolean {
  if (file === null) return true;
  const content = Buffer.alloc(mostBytes);
  let fd: number | undefined;
  try {
    // Not waiting, should it be a pipe.
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    return content.toString('utf8', 0, readSync(fd, content)).trim() === 'linked';
  } catch {
    return false;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

const mostBytes = 64;
