import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../agent/test/fakes/temporary-folder.ts';
import { mutantsOf } from './mutants.ts';
import { createPlan } from './plan.ts';

const source = 'export const f = (a: number) => a < 1;\nexport const g = (a: number) => a > 2;\n';
const [ofF, ofG] = ['a < 1', 'a > 2'].map((text) =>
  mutantsOf('f.ts', source).find(({ start }) => start === source.indexOf(text) + 2),
);

/** Tests at the distances 1, 2, 3, …, and how each behaves. */
async function planned(
  mutant: typeof ofF,
  tests: readonly { workMs?: number; isPassed?: boolean; regions?: string[] }[],
): Promise<{ files: string[]; asked: string[] }> {
  const root = temporaryFolder();
  mkdirSync(join(root, 'a'));
  writeFileSync(join(root, 'f.ts'), source);
  writeFileSync(join(root, 'a/0.ts'), "import '../f.ts';");
  for (const index of tests.keys()) {
    writeFileSync(join(root, `a/${index + 1}.ts`), `import './${index}.ts';`);
    writeFileSync(
      join(root, `a/${index + 1}.test.ts`),
      index === 0 ? "import '../f.ts';" : `import './${index - 1}.ts';`,
    );
  }
  const names = tests.map((_, index) => `a/${index + 1}.test.ts`);
  const asked: string[] = [];
  const plan = createPlan(root, new Map([['f.ts', source]]), names.toReversed(), async (name) => {
    asked.push(name);
    const {
      workMs = 10,
      isPassed = true,
      regions = ['f.ts:0', 'f.ts:1'],
    } = tests[names.indexOf(name)] ?? {};
    return { isPassed, workMs, elapsedMs: 2 * workMs, regions: new Set(regions) };
  });
  if (!mutant) throw new Error('no mutant');
  const files = await plan(mutant);
  expect(await plan(mutant)).toBe(files);
  return { files: files.map(({ file }) => file.slice(2, 3)), asked };
}

test('the nearest tests come first, five of them; the others are not even asked', async () => {
  const { files, asked } = await planned(ofF, Array(7).fill({}));
  expect(files).toEqual(['1', '2', '3', '4', '5']);
  expect(asked).toHaveLength(5);
});

test('a test that does not come along, or fails anyway, is left out', async () => {
  expect((await planned(ofF, [{ regions: ['f.ts:0'] }, { isPassed: false }, {}])).files).toEqual([
    '3',
  ]);
  expect((await planned(ofG, [{}, { regions: ['f.ts:2'] }])).files).toEqual(['2']);
  expect((await planned(ofG, [{}, {}])).files).toEqual([]);
});

test('a slow one runs only if it is the own one, or no other comes along', async () => {
  const slow = { workMs: 5_000 };
  expect((await planned(ofF, [slow, slow, {}])).files).toEqual(['1', '3']);
  expect((await planned(ofF, [{ regions: [] }, slow, slow])).files).toEqual(['2']);
});
