import { closeSync, constants, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf, systemCode } from '../files/file-fault.ts';
import { printable } from '../process/printable.ts';
import type { CameraSight, LookAtCamera } from './native-camera.ts';

/** A node of the kernel that captures pictures, or that nobody can tell it of. */
export type FoundCamera = { readonly path: string } & (
  | ({ readonly kind: 'seen' } & CameraSight)
  /** It cannot be opened; the name is the kernel's, where it tells. */
  | { readonly kind: 'closed'; readonly code: string; readonly name?: string }
  | { readonly kind: 'unfit'; readonly reason: string }
);

/** Where the kernel shows its cameras. */
export type CameraFolders = { readonly nodes: string; readonly names: string };

/** Every camera that the kernel offers, by its number. None is started, and none is set to anything. */
export function findCameras(
  look: LookAtCamera,
  { nodes, names }: CameraFolders = { nodes: '/dev', names: '/sys/class/video4linux' },
): readonly FoundCamera[] {
  return readdirSync(nodes)
    .flatMap((name) => {
      const [, digits] = /^video(\d+)$/.exec(name) ?? [];
      return digits === undefined ? [] : [{ name, number: Number(digits) }];
    })
    .sort((one, other) => one.number - other.number)
    .flatMap(({ name }) => found(look, join(nodes, name), join(names, name, 'name')));
}

function found(look: LookAtCamera, path: string, nameFile: string): readonly FoundCamera[] {
  let fd: number;
  try {
    // As the source opens it: who may only read it gets no frames.
    fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  } catch (cause) {
    const code = systemCode(cause);
    if (code === undefined) throw cause;
    return [{ path, kind: 'closed', code, ...nameIn(nameFile) }];
  }
  try {
    const sight = look(fd);
    return sight === null ? [] : [{ path, kind: 'seen', ...sight, name: printable(sight.name) }];
  } catch (cause) {
    return [{ path, kind: 'unfit', reason: reasonOf(cause) }];
  } finally {
    closeSync(fd);
  }
}

function nameIn(file: string): { readonly name?: string } {
  try {
    return { name: printable(readFileSync(file, 'utf8')) };
  } catch (cause) {
    if (systemCode(cause) === undefined) throw cause;
    return {};
  }
}
