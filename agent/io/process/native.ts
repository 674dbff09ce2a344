import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dotTopK, hammingTopK } from '../../gallery/top-k.ts';
import type { Kernels } from '../../ports.ts';
import { project } from '../../template/projection.ts';
import { createLetterbox } from '../../vision/letterbox.ts';
import { normalise } from '../../vision/pixels.ts';
import { warp } from '../../vision/warp.ts';
import type { LookAtCamera, OpenCamera } from '../camera/native-camera.ts';
import { inPackage } from '../files/package-root.ts';

export type LoadedKernels = {
  readonly kernels: Kernels;
  readonly native: boolean;
  /** Why they are not native, in one line; absent when they are. */
  readonly reason?: string;
  /** Names of all sets that run here, best first. */
  readonly available: readonly string[];
};

/** The fastest kernels of this machine. Without a working addon those in TypeScript, and why. */
export function loadKernels(addonPath: string = inPackage(addonFile)): LoadedKernels {
  const loaded = loadAddon(addonPath);
  if (loaded.kind === 'absent') {
    const { reason } = loaded;
    return { kernels: typescriptKernels(), native: false, reason, available: ['typescript'] };
  }
  const available = [...loaded.sets.map(({ name }) => name), 'typescript'];
  return { kernels: loaded.sets[0], native: true, available };
}

/** Every set that runs here, the TypeScript one first: for the tests that hold them to the same results. */
export function kernelSets(): readonly Kernels[] {
  const loaded = loadAddon(inPackage(addonFile));
  return [typescriptKernels(), ...(loaded.kind === 'loaded' ? loaded.sets : [])];
}

/** What the addon does with memory; native/src/memory.h says how. Methods throw a TypeError on a wrong argument. */
export type NativeMemory = {
  /** From 1 byte to 1 GiB. @throws RangeError where there is no memory left */
  secureBuffer(sizeBytes: number): { readonly bytes: Uint8Array; readonly locked: boolean };
  wipe(bytes: Uint8Array): void;
  hardenProcess(): { readonly noCoreFiles: boolean; readonly noInspection: boolean };
};

export type LoadedMemory =
  | { readonly kind: 'loaded'; readonly memory: NativeMemory }
  | { readonly kind: 'absent'; readonly reason: string };

/** The addon's memory for secrets, or why there is none. */
export function loadMemory(addonPath: string = inPackage(addonFile)): LoadedMemory {
  const found = requireAddon(addonPath);
  if (found.kind === 'absent') return found;
  const { addon } = found;
  return isMemory(addon) ? { kind: 'loaded', memory: addon } : otherVersion(addonPath);
}

/** What the addon says about processes; native/src/process.h says how. TypeError on a wrong argument, Error from the system. */
export type NativeProcess = {
  /** True: the open file is this process's own until it is closed. False: another process holds it. */
  lockFile(fd: number): boolean;
  /** Who is at the other end of a unix socket. */
  peerCredentials(fd: number): PeerCredentials;
  /** Whether a time server, or whatever disciplines the kernel's clock, says that it is right. */
  clockSynchronised(): boolean;
  /** One datagram to the unix socket of this path, or with '@' in front of this abstract name; never waits. */
  notifySocket(name: string, message: string): void;
  /** Ends the process here: no handler runs, no thread is waited for. From 0 to 255. */
  exitNow(status: number): void;
};

export type PeerCredentials = {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
};

export type LoadedProcess =
  | { readonly kind: 'loaded'; readonly process: NativeProcess }
  | { readonly kind: 'absent'; readonly reason: string };

/** The addon's knowledge of processes, or why there is none. */
export function loadProcess(addonPath: string = inPackage(addonFile)): LoadedProcess {
  const found = requireAddon(addonPath);
  if (found.kind === 'absent') return found;
  const { addon } = found;
  return isProcess(addon) ? { kind: 'loaded', process: addon } : otherVersion(addonPath);
}

