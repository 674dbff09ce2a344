import { readFileSync } from 'node:fs';

/**
 * Bytes that this thread has given the storage to write, by the kernel's own account (proc_pid_io(5)): counted
 * when a page becomes dirty, the journal of the file system not included. Undefined: the kernel keeps no account.
 */
export function threadWrittenBytes(): number | undefined {
  let account: string;
  try {
    account = readFileSync('/proc/thread-self/io', 'latin1');
  } catch {
    return undefined;
  }
  const written = /^write_bytes: (\d+)$/m.exec(account)?.[1];
  return written === undefined ? undefined : Number(written);
}
