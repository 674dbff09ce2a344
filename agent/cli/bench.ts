import type { Command } from 'commander';
import { openVision } from '../agent.ts';
import { benchDevice } from '../device-bench.ts';
import { AgentError } from '../errors.ts';
import { textTable } from '../io/measuring/text-table.ts';
import { action, command } from './command.ts';

type Options = { readonly rounds: number; readonly residents: number };

export function benchCommand(): Command {
  const target = command(
    'bench',
    'how fast is this device? Frame to decision, stage by stage',
    'bench --residents 20000',
  )
    .option('--rounds <n>', 'frames of each size', Number, 100)
    .option('--residents <n>', 'templates to search', Number, 1000);
  return action<Options>(target, async (context, _args, { rounds, residents }) => {
    if (!isCount(rounds) || !isCount(residents)) {
      throw new AgentError(
        'USAGE',
        '--rounds and --residents are whole numbers from 1 to 1,000,000',
      );
    }
    const vision = await openVision(context);
    try {
      const rows = await benchDevice(vision, { rounds, residents });
      if (context.terminal.json) for (const row of rows) context.terminal.result(row, '');
      const lines = rows.map(({ frame, stage, p50Ms, p95Ms, p99Ms }) => [
        frame,
        stage,
        ...[p50Ms, p95Ms, p99Ms].map((ms) => ms.toFixed(2)),
      ]);
      context.terminal.say(`kernels ${vision.kernels.name}, ${vision.entry.name}`);
      context.terminal.say(
        textTable([['frame', 'stage', 'p50 ms', 'p95 ms', 'p99 ms'], ...lines], 2),
      );
    } finally {
      await vision.close();
    }
  });
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 1e6;
}
