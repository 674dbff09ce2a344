import type { ActOutcome } from '../io/systemd/carry-out.ts';
import type { Act } from '../io/systemd/install-plan.ts';

const said = { done: 'done', 'already-so': 'already so', would: 'would be done' } as const;

/** One act for a person; of a file that is, or would be, written, with its content. */
export function actText(act: Act, outcome: ActOutcome): string {
  switch (act.kind) {
    case 'program':
      return `${said[outcome]}: ${act.argv.join(' ')}`;
    case 'link':
      return `${said[outcome]}: ${act.path} -> ${act.target}`;
    case 'file': {
      const head = `${said[outcome]}: ${act.path}`;
      if (outcome !== 'would') return head;
      return [head, ...act.content.trimEnd().split('\n')].join('\n    ');
    }
  }
}
