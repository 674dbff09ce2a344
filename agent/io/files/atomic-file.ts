import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileFault, systemCode } from './file-fault.ts';

/**
 * Puts `content` at `path`, whole or not at all: it is written and synced beside its place and then
 * renamed, so that a reader, a full disk or a power cut never meets half of it. Makes the folder.
 * STORE_FULL, STORE_READ_ONLY, STORE_FAILED; what stood at `path` is then still there.
 */
export async function writeFileAtomic(
  path: string,
  content: Uint8Array | string,
  mode = 0o644,
): Promise<void> {
  const folder = dirname(path);
  const temporary = `${path}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
  try {
    await mkdir(folder, { recursive: true });
    await removeLeftovers(folder, basename(path));
    const handle = await open(temporary, 'wx', mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (cause) {
    // What went wrong first is what is told.
    await rm(temporary, { force: true }).catch(() => {});
    throw fileFault(cause, path);
  }
}

/** A rename is on disk once its folder is. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Files of writers that died half-way; those of a process that runs are left alone. */
async function removeLeftovers(folder: string, name: string): Promise<void> {
  for (const file of await readdir(folder)) {
    const pid = file.startsWith(`${name}.`)
      ? /\.(\d+)-[0-9a-f]{8}\.tmp$/.exec(file)?.[1]
      : undefined;
    if (pid !== undefined && !isRunning(Number(pid))) await rm(join(folder, file), { force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (fault) {
    return systemCode(fault) === 'EPERM';
  }
}
