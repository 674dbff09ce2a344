import { Command, CommanderError } from 'commander';
import { AgentError } from '../errors.ts';
import { hardenProcess } from '../io/process/secure-memory.ts';
import { letReaderGo, reportFailure } from '../io/process/terminal.ts';
import { endProcess } from '../io/process/threads.ts';

/** One file each, loaded when it is called for: `run` has no use for what `evaluate` needs. */
const commands: Readonly<Record<string, () => Promise<() => Command>>> = {
  run: async () => (await import('./run.ts')).runCommand,
  enrol: async () => (await import('./enrol.ts')).enrolCommand,
  identify: async () => (await import('./identify.ts')).identifyCommand,
  verify: async () => (await import('./verify.ts')).verifyCommand,
  subject: async () => (await import('./subject.ts')).subjectCommand,
  gallery: async () => (await import('./gallery.ts')).galleryCommand,
  ueip: async () => {
    const { ueipCommand } = await import('./ueip.ts');
    const { openLocalProgramme } = await import('../programme/open-local.ts');
    return () => ueipCommand(openLocalProgramme);
  },
  cloud: async () => {
    const { cloudCommand } = await import('./cloud.ts');
    const { openLocalProgramme } = await import('../programme/open-local.ts');
    return () => cloudCommand(openLocalProgramme);
  },
  models: async () => (await import('./models.ts')).modelsCommand,
  doctor: async () => (await import('./doctor.ts')).doctorCommand,
  health: async () => (await import('./health.ts')).healthCommand,
  evaluate: async () => (await import('./evaluate.ts')).evaluateCommand,
  transform: async () => (await import('./transform.ts')).transformCommand,
  bench: async () => (await import('./bench.ts')).benchCommand,
  install: async () => (await import('./install.ts')).installCommand,
  demo: async () => (await import('./demo.ts')).demoCommand,
};

/** Runs one command line, and ends the process with its exit status. */
export async function main(argv: readonly string[]): Promise<void> {
  endProcess(await runProgram(argv));
}

/** Returns the exit status. Nothing below it ends the process. */
export async function runProgram(argv: readonly string[]): Promise<number> {
  // Before any command can hold a key. `doctor` says what came of it.
  hardenProcess();
  letReaderGo();
  try {
    const [name = ''] = argv;
    const called = Object.hasOwn(commands, name) ? [name] : Object.keys(commands);
    const line = await program(called);
    await line.parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    return reportFailure(error instanceof CommanderError ? usageFault(error) : error, argv);
  }
}

/** The commands of these names; all of them unless told. */
export async function program(names: readonly string[] = Object.keys(commands)): Promise<Command> {
  const all = new Command('doorkeep')
    .description('On-device face recognition for door intercoms')
    .helpCommand(false);
  for (const name of names) {
    const make = await commands[name]?.();
    if (make) all.addCommand(make());
  }
  for (const each of everyCommand(all)) {
    each.exitOverride().configureOutput({ outputError: () => {} });
  }
  return all;
}

export function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

/** "error: unknown option '--jsn'\n(Did you mean --json?)" in one line of ours. */
function usageFault(error: CommanderError): AgentError {
  const message = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  return new AgentError('USAGE', error.code === 'commander.help' ? 'no command given' : message);
}
