import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from '../files/atomic-file.ts';
import { fileFault, systemCode } from '../files/file-fault.ts';

/**
 * `<target>.part` holds what came so far of a file, `<target>.part.etag` of which version of it. All
 * methods reject with STORE_FULL, STORE_READ_ONLY or STORE_FAILED.
 */
export type PartFile = {
  readonly sizeBytes: number;
  /** The server's strong validator of the version that was begun; undefined: it gave none. */
  readonly etag: string | undefined;
  append(chunk: Uint8Array): Promise<void>;
  /** Empties it; what comes now is of version `etag`. */
  reset(etag?: string): Promise<void>;
  /** Of what came so far, in hexadecimal. */
  digest(algorithm: 'sha256' | 'sha384'): Promise<string>;
  /** Gives it the target's name, on disk for good. */
  commit(): Promise<void>;
  discard(): Promise<void>;
  /** Keeps what came, if anything did. */
  close(): Promise<void>;
};

/** Opens the part file of `target`, with what an earlier download left in it. Makes the folder. */
export async function openPartFile(target: string): Promise<PartFile> {
  const path = `${target}.part`;
  const etagPath = `${path}.etag`;
  const guarded = guard(path);
  const handle = await guarded(() => openForAppending(path));
  let { size: sizeBytes } = await handle.stat();
  let etag = sizeBytes === 0 ? undefined : await guarded(() => readIfThere(etagPath));

  async function discard(): Promise<void> {
    await rm(path, { force: true });
    await rm(etagPath, { force: true });
  }

  return {
    get sizeBytes() {
      return sizeBytes;
    },
    get etag() {
      return etag;
    },
    append: (chunk) =>
      guarded(async () => {
        await handle.appendFile(chunk);
        sizeBytes += chunk.length;
      }),
    reset: (newEtag) =>
      guarded(async () => {
        await handle.truncate(0);
        sizeBytes = 0;
        // A weak validator, W/"…", does not promise the same bytes.
        etag = newEtag?.startsWith('"') ? newEtag : undefined;
        if (etag === undefined) await rm(etagPath, { force: true });
        else await writeFile(etagPath, etag);
      }),
    digest: (algorithm) =>
      guarded(async () => {
        const content = await readFile(path);
        return createHash(algorithm).update(content).digest('hex');
      }),
    commit: () =>
      guarded(async () => {
        await handle.sync();
        await rename(path, target);
        await syncFolder(dirname(target));
        await rm(etagPath, { force: true });
      }),
    discard: () => guarded(discard),
    close: async () => {
      await handle.close();
      if (sizeBytes === 0) await guarded(discard);
    },
  };
}

function guard(path: string) {
  return async <T>(act: () => Promise<T>): Promise<T> => {
    try {
      return await act();
    } catch (cause) {
      throw fileFault(cause, path);
    }
  };
}

async function openForAppending(path: string): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true });
  return open(path, 'a', 0o644);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined;
    throw cause;
  }
}
