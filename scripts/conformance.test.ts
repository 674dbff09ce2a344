import { expect, test } from 'vitest';
import { conformancePage, heldRows } from './conformance.ts';

const report = {
  testResults: [
    {
      name: '/there/agent/b.test.ts',
      assertionResults: [
        { title: 'S0-15 S0-16 nobody | ever', status: 'passed' },
        { title: 'no row at all, though S0-1 is named', status: 'passed' },
        { title: 'S0-2, S1-10 both', status: 'failed' },
      ],
    },
    {
      name: '/there/agent/a.test.ts',
      assertionResults: [{ title: 'S0-2 one', status: 'skipped' }],
    },
  ],
};

test('rows are read from the beginning of a title, and ordered as numbers', () => {
  const held = heldRows(report, '/there');
  expect(held.map(({ row, title }) => `${row} ${title}`)).toEqual([
    'S0-2 one',
    'S0-2 both',
    'S0-15 nobody | ever',
    'S0-16 nobody | ever',
    'S1-10 both',
  ]);
  expect(conformancePage(held)).toContain(
    '| S0-15 | nobody \\| ever | `agent/b.test.ts` | passed |\n',
  );
  expect(conformancePage(held)).toContain('4 promises so far');
});

test('what is no report of vitest is refused', () => {
  expect(() => heldRows({}, '/there')).toThrow('testResults is missing');
});
