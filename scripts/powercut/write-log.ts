import { closeSync, openSync, readSync } from 'node:fs';

/**
 * One request of a disk, in the order in which the disk got them. `flush`: what was written before it, and answered,
 * is on the medium. Bytes are of the disk.
 */
export type LogEntry =
  | { readonly kind: 'write'; readonly offset: number; readonly data: Buffer }
  | { readonly kind: 'discard'; readonly offset: number; readonly sizeBytes: number }
  | { readonly kind: 'flush' };

/**
 * The log of QEMU's blklogwrites, which is that of Linux' dm-log-writes (drivers/md/dm-log-writes.c): a sector that
 * says how many entries there are, then for each a sector about it and what was written. All numbers little-endian.
 */
export function readWriteLog(path: string): readonly LogEntry[] {
  const fd = openSync(path, 'r');
  try {
    return readEntries((bytes, at) => {
      if (readSync(fd, bytes, 0, bytes.length, at) !== bytes.length) {
        throw new Error(`${path} ends at ${at}`);
      }
    });
  } finally {
    closeSync(fd);
  }
}

const magic = 0x6a736677736872n;
const flags = { flush: 1n, fua: 2n, discard: 4n } as const;

function readEntries(read: (bytes: Buffer, at: number) => void): readonly LogEntry[] {
  const head = Buffer.alloc(28);
  read(head, 0);
  if (head.readBigUInt64LE(0) !== magic) throw new Error('this is no log of writes');
  const count = Number(head.readBigUInt64LE(16));
  const sectorBytes = head.readUInt32LE(24);
  const entries: LogEntry[] = [];
  let at = sectorBytes;
  for (let n = 0; n < count; n++) {
    const about = Buffer.alloc(32);
    read(about, at);
    at += sectorBytes;
    const sizeBytes = Number(about.readBigUInt64LE(8)) * sectorBytes;
    const offset = Number(about.readBigUInt64LE(0)) * sectorBytes;
    const flag = about.readBigUInt64LE(16);
    if (flag & flags.flush) entries.push({ kind: 'flush' });
    if (flag & flags.discard) entries.push({ kind: 'discard', offset, sizeBytes });
    else if (sizeBytes > 0) {
      const data = Buffer.alloc(sizeBytes);
      read(data, at);
      at += sizeBytes;
      entries.push({ kind: 'write', offset, data });
    }
    // Durable when it was answered: as if the disk had been told to flush after it.
    if (flag & flags.fua) entries.push({ kind: 'flush' });
  }
  return entries;
}
