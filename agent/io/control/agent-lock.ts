import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  mkdirSync,
  openSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { AgentError } from '../../errors.ts';
import { fileFault } from '../files/file-fault.ts';
import { layoutOf } from '../process/environment.ts';
import { loadProcess } from '../process/native.ts';

/** That this process, and no other, works on the data directory: until it is released, or the process ends. */
export type AgentLock = {
  readonly dataDir: string;
  /** Twice does no harm. */
  release(): void;
};

export type Acquired =
  | { readonly kind: 'acquired'; readonly lock: AgentLock }
  /** Another process is at work here: a second one must not begin. */
  | { readonly kind: 'held' }
  /**
   * Nobody can tell: the data directory cannot be written (STORE_READ_ONLY, STORE_FULL, STORE_FAILED), or
   * there is no addon to ask the kernel with. The door must open all the same: an agent warns and works
   * without control socket and improvement programme, a command ends with `fault`.
   */
  | { readonly kind: 'impossible'; readonly fault: AgentError };

/**
 * Makes the data directory and the lock file in it where they are missing. The file is never removed: whoever
 * opened it before and locks it after would hold another one than the next; and it is there already when an
 * opt-out finds no room for a new one. It is not written either, so a volume that became read-only will do.
 */
export function acquireAgentLock(dataDir: string): Acquired {
  const file = layoutOf(dataDir).lock;
  const native = loadProcess();
  if (native.kind === 'absent') {
    return {
      kind: 'impossible',
      fault: new AgentError('STORE_FAILED', `${file}: cannot be locked (${native.reason})`),
    };
  }
  try {
    for (;;) {
      const fd = openLockFile(file);
      if (!whole(fd, () => native.process.lockFile(fd))) {
        closeSync(fd);
        return { kind: 'held' };
      }
      // Removed between opening and locking: what we hold, nobody else will ever ask for.
      if (isStillAt(file, fd)) return { kind: 'acquired', lock: lockOf(dataDir, fd) };
      closeSync(fd);
    }
  } catch (cause) {
    return { kind: 'impossible', fault: fileFault(cause, file) };
  }
}

function lockOf(dataDir: string, fd: number): AgentLock {
  let isHeld = true;
  const release = () => {
    if (isHeld) closeSync(fd);
    isHeld = false;
  };
  return { dataDir, release };
}

/** Not through a link, not blocking should it be a pipe. Node opens with O_CLOEXEC: no child keeps the lock alive. */
function openLockFile(file: string): number {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const { O_RDONLY, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  const fd = openSync(file, O_RDONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  return whole(fd, () => {
    const { mode, uid } = fstatSync(fd);
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) {
      throw new AgentError('STORE_FAILED', `${file}: is not a regular file`);
    }
    // Whoever can open it can hold it, and keep the agent from starting.
    if (mode & 0o077) fchmodSync(fd, 0o600);
    const owner = statSync(dirname(file));
    // Root looked in before the agent's first start: the file must be the agent's own.
    if (uid === 0 && owner.uid !== 0) fchownSync(fd, owner.uid, owner.gid);
    return fd;
  });
}

/** Closes the file where `work` fails. */
function whole<T>(fd: number, work: () => T): T {
  try {
    return work();
  } catch (fault) {
    closeSync(fd);
    throw fault;
  }
}

function isStillAt(file: string, fd: number): boolean {
  const there = statSync(file, { throwIfNoEntry: false });
  const ours = fstatSync(fd);
  return there?.ino === ours.ino && there.dev === ours.dev;
}
