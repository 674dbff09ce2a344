import { existsSync, readFileSync, realpathSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { FileSystemGuarantee } from '../../rights/receipt.ts';

/** What lies under the data directory, or the nearest folder above it that exists. */
export type VolumeFacts = FileSystemGuarantee & {
  readonly folder: string;
  readonly freeBytes: number;
  /** '/dev/mmcblk0p3', 'ubi0:data' */
  readonly device: string;
  /** Gone after a restart, or with the container. */
  readonly volatile: boolean;
  readonly readOnly: boolean;
};

/** Throws what the system throws. */
export function volumeFacts(dataDir: string): VolumeFacts {
  let folder = dataDir;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  const mounts = parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
  const mount = mountOf(mounts, realpathSync(folder));
  return { folder, freeBytes: bavail * bsize, ...classify(mount, (path) => upperOf(mounts, path)) };
}

/** One sentence for `doctor`: what an opt-out makes sure of here. */
export function erasureSentence({ erasure, type }: FileSystemGuarantee): string {
  switch (erasure) {
    case 'in-place':
      return `${type} overwrites in place: an opt-out leaves nothing in its blocks; old copies that a flash controller may keep are sealed under a key that is destroyed`;
    case 'cryptographic-only':
      return `${type} does not overwrite in place: what an opt-out leaves on the medium is sealed under a destroyed key; only volume.erase, on a volume of its own, takes it off`;
    case 'none':
      return `${type} cannot be written: nothing can be recorded here, and nothing erased`;
  }
}

export type Mount = {
  readonly mountPoint: string;
  readonly type: string;
  readonly source: string;
  /** Of the mount and of the file system. */
  readonly options: readonly string[];
};

/** Lines of proc_pid_mountinfo(5). */
export function parseMounts(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , , mountPoint, options] = before.split(' ');
    const [type, source, superOptions] = after.split(' ');
    if (mountPoint === undefined || type === undefined || source === undefined) return [];
    const all = [...(options ?? '').split(','), ...(superOptions ?? '').split(',')];
    return [{ mountPoint: unescaped(mountPoint), type, source: unescaped(source), options: all }];
  });
}

/** The mount that a path lies in: the deepest, and of several at one place the one on top. */
export function mountOf(mounts: readonly Mount[], path: string): Mount {
  const holding = mounts.filter(
    ({ mountPoint }) =>
      mountPoint === '/' || path === mountPoint || path.startsWith(`${mountPoint}/`),
  );
  const deepest = Math.max(...holding.map(({ mountPoint }) => mountPoint.length));
  const mount = holding.findLast(({ mountPoint }) => mountPoint.length === deepest);
  return mount ?? { mountPoint: '/', type: 'unknown', source: 'unknown', options: [] };
}

type Classified = Omit<VolumeFacts, 'folder' | 'freeBytes'>;

/** `upperOf`: the mount in which the writable layer of an overlay lies; undefined: out of sight. */
export function classify(
  mount: Mount,
  upperOf: (upperDir: string) => Mount | undefined,
): Classified {
  const { type, source, options } = mount;
  if (type === 'overlay') return classifyOverlay(mount, upperOf);
  const readOnly = options.includes('ro') || readOnlyTypes.has(type);
  return {
    type,
    device: source,
    volatile: volatileTypes.has(type),
    readOnly,
    erasure: readOnly ? 'none' : overwritesInPlace(mount) ? 'in-place' : 'cryptographic-only',
  };
}

/** A layer that cannot be seen is a container's, and goes with it; one mounted 'volatile' is never synced. */
function classifyOverlay(
  { source, options }: Mount,
  upperOf: (upperDir: string) => Mount | undefined,
): Classified {
  const type = 'overlay';
  const upperDir = optionValue(options, 'upperdir');
  if (upperDir === undefined || options.includes('ro')) {
    return { type, device: source, volatile: false, readOnly: true, erasure: 'none' };
  }
  const upper = upperOf(upperDir);
  const below = upper && upper.type !== 'overlay' ? classify(upper, upperOf) : undefined;
  if (!below) {
    return { type, device: source, volatile: true, readOnly: false, erasure: 'cryptographic-only' };
  }
  const isUnsynced = options.some((option) => /^(volatile|fsync=volatile)$/.test(option));
  return { ...below, type: `overlay on ${below.type}`, volatile: below.volatile || isUnsynced };
}

const volatileTypes = new Set(['tmpfs', 'ramfs', 'devtmpfs', 'rootfs', 'hugetlbfs']);
const readOnlyTypes = new Set(['squashfs', 'erofs', 'iso9660', 'cramfs', 'romfs', 'udf']);
/** The others (f2fs, ubifs, jffs2, yaffs2, btrfs, zfs, nfs, fuse, …) write elsewhere, or nobody knows where. */
const inPlaceTypes = new Set([
  'ext2',
  'ext3',
  'ext4',
  'vfat',
  'msdos',
  'exfat',
  'xfs',
  'jfs',
  'tmpfs',
  'ramfs',
]);

/** With data=journal a copy of what is written stays in the journal for a while. */
function overwritesInPlace({ type, options }: Mount): boolean {
  return inPlaceTypes.has(type) && !options.includes('data=journal');
}

function upperOf(mounts: readonly Mount[], upperDir: string): Mount | undefined {
  // A path of the name space in which the overlay was mounted: here it may be another folder, or none.
  return statSync(upperDir, { throwIfNoEntry: false }) && mountOf(mounts, upperDir);
}

function optionValue(options: readonly string[], key: string): string | undefined {
  return options.find((option) => option.startsWith(`${key}=`))?.slice(key.length + 1);
}

/** Blanks, tabs, line feeds and backslashes are written as \040 and so on. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
