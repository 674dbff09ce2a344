import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createVitest } from 'vitest/node';
import { type Mutant, mutated } from './mutants.ts';
import type { PlannedTest } from './plan.ts';
import { watched } from './regions.ts';
import { warmProcess } from './warm-process.ts';

/** What a test file does where nothing is wrong. */
export type Reach = {
  readonly isPassed: boolean;
  readonly elapsedMs: number;
  /** Of the processor, without other processes. */
  readonly workMs: number;
  /** `${file}:${region}` of the sources to be mutated. */
  readonly regions: ReadonlySet<string>;
};

export type Verdict = 'killed' | 'timed-out' | 'survived';

export type Trials = {
  /** Every test file of the project. */
  readonly tests: readonly string[];
  reach(test: string): Promise<Reach>;
  /** Runs the tests, one file after the other, until one notices. */
  judge(mutant: Mutant, tests: readonly PlannedTest[]): Promise<Verdict>;
  close(): Promise<void>;
};

/**
 * Runs test files on faulty sources. Nothing is written: vitest is given another text in the place of the
 * file's. One vitest serves all trials, so that only what depends on the mutant is transformed anew.
 * @param sources what may be mutated; nothing else is watched
 */
export async function openTrials(
  root: string,
  sources: ReadonlyMap<string, string>,
): Promise<Trials> {
  let current: Mutant | 'watch' = 'watch';
  const changed: string[] = [];
  const processes = warmProcess(() => changed.splice(0));
  const vitest = await createVitest(
    {
      root,
      watch: false,
      // A cache on the disk would answer in the place of the plugin.
      fsModuleCache: false,
      pool: processes.pool,
      maxWorkers: 1,
      bail: 1,
      silent: true,
      reporters: [{}],
      setupFiles: [join(import.meta.dirname, 'reached.ts')],
    },
    {
      plugins: [
        {
          name: 'mutant',
          enforce: 'pre',
          transform(code: string, id: string): string | undefined {
            const file = relative(root, id);
            const source = sources.get(file);
            if (source === undefined) return undefined;
            if (source !== code) throw new Error(`${file} has changed since the start`);
            if (current === 'watch') return watched(file, source);
            return current.file === file ? mutated(source, current) : undefined;
          },
        },
      ],
    },
  );
  const specifications = new Map(
    (await vitest.globTestSpecifications()).map((each) => [relative(root, each.moduleId), each]),
  );

  const run = async (test: string) => {
    const specification = specifications.get(test);
    if (!specification) throw new TypeError(`${test} is no test file`);
    const { testModules, unhandledErrors } = await vitest.runTestSpecifications([specification]);
    const module = testModules.find(({ moduleId }) => moduleId === specification.moduleId);
    const isPassed =
      unhandledErrors.length === 0 && ['passed', 'skipped'].includes(module?.state() ?? '');
    return { isPassed, module };
  };

  const become = (next: Mutant | 'watch') => {
    if (next === current) return;
    const touched = new Set(
      [current, next].flatMap((each) => (each === 'watch' ? [...sources.keys()] : [each.file])),
    );
    for (const file of touched) {
      vitest.invalidateFile(join(root, file));
      changed.push(join(root, file));
    }
    current = next;
  };

  const isNoticed = async (test: PlannedTest): Promise<Verdict> => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      // The first asks the worker, which may never answer; the second ends it.
      void vitest.cancelCurrentRun('keyboard-input');
      void vitest.cancelCurrentRun('keyboard-input');
    }, test.limitMs);
    const { isPassed } = await run(test.file).finally(() => clearTimeout(timer));
    if (isLate) return 'timed-out';
    return isPassed ? 'survived' : 'killed';
  };

  const firstNotice = async (tests: readonly PlannedTest[]): Promise<Verdict> => {
    for (const test of tests) {
      const verdict = await isNoticed(test);
      if (verdict !== 'survived') return verdict;
    }
    return 'survived';
  };

  return {
    tests: [...specifications.keys()],
    async reach(test) {
      become('watch');
      const start = performance.now();
      const { isPassed, module } = await run(test);
      const { workMs = 0, reachedRegions = [] } = module?.meta() ?? {};
      return {
        isPassed,
        elapsedMs: performance.now() - start,
        workMs,
        regions: new Set(reachedRegions),
      };
    },
    async judge(mutant, tests) {
      become(mutant);
      const verdict = await firstNotice(tests);
      if (verdict !== 'survived') return verdict;
      // What earlier tests left behind in the process may have hidden it.
      await processes.renew();
      become('watch');
      become(mutant);
      return firstNotice(tests);
    },
    async close() {
      await vitest.close();
      await processes.renew();
    },
  };
}

export function readSources(root: string, files: readonly string[]): ReadonlyMap<string, string> {
  return new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
}
