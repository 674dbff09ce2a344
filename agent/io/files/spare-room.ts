import { randomFillSync } from 'node:crypto';
import { closeSync, fsyncSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { fileFault } from './file-fault.ts';

/**
 * A file of noise that holds room on the disk: deleting rows from a database needs some too, and on a full disk
 * what must go could not go. Noise, because some file systems keep no blocks for zeros.
 */
export type SpareRoom = {
  /** Does nothing where it is there, or where there is no room for it. @throws STORE_READ_ONLY STORE_FAILED */
  reserve(): void;
  /** Gives the room back for others to use; false: there was none. */
  release(): boolean;
};

/** Where the room for a database lies. */
export function roomBeside(database: string): string {
  return `${database}.room`;
}

export function spareRoom(file: string, sizeBytes: number): SpareRoom {
  const size = () => statSync(file, { throwIfNoEntry: false })?.size;
  return {
    reserve() {
      if (size() === sizeBytes) return;
      try {
        write(file, randomFillSync(new Uint8Array(sizeBytes)));
      } catch (cause) {
        rmSync(file, { force: true });
        const fault = fileFault(cause, file);
        if (fault.code !== 'STORE_FULL') throw fault;
      }
    },
    release() {
      if (size() === undefined) return false;
      rmSync(file);
      return true;
    },
  };
}

function write(file: string, bytes: Uint8Array): void {
  const fd = openSync(file, 'w', 0o600);
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
