import { existsSync, renameSync } from 'node:fs';
import { AgentError } from '../../errors.ts';

/**
 * What a store's file throws, as one AgentError: the only place that knows the codes of SQLite and of
 * the file system. What is no such error passes unchanged.
 */
export function storeError(cause: unknown, file: string): unknown {
  if (cause instanceof AgentError || !(cause instanceof Error) || !('code' in cause)) return cause;
  const code = String(cause.code);
  const { message } = cause;
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) {
    return new AgentError('STORE_CORRUPT', `${file} is damaged: ${message}`, { cause });
  }
  if (/^(SQLITE_FULL|ENOSPC|EDQUOT)/.test(code)) {
    return new AgentError('STORE_FULL', `there is no room left for ${file}: ${message}`, { cause });
  }
  if (/^(SQLITE_(READONLY|PERM)|EROFS|EACCES|EPERM)/.test(code)) {
    return new AgentError('STORE_READ_ONLY', `${file} cannot be written: ${message}`, { cause });
  }
  const fault = /^SQLITE_(BUSY|LOCKED)/.test(code)
    ? 'is held by another process'
    : 'cannot be used';
  return new AgentError('STORE_FAILED', `${file} ${fault}: ${message}`, { cause });
}

export function isDamage(error: unknown): error is AgentError {
  return error instanceof AgentError && error.code === 'STORE_CORRUPT';
}

/**
 * Puts a damaged database aside, with its -wal and -shm, as the first free `<file>.corrupt-<n>`: nothing
 * of it is lost, and the next open begins with an empty store. It must be closed.
 */
export function quarantined(damage: AgentError, file: string): AgentError {
  for (let n = 1; ; n++) {
    const aside = `${file}.corrupt-${n}`;
    if (suffixes.some((suffix) => existsSync(aside + suffix))) continue;
    for (const suffix of suffixes) {
      if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
    }
    return new AgentError(damage.code, `${damage.message}; it was kept as ${aside}`, {
      cause: damage.cause,
    });
  }
}

const suffixes = ['', '-wal', '-shm'];
