import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { AgentError } from '../../errors.ts';
import { reasonOf } from './file-fault.ts';

/** A short text that somebody names. @throws INPUT_MISSING INPUT_INVALID */
export function readTextFile(path: string, mostBytes: number): string {
  let fd: number | undefined;
  try {
    // Not waiting, should it be a pipe.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const facts = fstatSync(fd);
    if (!facts.isFile()) throw new AgentError('INPUT_INVALID', `${path}: is no file`);
    if (facts.size > mostBytes) {
      throw new AgentError('INPUT_INVALID', `${path}: is larger than ${mostBytes} bytes`);
    }
    return readFileSync(fd, 'utf8');
  } catch (cause) {
    if (cause instanceof AgentError) throw cause;
    throw new AgentError('INPUT_MISSING', `${path}: cannot be read (${reasonOf(cause)})`, {
      cause,
    });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
