/** Loaded before every test file: notes what it reaches (scripts/mutate/regions.ts) and how long it works. */
import { afterEach } from 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    reachedRegions?: string[];
    workMs?: number;
  }
}

const reached = new Set<string>();
const before = process.cpuUsage();
Object.assign(globalThis, { reachedRegions: reached });

afterEach(({ task }) => {
  const { user, system } = process.cpuUsage(before);
  task.file.meta.reachedRegions = [...reached];
  task.file.meta.workMs = (user + system) / 1000;
});
