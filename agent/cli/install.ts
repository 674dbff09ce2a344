import type { Command } from 'commander';
import { AgentError } from '../errors.ts';
import type { SourceOptions } from '../io/camera/source-options.ts';
import { inPackage } from '../io/files/package-root.ts';
import { serviceDataDir } from '../io/process/environment.ts';
import { carryOut } from '../io/systemd/carry-out.ts';
import { installPlan } from '../io/systemd/install-plan.ts';
import { installRefusals } from '../io/systemd/install-refusals.ts';
import { installSpec } from '../io/systemd/install-spec.ts';
import { action, collect, command } from './command.ts';
import { actText } from './install-text.ts';
import { runCommand } from './run.ts';

type Options = {
  readonly dryRun?: boolean;
  readonly prefix?: string;
  readonly program: string;
  readonly user: string;
  readonly memoryMax: number;
  readonly device: readonly string[];
  readonly config?: string;
  readonly set: readonly string[];
};

export function installCommand(): Command {
  const target = command(
    'install [options] -- <options of run...>',
    'make it a service of systemd: user, data directory, relay, unit; done again, it changes what differs',
    'install --dry-run -- --v4l2 /dev/video0 --size 1280x720',
  )
    .argument('<words...>', 'where frames come from, as `doorkeep run` is told')
    .option('--dry-run', 'show everything that would be done, and do nothing')
    .option('--prefix <dir>', 'write the files below this folder only: of an image being built')
    .option('--program <path>', 'scripts/doorkeep on the device', inPackage('scripts/doorkeep'))
    .option('--user <name>', 'whom it runs as; made if it is not there', 'doorkeep')
    .option('--memory-max <mib>', 'most memory of the service', Number, 200)
    .option('--device <path>', 'a device that the source of frames opens besides', collect, [])
    .setOptionValueWithSource('dataDir', serviceDataDir, 'default');
  return action<Options>(target, async ({ terminal, dataDir, config }, runWords, options) => {
    const { dryRun = false, prefix, program, user, memoryMax, device } = options;
    const spec = installSpec({
      ...{ program, user, dataDir, runWords, devices: device, memoryMaxMiB: memoryMax },
      ...{ config: options.config, set: options.set, gpioChip: config['relay.chip'] },
      source: sourceOf(runWords),
    });
    const refusals = installRefusals({ program: spec.command[0] ?? '', prefix });
    if (!dryRun && refusals.length > 0) {
      throw new AgentError('INSTALL_REFUSED', refusals.join('; '));
    }
    await carryOut(installPlan(spec, prefix), {
      dryRun,
      onAct: (act, outcome) => terminal.result({ outcome, ...act }, actText(act, outcome)),
    });
    for (const refusal of refusals) terminal.warn(`it would be refused here: ${refusal}`);
  });
}

/** As `doorkeep run` would understand it. @throws USAGE */
function sourceOf(words: readonly string[]): SourceOptions {
  const run = runCommand()
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  const { operands, unknown } = run.parseOptions([...words]);
  const [wrong] = [...operands, ...unknown];
  if (wrong !== undefined) throw new AgentError('USAGE', `\`doorkeep run\` knows no ${wrong}`);
  return run.opts<SourceOptions>();
}
