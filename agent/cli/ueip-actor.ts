import type { Command } from 'commander';
import { type Actor, isActorName } from '../consent/consent.ts';
import { AgentError } from '../errors.ts';

export type ActorOption = { readonly actor: string };

/** For every command that leaves a line in the history. */
export function withActor(target: Command): Command {
  return target.option('--actor <name>', 'who decides: resident, installer, support …', 'resident');
}

/** @throws USAGE */
export function actorOf({ actor }: ActorOption): Actor {
  if (isActorName(actor)) return { name: actor, channel: 'cli' };
  throw new AgentError('USAGE', `--actor is 1 to 64 of a-z 0-9 . _ -, not ${actor}`);
}
