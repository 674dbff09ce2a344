import { gunzipSync, gzipSync } from 'node:zlib';

/**
 * The same bytes for the same bytes: no name, no time, and a header that names no operating system (RFC 1952:
 * 255, unknown), for that would be one more thing to tell devices apart by.
 */
export function gzip(bytes: Uint8Array): Uint8Array {
  const compressed = gzipSync(bytes, { level });
  compressed.fill(0, modifiedAt, modifiedAt + 4);
  compressed[systemAt] = unknownSystem;
  return compressed;
}

/** Of what `gzip` made. @throws Error: it is something else, or was changed */
export function gunzip(bytes: Uint8Array): Uint8Array {
  return gunzipSync(bytes);
}

/** Once a night, 1,024 records (502 kB) in 10 ms on x64: 11.6 kB, against 13.3 kB of level 6 in 4 ms. */
const level = 9;
const modifiedAt = 4;
const systemAt = 9;
const unknownSystem = 255;
