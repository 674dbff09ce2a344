import { readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileFault, systemCode } from './file-fault.ts';
import { overwriteFile, syncFolderNow } from './overwrite-file.ts';

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
    const destroyed = [file, ...beside.map((name) => join(folder, name))].filter(
      (path) => overwriteFile(path, 'random-then-zeros') !== undefined,
    );
    for (const path of destroyed) rmSync(path);
    if (destroyed.length > 0) syncFolderNow(folder);
    return destroyed.length > 0;
  } catch (cause) {
    throw fileFault(cause, file);
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
