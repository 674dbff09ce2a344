import { readFileSync, statSync } from 'node:fs';
import { inPackage } from '../files/package-root.ts';

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

/** The most memory this process, all its threads, has held. */
export function peakMemoryBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}
