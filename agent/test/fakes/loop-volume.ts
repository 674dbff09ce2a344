import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A file system of its own in a file, as a device has it in its flash; gone when the test is over. */
export type LoopVolume = {
  /** Holds nothing but the image. */
  readonly imageFolder: string;
  readonly image: string;
  readonly mountPoint: string;
  mount(...options: readonly string[]): void;
  sync(): void;
  /** Everything is in the image then. */
  unmount(): void;
};

/** Nobody fills the disk of the machine that tests by a slip of the pen. */
const mostBytes = 256 << 20;

export function loopVolume(sizeBytes: number, place?: string): LoopVolume {
  if (sizeBytes > mostBytes) throw new RangeError(`a test needs no volume of ${sizeBytes} bytes`);
  const folder = mkdtempSync(join(tmpdir(), 'doorkeep-volume-'));
  const imageFolder = join(folder, 'image');
  const mountPoint = place ?? join(folder, 'mount');
  for (const each of [imageFolder, mountPoint]) mkdirSync(each, { recursive: true });
  const image = join(imageFolder, 'ext4');
  run('truncate', '-s', `${sizeBytes}`, image);
  run('mkfs.ext4', '-q', '-F', image);
  let isMounted = false;
  const unmount = () => {
    if (isMounted) run('umount', mountPoint);
    isMounted = false;
  };
  onTestFinished(() => {
    // Also where a test that failed has left something open.
    if (isMounted) run('umount', '-l', mountPoint);
    rmSync(folder, { recursive: true });
  });
  return {
    imageFolder,
    image,
    mountPoint,
    unmount,
    sync: () => run('sync', '-f', mountPoint),
    mount(...options) {
      run('mount', '-o', ['loop', ...options].join(), image, mountPoint);
      isMounted = true;
    },
  };
}

/** A file system in memory over a folder, until the test is over. */
export function memoryVolume(folder: string): void {
  run('mount', '-t', 'tmpfs', '-o', 'size=1m', 'none', folder);
  onTestFinished(() => run('umount', folder));
}

/** Why there can be none here; undefined: there can. */
export const noLoopVolume: string | undefined = tried();

function tried(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'doorkeep-volume-'));
  try {
    const image = join(folder, 'image');
    run('truncate', '-s', '1M', image);
    run('mkfs.ext4', '-q', '-F', image);
    run('mount', '-o', 'loop', image, folder);
    run('umount', folder);
    return undefined;
  } catch (cause) {
    return cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(program: string, ...args: readonly string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
