import { lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AgentError } from '../../errors.ts';
import { fileFault, systemCode } from './file-fault.ts';
import { overwriteFile, syncFolderNow } from './overwrite-file.ts';

export type Erased =
  | {
      readonly kind: 'erased';
      /** Overwritten. */
      readonly bytes: number;
      /**
       * Files that were only removed, for lack of room to overwrite them. It happens where a file system writes
       * elsewhere what is to be overwritten (UBIFS, btrfs): there it would have been no use.
       */
      readonly notOverwritten: number;
    }
  | { readonly kind: 'absent' };

/**
 * Fills a file with zeros where it stands, waits until that is on the medium, and removes it. Takes no room on
 * the disk. A link is removed and what it points to is not touched.
 * @throws STORE_READ_ONLY STORE_FAILED; the file is then still there, and it may be called again
 */
export function eraseFile(path: string): Erased {
  return eraseTogether([path]);
}

/**
 * A database that nobody has open any more, with everything that SQLite keeps beside it. All of it is overwritten
 * before any of it is removed: removed first, a `-wal` would leave its pages on the medium. Needs no SQLite, so a
 * damaged or locked database goes as well. Where one file cannot be overwritten, the others go all the same.
 * @throws as eraseFile, for the first that stayed
 */
export function eraseDatabase(file: string): Erased {
  return eraseTogether(['-wal', '-journal', '', '-shm'].map((suffix) => file + suffix));
}

/** A folder and whatever is in it, whoever made it. All of it is overwritten before any of it is removed. */
export function eraseFolder(folder: string): Erased {
  try {
    const { files, folders } = contentOf(folder);
    if (folders.length === 0) return { kind: 'absent' };
    const erased = eraseTogether(files);
    for (const each of folders.slice(1).toReversed()) rmdirSync(each);
    removeUnlessMounted(folder);
    syncFolderNow(dirname(folder));
    return erased.kind === 'erased' ? erased : { kind: 'erased', bytes: 0, notOverwritten: 0 };
  } catch (cause) {
    throw fileFault(cause, folder);
  }
}

function eraseTogether(paths: readonly string[]): Erased {
  const doomed: string[] = [];
  const faults: AgentError[] = [];
  let bytes = 0;
  let notOverwritten = 0;
  for (const path of paths) {
    const overwritten = attempt(path, () => overwriteFile(path, 'zeros'));
    if (typeof overwritten === 'number') bytes += overwritten;
    else if (overwritten?.code === 'STORE_FULL') notOverwritten += 1;
    else if (overwritten) faults.push(overwritten);
    if (typeof overwritten === 'number' || overwritten?.code === 'STORE_FULL') doomed.push(path);
  }
  const faultsOf = (names: Iterable<string>, work: (path: string) => void) =>
    [...names].flatMap((path) => attempt(path, () => work(path)) ?? []);
  faults.push(...faultsOf(doomed, unlinkSync));
  faults.push(...faultsOf(new Set(doomed.map(dirname)), syncFolderNow));
  if (faults[0]) throw faults[0];
  return doomed.length === 0 ? { kind: 'absent' } : { kind: 'erased', bytes, notOverwritten };
}

/** What the system says against it, as a value: the other files are not to wait for this one. */
function attempt<T>(path: string, work: () => T): T | AgentError {
  try {
    return work();
  } catch (cause) {
    return fileFault(cause, path);
  }
}

/** The folder may be a volume of its own. */
function removeUnlessMounted(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (cause) {
    if (systemCode(cause) !== 'EBUSY') throw cause;
  }
}

/** Files and folders in it, itself included; each folder before what is in it. */
function contentOf(folder: string): { files: readonly string[]; folders: readonly string[] } {
  const found = statOf(folder);
  if (found === undefined) return { files: [], folders: [] };
  const files: string[] = [];
  const folders = [folder];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) {
      files.push(path);
      continue;
    }
    const inner = contentOf(path);
    files.push(...inner.files);
    folders.push(...inner.folders);
  }
  return { files, folders };
}

function statOf(path: string) {
  try {
    return lstatSync(path);
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined;
    throw cause;
  }
}
