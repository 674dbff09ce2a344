import type { Command } from 'commander';
import { AgentError } from '../errors.ts';
import { agentListens } from '../programme-remote.ts';
import { action, command } from './command.ts';

/** For what watches over the agent: a container's health check, a watchdog. */
export function healthCommand(): Command {
  const target = command('health', 'whether an agent is at work here and answers', 'health');
  return action(target, async ({ terminal, dataDir }) => {
    if (!(await agentListens(dataDir))) {
      throw new AgentError(
        'UNHEALTHY',
        `${dataDir}: no agent is at work; \`doorkeep run\` starts it`,
      );
    }
    terminal.result({ kind: 'answers' }, 'the agent answers');
  });
}
