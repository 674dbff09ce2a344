import { expect, test } from 'vitest';
import { mutantsOf } from './mutants.ts';
import { type Outcome, scoreTable, survivorText } from './score.ts';

const mutants = mutantsOf('agent/a/b.ts', 'const a = 1 + 2 + 3;\nconst b = !a;');

test('the score of a folder is the share of the mutants that the tests noticed', () => {
  const outcomes: Outcome[] = ['killed', 'timed-out', 'survived', 'unreached', 'equivalent'];
  const judged = outcomes.flatMap((outcome, index) => {
    const mutant = mutants[index];
    return mutant ? [{ mutant, outcome }] : [];
  });
  expect(scoreTable(judged)).toEqual([
    'agent/a: 50.0 % (2 of 4; 1 by running out of time, 1 survived, 1 that no test reaches, 1 equivalent)',
  ]);
});

test('a survivor is shown as a place to open and what may be changed there', () => {
  const mutant = mutants.at(-1);
  if (!mutant) throw new Error('no mutant');
  expect(survivorText({ mutant, outcome: 'unreached' })).toBe(
    'agent/a/b.ts:2:11  (no test reaches it)\n  - const b = !a;\n  + const b = a;',
  );
});
