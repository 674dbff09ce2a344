import type { Command } from 'commander';
import { templateVersion, type Vision } from '../agent.ts';
import { AgentError } from '../errors.ts';
import type { Acquire } from '../gallery/acquisition.ts';
import type { EvaluationSet } from '../io/measuring/evaluation-run.ts';
import { writeProtectionCharts } from '../io/measuring/protection-charts.ts';
import { protectionSummary, protectionText } from '../io/measuring/protection-report.ts';
import { runProtection } from '../io/measuring/protection-run.ts';
import { systemClock } from '../io/process/clock.ts';
import type { Terminal } from '../io/process/terminal.ts';

/** What `evaluate --protection` may be told besides. */
export type ProtectionOptions = {
  readonly protection?: true;
  readonly keys: string;
  readonly targets: string;
  readonly epochs: string;
  readonly seed: string;
  readonly plots?: string;
};

export function withProtectionOptions(target: Command): Command {
  return target
    .option('--protection', 'measure instead what protection costs, and what it hides')
    .option('--keys <n>', 'random device keys, with --protection or --calibrate', '5')
    .option('--targets <n>', 'persons who are attacked, with --protection', '200')
    .option('--epochs <n>', 'epochs of telemetry codes, with --protection', '150')
    .option('--seed <text>', 'the same keys and draws again, with --protection', '1')
    .option('--plots <dir>', 'charts as SVG, with --protection');
}

/** @throws USAGE for a wrong option, or one that would be without effect */
export function checkProtectionOptions(options: ProtectionOptions): void {
  if (options.plots !== undefined && !options.protection) {
    throw new AgentError('USAGE', '--plots goes with --protection');
  }
  sizesOf(options);
}

/** @throws INPUT_INVALID for too few faces, and STORE_… where the charts cannot be written */
export async function reportProtection(
  terminal: Terminal,
  set: EvaluationSet,
  acquire: Acquire,
  vision: Vision,
  options: ProtectionOptions,
): Promise<void> {
  const { seed, plots } = options;
  const found = await runProtection({
    set,
    acquire,
    vision,
    templateVersion,
    clock: systemClock,
    seed,
    sizes: sizesOf(options),
    progress: terminal.progress,
  });
  terminal.result({ seed, ...protectionSummary(found) }, protectionText(found));
  if (plots === undefined) return;
  for (const file of await writeProtectionCharts(plots, found)) terminal.say(`chart: ${file}`);
}

function sizesOf({ keys, targets, epochs }: ProtectionOptions) {
  return {
    keys: numberOf('--keys', keys, 2, 20),
    targets: numberOf('--targets', targets, 10, 10_000),
    epochs: numberOf('--epochs', epochs, 1, 10_000),
  };
}

function numberOf(name: string, text: string, min: number, max: number): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isInteger(number) && number >= min && number <= max) {
    return number;
  }
  throw new AgentError('USAGE', `${name} is a whole number from ${min} to ${max}, not ${text}`);
}
