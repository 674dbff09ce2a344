/** Loaded before every test file while it is found out what each reaches (scripts/mutate/regions.ts). */
import { afterEach } from 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    reachedRegions?: string[];
  }
}

const reached = new Set<string>();
Object.assign(globalThis, { reachedRegions: reached });

afterEach(({ task }) => {
  task.file.meta.reachedRegions = [...reached];
});
