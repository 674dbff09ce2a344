import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { geteuid } from 'node:process';
import { AgentError } from '../../errors.ts';
import { reasonOf, systemCode } from './file-fault.ts';

/**
 * A text that only the agent may know: a regular file, no link, of the agent's own user, and with no right for
 * anybody else. @throws CREDENTIALS_INVALID, which names the file and nothing in it
 */
export function readPrivateFile(path: string, mostBytes: number): string {
  const fd = openPrivate(path);
  try {
    const { mode, uid, size } = fstatSync(fd);
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) refuse(path, 'is not a regular file');
    if (mode & 0o077) {
      refuse(path, `has mode ${(mode & 0o777).toString(8)}, not 600: others can use it`);
    }
    if (uid !== geteuid?.()) refuse(path, `belongs to user ${uid}, not to the agent's`);
    if (size > mostBytes) refuse(path, `is larger than ${mostBytes} bytes`);
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

function openPrivate(path: string): number {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  try {
    // Not waiting, should it be a pipe.
    return openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (cause) {
    if (systemCode(cause) === 'ELOOP') refuse(path, 'is a symbolic link');
    return refuse(path, `cannot be read (${reasonOf(cause)})`);
  }
}

function refuse(path: string, why: string): never {
  throw new AgentError('CREDENTIALS_INVALID', `${path}: ${why}`);
}