/** How the addon opens a camera, or why there is no addon. */
export function loadOpenCamera(
  addonPath: string = inPackage(addonFile),
): { readonly kind: 'loaded'; readonly openCamera: OpenCamera } | Absent {
  const found = requireAddon(addonPath);
  if (found.kind === 'absent') return found;
  const { addon } = found;
  return opensCameras(addon)
    ? { kind: 'loaded', openCamera: addon.openCamera }
    : otherVersion(addonPath);
}

/** How the addon looks at a camera, or why there is no addon. */
export function loadLookAtCamera(
  addonPath: string = inPackage(addonFile),
): { readonly kind: 'loaded'; readonly lookAtCamera: LookAtCamera } | Absent {
  const found = requireAddon(addonPath);
  if (found.kind === 'absent') return found;
  const { addon } = found;
  return looksAtCameras(addon)
    ? { kind: 'loaded', lookAtCamera: addon.lookAtCamera }
    : otherVersion(addonPath);
}

/** False also where nobody knows. */
export function isClockSynchronised(): boolean {
  const loaded = loadProcess();
  return loaded.kind === 'loaded' && loaded.process.clockSynchronised();
}

/** The truth that the native sets are compared with. */
function typescriptKernels(): Kernels {
  const letterbox = createLetterbox();
  return { name: 'typescript', letterbox, warp, normalise, project, hammingTopK, dotTopK };
}

const addonFile = 'native/build/Release/doorkeep.node';

type Addon = { readonly kind: 'loaded'; readonly sets: readonly [Kernels, ...Kernels[]] } | Absent;

function loadAddon(path: string): Addon {
  const found = requireAddon(path);
  if (found.kind === 'absent') return found;
  const { addon } = found;
  if (!isAddon(addon)) return absent(`${path} is not doorkeep's addon`);
  const [first, ...rest] = addon.available.map((name) => addon.kernels(name));
  if (!first) return absent(`${path} has no kernels for this processor`);
  const sets = [first, ...rest] as const;
  return sets.every(isKernels) ? { kind: 'loaded', sets } : otherVersion(path);
}

type Absent = { readonly kind: 'absent'; readonly reason: string };

function requireAddon(path: string): { readonly kind: 'found'; readonly addon: unknown } | Absent {
  if (!existsSync(path))
    return absent(`${path} is not there: build it with \`npm run postinstall\``);
  try {
    return { kind: 'found', addon: createRequire(import.meta.url)(path) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return absent(`${path} does not load: ${message.split('\n')[0]}`);
  }
}

function absent(reason: string): Absent {
  return { kind: 'absent', reason };
}

function otherVersion(path: string): Absent {
  return absent(`${path} is of another version`);
}

function isAddon(
  value: unknown,
): value is { available: readonly string[]; kernels(name: string): Kernels } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'available' in value &&
    Array.isArray(value.available) &&
    'kernels' in value &&
    typeof value.kernels === 'function'
  );
}

function isMemory(value: unknown): value is NativeMemory {
  return hasFunctions(value, ['secureBuffer', 'wipe', 'hardenProcess']);
}

function isProcess(value: unknown): value is NativeProcess {
  return hasFunctions(value, [
    'lockFile',
    'peerCredentials',
    'clockSynchronised',
    'notifySocket',
    'exitNow',
  ]);
}

function opensCameras(value: unknown): value is { readonly openCamera: OpenCamera } {
  return hasFunctions(value, ['openCamera']);
}

function looksAtCameras(value: unknown): value is { readonly lookAtCamera: LookAtCamera } {
  return hasFunctions(value, ['lookAtCamera']);
}

function hasFunctions(value: unknown, names: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return names.every((name) => typeof Reflect.get(value, name) === 'function');
}

const methods = [
  'letterbox',
  'warp',
  'normalise',
  'project',
  'hammingTopK',
  'dotTopK',
] as const satisfies readonly (keyof Kernels)[];

function isKernels(set: Kernels): boolean {
  return methods.every((method) => typeof set[method] === 'function');
}
