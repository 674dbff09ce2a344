import type { Command } from 'commander';
import { AgentError } from '../errors.ts';
import { checkHealth } from '../health.ts';
import { systemClock } from '../io/process/clock.ts';
import { action, command } from './command.ts';

const signs = { ok: '✓', warn: '!', fail: '✗' } as const;
const colours = { ok: 'green', warn: 'yellow', fail: 'red' } as const;

export function doctorCommand(): Command {
  const target = command(
    'doctor',
    'what is ready on this device, what is not, and what to do about it',
    'doctor',
  );
  return action(target, async ({ terminal, dataDir, config }) => {
    const checks = await checkHealth({ dataDir, config }, systemClock.wallMs());
    const width = Math.max(...checks.map(({ name }) => name.length));
    for (const check of checks) {
      const { name, state, detail, hint } = check;
      const sign = terminal.paint(colours[state], signs[state]);
      const more =
        hint === undefined ? '' : `\n  ${' '.repeat(width)}  ${terminal.paint('dim', hint)}`;
      terminal.result(check, `${sign} ${name.padEnd(width)}  ${detail}${more}`);
    }
    const failures = checks.filter(({ state }) => state === 'fail').length;
    if (failures > 0) {
      throw new AgentError('UNHEALTHY', `${failures} of ${checks.length} checks failed`);
    }
  });
}
