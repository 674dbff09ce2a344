import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';

/** What `sockaddr_un` holds, without its final zero. */
const longestAddressBytes = 107;

/**
 * The name to bind or reach a unix socket by. One that is too long for the kernel goes by way of the open folder:
 * the descriptor must then stay open as long as the name may be used. @throws the system's error where there is no such folder
 */
export function socketAddress(
  folder: string,
  name: string,
): { readonly path: string; close(): void } {
  const path = join(folder, name);
  if (Buffer.byteLength(path) <= longestAddressBytes) return { path, close: () => {} };
  const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  return { path: `/proc/self/fd/${fd}/${name}`, close: () => closeSync(fd) };
}
