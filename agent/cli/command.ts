import { Command } from 'commander';
import { type Config, parseAssignment, readSettings } from '../config.ts';
import { defaultDataDir, layoutOf, readJsonFile } from '../io/process/environment.ts';
import { openTerminal, type Terminal } from '../io/process/terminal.ts';
import { isRecord } from '../shape.ts';

/** What every command is handed: where, with which settings, and where to write. */
export type Context = {
  readonly dataDir: string;
  readonly config: Config;
  readonly terminal: Terminal;
};

/** A command with the options that all commands have, and an example in its help. */
export function command(usage: string, summary: string, example: string): Command {
  return new Command(usage.split(' ')[0] ?? usage)
    .usage(usage.split(' ').slice(1).join(' '))
    .summary(summary)
    .description(summary)
    .option('--json', 'print JSON, one value a line', false)
    .option('--data-dir <dir>', 'where residents, keys and models live')
    .option('--config <file>', 'settings (default: doorkeep.json in the data directory)')
    .option(
      '--set <name=value>',
      'one setting, over those of the file; may be repeated',
      collect,
      [],
    )
    .addHelpText('after', `\nExample:\n  $ doorkeep ${example}`);
}

/** Reads the common options once and hands the rest to `run`. What goes wrong is thrown. */
export function action<O>(
  target: Command,
  run: (context: Context, args: readonly string[], options: O) => Promise<void>,
): Command {
  return target.action(async function (this: Command) {
    const options = this.opts<CommonOptions & O>();
    await run(contextOf(options), this.args, options);
  });
}

type CommonOptions = {
  readonly json: boolean;
  readonly dataDir?: string;
  readonly config?: string;
  readonly set: readonly string[];
};

function contextOf(options: CommonOptions): Context {
  const dataDir = options.dataDir ?? defaultDataDir();
  const file = options.config ?? layoutOf(dataDir).settings;
  const given = readJsonFile(file, options.config === undefined ? 'may-be-absent' : 'must-exist');
  const settings = given ?? {};
  const assigned = Object.assign({}, ...options.set.map(parseAssignment));
  const merged = isRecord(settings) ? { ...settings, ...assigned } : settings;
  return { dataDir, config: readSettings(merged, file), terminal: openTerminal(options.json) };
}

/** For options that may be repeated. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
