import fs, { readlinkSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/** One call of writeSync as it went to the file, at a place of its own. */
export type WrittenBytes = {
  readonly path: string;
  readonly at: number;
  readonly bytes: Uint8Array;
};

/** Runs `work`, and what it wrote in which order: to play back what a power cut would have left of it. */
export function writtenBy(work: () => void): readonly WrittenBytes[] {
  const original = fs.writeSync;
  const written: WrittenBytes[] = [];
  Reflect.set(fs, 'writeSync', (...args: readonly unknown[]) => {
    const [fd, bytes, offset, length, position] = args;
    if (
      typeof fd !== 'number' ||
      !(bytes instanceof Uint8Array) ||
      typeof offset !== 'number' ||
      typeof length !== 'number' ||
      typeof position !== 'number'
    ) {
      throw new TypeError('only writing bytes to a place in a file is recorded');
    }
    const path = readlinkSync(`/proc/self/fd/${fd}`);
    written.push({ path, at: position, bytes: bytes.slice(offset, offset + length) });
    return original(fd, bytes, offset, length, position);
  });
  syncBuiltinESMExports();
  try {
    work();
    return written;
  } finally {
    Reflect.set(fs, 'writeSync', original);
    syncBuiltinESMExports();
  }
}
