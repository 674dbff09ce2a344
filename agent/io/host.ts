import { existsSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { inPackage } from './package-root.ts';

export function runtimeFacts(): { node: string; pinned: string; architecture: string } {
  return { node: process.versions.node, pinned: pinnedNode(), architecture: process.arch };
}

/** The version that package.json names for this processor. */
function pinnedNode(): string {
  const { optionalDependencies } = JSON.parse(readFileSync(inPackage('package.json'), 'utf8'));
  return optionalDependencies[`node-linux-${process.arch}`] ?? 'unknown';
}

export function keyFileState(path: string): 'private' | 'absent' | 'open' {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return 'absent';
  return (found.mode & 0o077) === 0 ? 'private' : 'open';
}

/** statfs(2): magic numbers of file systems that live in memory. */
const volatileTypes = new Map([
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
]);

/** Of the folder, or of the nearest one above it that exists. */
export function volumeFacts(dataDir: string): {
  folder: string;
  freeBytes: number;
  volatile: boolean;
} {
  let folder = dataDir;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  const { bavail, bsize, type } = statfsSync(folder);
  return { folder, freeBytes: bavail * bsize, volatile: volatileTypes.has(type) };
}

/** The most memory this process, all its threads, has held. */
export function peakMemoryBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}
