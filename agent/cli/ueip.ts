import { Command } from 'commander';
import { AgentError } from '../errors.ts';
import { confirm, type Dialogue, processDialogue } from '../io/process/dialogue.ts';
import { withdrawalQuestion } from '../io/programme/policies.ts';
import { type AskProgramme, type OpenLocal, withProgramme } from '../programme-access.ts';
import { action, command } from './command.ts';
import { type ActorOption, actorOf, withActor } from './ueip-actor.ts';
import { exportCommand, historyCommand, previewCommand, verifyCommand } from './ueip-files.ts';
import { policyCommand } from './ueip-policy.ts';
import { offText, onText } from './ueip-result-text.ts';
import { statusText } from './ueip-status-text.ts';

export function ueipCommand(openLocal: OpenLocal, dialogue: Dialogue = processDialogue): Command {
  const ask: AskProgramme = (context, use) => withProgramme(context, openLocal, use);
  return new Command('ueip')
    .description('the improvement programme: whether records are kept, which, and their end')
    .addCommand(on(ask))
    .addCommand(off(ask, dialogue))
    .addCommand(status(ask))
    .addCommand(previewCommand(ask))
    .addCommand(historyCommand(ask))
    .addCommand(exportCommand(ask))
    .addCommand(verifyCommand(ask))
    .addCommand(policyCommand());
}

function on(ask: AskProgramme): Command {
  const target = command('on', 'take part', 'ueip on --accept-policy 2026-11')
    .requiredOption('--accept-policy <version>', 'of the notice that was read and agreed to')
    .option('--allow-volatile', 'even if the records lie in memory and not on flash', false);
  type Options = ActorOption & { readonly acceptPolicy: string; readonly allowVolatile: boolean };
  return action<Options>(withActor(target), async (context, _args, options) => {
    const { acceptPolicy, allowVolatile } = options;
    const order = { acceptPolicy, allowVolatile, by: actorOf(options) };
    const result = await ask(context, (programme) => programme.on(order));
    context.terminal.result(result, onText(result));
  });
}

function off(ask: AskProgramme, dialogue: Dialogue): Command {
  const target = command('off', 'leave: everything recorded is erased at once', 'ueip off')
    .option('--yes', 'do not ask', false)
    .option('--verify', 'then search the raw files for pieces of what was in them', false)
    .option('--erase-cloud', 'also order the cloud to erase what was sent', false);
  type Options = ActorOption & Record<'yes' | 'verify' | 'eraseCloud', boolean>;
  return action<Options>(withActor(target), async (context, _args, options) => {
    const { verify, eraseCloud } = options;
    const order = { verify, eraseCloud, by: actorOf(options) };
    if (!options.yes && !(await confirm(withdrawalQuestion, 'yes', dialogue))) {
      throw new AgentError('CONFIRMATION_NEEDED', 'nothing was changed');
    }
    const result = await ask(context, (programme) => programme.off(order));
    context.terminal.result(result, offText(result));
    if (result.kind === 'incomplete') {
      const failed = result.steps.filter((step) => step.result === 'failed');
      const names = failed.map(({ step }) => step).join(', ');
      throw new AgentError('ERASURE_INCOMPLETE', `not all of it is erased: ${names}`);
    }
  });
}

function status(ask: AskProgramme): Command {
  const target = command('status', 'whether it is on, and what lies here', 'ueip status');
  return action(target, async (context) => {
    await ask(context, async (programme, isAgent) => {
      const found = await programme.status();
      context.terminal.result({ ...found, agent: isAgent }, statusText(found, isAgent));
    });
  });
}
