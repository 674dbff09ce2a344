import type { Mutant } from './mutants.ts';
import { importDistances } from './nearest-tests.ts';
import { regionAt, regionsOf } from './regions.ts';
import type { Reach } from './trials.ts';

/** What the nearer tests have not noticed the farther ones seldom do, and they take long. */
const mostTests = 5;
/** Slower ones run where no other comes along; the test of the source itself always. */
const quickMs = 1500;

export type PlannedTest = { readonly file: string; readonly limitMs: number };

/**
 * Which tests to run on a mutant: the nearest quick ones that come along its place. What a test reaches is found out
 * when it is first asked about; one that fails without any mutant says nothing and is left out.
 */
export function createPlan(
  root: string,
  sources: ReadonlyMap<string, string>,
  tests: readonly string[],
  reach: (test: string) => Promise<Reach>,
): (mutant: Mutant) => Promise<readonly PlannedTest[]> {
  const distances = importDistances(root, tests);
  const regions = new Map([...sources].map(([file, source]) => [file, regionsOf(source)]));
  const reaches = new Map<string, Promise<Reach>>();
  const plans = new Map<string, Promise<readonly PlannedTest[]>>();

  const reachOf = (test: string) => {
    const known = reaches.get(test) ?? reach(test);
    reaches.set(test, known);
    return known;
  };

  const planFor = async (file: string, region: string) => {
    const nearest = [...distances]
      .map(([test, ofTest]) => ({ test, distance: ofTest.get(file) ?? Infinity }))
      .filter(({ distance }) => distance < Infinity)
      .sort((a, b) => a.distance - b.distance || (a.test < b.test ? -1 : 1));
    const quick: PlannedTest[] = [];
    const slow: PlannedTest[] = [];
    for (const { test, distance } of nearest) {
      if (quick.length === mostTests) break;
      const { isPassed, elapsedMs, workMs, regions: reached } = await reachOf(test);
      if (!isPassed || !reached.has(region)) continue;
      const planned = { file: test, limitMs: 10_000 + 5 * elapsedMs };
      (distance === 1 || workMs < quickMs ? quick : slow).push(planned);
    }
    return quick.length > 0 ? quick : slow.slice(0, 1);
  };

  return ({ file, start }) => {
    const region = `${file}:${regionAt(regions.get(file) ?? [], start)}`;
    const plan = plans.get(region) ?? planFor(file, region);
    plans.set(region, plan);
    return plan;
  };
}
