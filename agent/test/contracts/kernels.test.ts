import { describe, expect, test } from 'vitest';
import { kernelSets } from '../../io/process/native.ts';
import { knownAnswers } from './kernels-answers.ts';
import { sameAsDefinition, sameAsTruth } from './kernels-equality.ts';
import { refusals } from './kernels-refusals.ts';

const sets = kernelSets();
const truth = sets[0];
if (!truth) throw new Error('there are no kernels');

test.skipIf(sets.length === 1)('the native kernels are built, and tested below', () => {
  expect(sets.map(({ name }) => name)).toContain('portable');
});

describe.each(sets.map((set) => [set.name, set] as const))('kernels: %s', (_, set) => {
  knownAnswers(set);
  sameAsTruth(set, truth);
  sameAsDefinition(set);
  refusals(set);
});
