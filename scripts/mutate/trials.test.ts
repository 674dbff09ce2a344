import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../agent/test/fakes/temporary-folder.ts';
import { mutantsOf } from './mutants.ts';
import { openTrials, readSources } from './trials.ts';

test('a fault is noticed, survives or never ends; the file stays as it is', async () => {
  const root = temporaryFolder();
  symlinkSync(
    fileURLToPath(new URL('../../node_modules', import.meta.url)),
    join(root, 'node_modules'),
  );
  mkdirSync(join(root, 'a'));
  const source = `export function sum(most: number) {
  let sum = 0;
  for (let i = 1; i <= most; i++) sum += i;
  return sum;
}
export const unused = (a: boolean) => !a;
`;
  writeFileSync(join(root, 'a/sum.ts'), source);
  writeFileSync(
    join(root, 'a/sum.test.ts'),
    `import { expect, test } from 'vitest';
import { sum } from './sum.ts';
test('3', () => expect(sum(2)).toBe(3));
`,
  );
  const trials = await openTrials(root, readSources(root, ['a/sum.ts']));
  onTestFinished(() => trials.close());

  expect(trials.tests).toEqual(['a/sum.test.ts']);
  const reach = await trials.reach('a/sum.test.ts');
  expect(reach.isPassed).toBe(true);
  expect([...reach.regions].toSorted()).toEqual(['a/sum.ts:0', 'a/sum.ts:1']);

  const judge = (becomes: string, limitMs = 60_000) => {
    const mutant = mutantsOf('a/sum.ts', source).find((each) => each.becomes === becomes);
    if (!mutant) throw new Error(`no mutant becomes ${becomes}`);
    return trials.judge(mutant, [{ file: 'a/sum.test.ts', limitMs }]);
  };
  expect(await judge('let sum = 1;')).toBe('killed');
  expect(await judge('export const unused = (a: boolean) => a;')).toBe('survived');
  expect(await judge('for (let i = 1; i <= most; i--) sum += i;', 300)).toBe('timed-out');
  expect(await judge('for (let i = 1; i < most; i++) sum += i;')).toBe('killed');
  expect(readFileSync(join(root, 'a/sum.ts'), 'utf8')).toBe(source);
});
