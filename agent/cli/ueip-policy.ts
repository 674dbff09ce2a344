import { Command } from 'commander';
import { policyInForce } from '../consent/consent.ts';
import { AgentError } from '../errors.ts';
import { systemClock } from '../io/process/clock.ts';
import { bundledPolicies, policyText } from '../io/programme/policies.ts';
import { action, command } from './command.ts';

export function policyCommand(): Command {
  return new Command('policy')
    .description('the privacy agreement of the improvement programme')
    .addCommand(show());
}

function show(): Command {
  const target = command(
    'show [version]',
    'the full text, as it is agreed to; without a version the one in force',
    'ueip policy show',
  ).argument('[version]');
  return action(target, async (context, [asked]) => {
    const policies = bundledPolicies();
    const inForce = policyInForce({ policies, wallMs: systemClock.wallMs() });
    const version = asked ?? (inForce ?? policies.at(-1))?.version ?? '';
    const content = policyText(version, context.config);
    const policy = policies.find((each) => each.version === version);
    if (!policy) throw new AgentError('CONSENT_REFUSED', `there is no policy version ${version}`);
    const isInForce = inForce?.version === version;
    context.terminal.result(
      { ...policy, isInForce, text: content },
      `${content.trimEnd()}\n\nversion ${version}, ${isInForce ? 'in force' : 'not in force'}; SHA-256 of the text ${policy.textSha256}`,
    );
  });
}
