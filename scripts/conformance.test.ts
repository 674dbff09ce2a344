import { expect, test } from 'vitest';
import { conformancePage, heldRows } from './conformance.ts';

const tested = (title: string, status: string, ...ancestorTitles: string[]) => ({
  ancestorTitles,
  title,
  status,
});

const report = {
  testResults: [
    {
      name: '/there/agent/b.test.ts',
      assertionResults: [
        tested('S0-15 S0-16 nobody | ever', 'passed'),
        tested('no row at all, though S0-1 is named', 'passed'),
        tested('S0-2, S1-10 both', 'failed'),
      ],
    },
    { name: '/there/agent/a.test.ts', assertionResults: [tested('S0-2 one', 'skipped')] },
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

test('a group of tests that names a row is one line, and passed only if all of it did', () => {
  const inGroup = (title: string, status: string) => tested(title, status, 'S0-22 no clock', 'x');
  const held = (...assertionResults: unknown[]) =>
    heldRows({ testResults: [{ name: '/there/a.test.ts', assertionResults }] }, '/there');
  const line = { row: 'S0-22', title: 'no clock', file: 'a.test.ts' };
  expect(held(inGroup('at noon', 'passed'), inGroup('at night', 'passed'))).toEqual([
    { ...line, status: 'passed' },
  ]);
  expect(held(inGroup('at noon', 'failed'), inGroup('at night', 'passed'))).toEqual([
    { ...line, status: 'failed' },
  ]);
});
