import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/** Names of the byte strings (64 bytes at most) that stand somewhere in the writable memory of a process. */
export function foundInMemory(
  pid: number,
  wanted: Readonly<Record<string, Uint8Array>>,
): readonly string[] {
  const found = new Set<string>();
  const fd = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const { start, end } of writableRanges(pid)) {
      for (let at = start; at < end; at += chunk.length - overlap) {
        const sizeBytes = readSome(fd, at, Math.min(chunk.length, end - at));
        if (sizeBytes === 0) break;
        const part = chunk.subarray(0, sizeBytes);
        // Most of it was never touched.
        if (part.equals(zeros.subarray(0, sizeBytes))) continue;
        for (const [name, bytes] of Object.entries(wanted)) {
          if (part.indexOf(bytes) >= 0) found.add(name);
        }
      }
    }
  } finally {
    closeSync(fd);
    chunk.fill(0);
  }
  return Object.keys(wanted).filter((name) => found.has(name));
}

/** What spans two pieces is whole in one of them. */
const overlap = 64;
const chunk = Buffer.alloc(1 << 20);
const zeros = Buffer.alloc(chunk.length);

function writableRanges(pid: number): { readonly start: number; readonly end: number }[] {
  const lines = readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n');
  return lines.flatMap((line) => {
    const [, start = '', end = ''] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
    return start === '' ? [] : [{ start: parseInt(start, 16), end: parseInt(end, 16) }];
  });
}

/** 0: the kernel has no bytes for this part, a device's memory for example. */
function readSome(fd: number, at: number, sizeBytes: number): number {
  try {
    return readSync(fd, chunk, 0, sizeBytes, at);
  } catch {
    return 0;
  }
}
