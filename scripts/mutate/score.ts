import { dirname } from 'node:path';
import type { Mutant } from './mutants.ts';
import type { Verdict } from './trials.ts';

/** 'unreached': no test comes along there. 'equivalent': means the same, so nothing is to be noticed. */
export type Outcome = Verdict | 'unreached' | 'equivalent';

export type Judged = { readonly mutant: Mutant; readonly outcome: Outcome };

/** One line for each folder: what share of the faults the tests noticed. */
export function scoreTable(judged: readonly Judged[]): string[] {
  const folders = [...new Set(judged.map(({ mutant }) => dirname(mutant.file)))].sort();
  return folders.map((folder) => {
    const here = judged.filter(({ mutant }) => dirname(mutant.file) === folder);
    const count = (...outcomes: Outcome[]) =>
      here.filter(({ outcome }) => outcomes.includes(outcome)).length;
    const noticed = count('killed', 'timed-out');
    const all = here.length - count('equivalent');
    const share = all === 0 ? '—' : `${((noticed / all) * 100).toFixed(1)} %`;
    return (
      `${folder}: ${share} (${noticed} of ${all}; ${count('timed-out')} by running out of time, ` +
      `${count('survived')} survived, ${count('unreached')} that no test reaches, ` +
      `${count('equivalent')} equivalent)`
    );
  });
}

/** A place to open, and what may be changed there without a test noticing. */
export function survivorText({ mutant, outcome }: Judged): string {
  const { file, line, column, was, becomes } = mutant;
  const note = outcome === 'unreached' ? '  (no test reaches it)' : '';
  return `${file}:${line}:${column}${note}\n  - ${was}\n  + ${becomes}`;
}
