/**
 * How much do the tests notice? Puts one small fault after the other into the sources and runs the nearest
 * tests on each; see docs/benchmarks.md. The files themselves stay as they are.
 */
import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { seededChance } from '../agent/io/process/seeded-chance.ts';
import { isListed, readEquivalents } from './mutate/equivalent.ts';
import { type Mutant, mutantsOf } from './mutate/mutants.ts';
import { createPlan, type PlannedTest } from './mutate/plan.ts';
import { type Judged, type Outcome, scoreTable, survivorText } from './mutate/score.ts';
import { openTrials, readSources } from './mutate/trials.ts';

const usage = `node scripts/mutate.ts [FOLDER | FILE | FILE:LINE ...] [options]
Mutants of agent/consent, agent/ueip, agent/rights and agent/upload, or of what is named, one at a time.
  --sample N   only N of them
  --seed S     which N; 1 by default
  --slow       run the slow tests too: random histories, whole processes, real pictures`;

/** Minutes of work that the nearer tests have done already. */
const slowTests = /test\/(scenarios|e2e)\/|-(model|on-faces)\.test\.ts$/;

const root = fileURLToPath(new URL('..', import.meta.url));
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    slow: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) console.log(usage);
else await mutate(positionals);

async function mutate(named: readonly string[]): Promise<void> {
  const wanted =
    named.length > 0
      ? named
      : ['consent', 'ueip', 'rights', 'upload'].map((part) => `agent/${part}`);
  const sources = readSources(root, sourceFilesOf(wanted));
  const mutants = chosen(mutantsNamed(sources, wanted));
  const equivalents = readEquivalents(new URL('mutate/equivalent.json', import.meta.url));
  const trials = await openTrials(root, sources);
  const tests = trials.tests.filter((test) => options.slow || !slowTests.test(test));
  const reach = async (test: string) => {
    const reached = await trials.reach(test);
    if (!reached.isPassed) console.log(`${test} fails without any mutant: left out`);
    return reached;
  };
  const judge = async (mutant: Mutant, planned: readonly PlannedTest[]): Promise<Outcome> =>
    planned.length === 0 ? 'unreached' : await trials.judge(mutant, planned);
  try {
    const plan = createPlan(root, sources, tests, reach);
    const judged: Judged[] = [];
    for (const [index, mutant] of mutants.entries()) {
      const outcome = isListed(mutant, equivalents)
        ? 'equivalent'
        : await judge(mutant, await plan(mutant));
      judged.push({ mutant, outcome });
      if (outcome === 'survived' || outcome === 'unreached') {
        console.log(survivorText({ mutant, outcome }));
      }
      if ((index + 1) % 50 === 0) console.error(`${index + 1} of ${mutants.length}`);
    }
    for (const line of scoreTable(judged)) console.log(line);
  } finally {
    await trials.close();
  }
  // A test that fails on a mutant is what was wanted; vitest takes it for a failure.
  process.exitCode = 0;
}

function sourceFilesOf(wanted: readonly string[]): string[] {
  return wanted
    .map((each) => each.replace(/:\d+$/, ''))
    .flatMap((each) => globSync(each.endsWith('.ts') ? each : `${each}/**/*.ts`, { cwd: root }))
    .filter((file) => !file.endsWith('.test.ts'))
    .sort();
}

function mutantsNamed(sources: ReadonlyMap<string, string>, wanted: readonly string[]): Mutant[] {
  const lines = wanted.filter((each) => /:\d+$/.test(each));
  return [...sources]
    .flatMap(([file, source]) => mutantsOf(file, source))
    .filter(({ file, line }) => {
      const ofFile = lines.filter((each) => each.startsWith(`${file}:`));
      return ofFile.length === 0 || ofFile.includes(`${file}:${line}`);
    });
}

/** The sample that was asked for, in the order of the sources. */
function chosen(mutants: readonly Mutant[]): readonly Mutant[] {
  if (options.sample === undefined) return mutants;
  const chance = seededChance(`mutate/${options.seed}`);
  const keyed = mutants.map((mutant) => ({ mutant, key: Buffer.from(chance(8)).toString('hex') }));
  const few = keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).slice(0, Number(options.sample));
  const kept = new Set(few.map(({ mutant }) => mutant));
  return mutants.filter((mutant) => kept.has(mutant));
}
