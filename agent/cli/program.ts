import { Command, CommanderError } from 'commander';
import { AgentError } from '../errors.ts';
import { hardenProcess } from '../io/secure-memory.ts';
import { reportFailure } from '../io/terminal.ts';
import { benchCommand } from './bench.ts';
import { demoCommand } from './demo.ts';
import { doctorCommand } from './doctor.ts';
import { enrolCommand } from './enrol.ts';
import { evaluateCommand } from './evaluate.ts';
import { identifyCommand } from './identify.ts';
import { modelsCommand } from './models.ts';
import { runCommand } from './run.ts';
import { subjectCommand } from './subject.ts';
import { verifyCommand } from './verify.ts';

/** Runs one command line to its end and returns the exit status. Nothing below it ends the process. */
export async function runProgram(argv: readonly string[]): Promise<number> {
  // Before any command can hold a key. `doctor` says what came of it.
  hardenProcess();
  try {
    await program().parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    return reportFailure(error instanceof CommanderError ? usageFault(error) : error, argv);
  }
}

export function program(): Command {
  const all = new Command('doorkeep')
    .description('On-device face recognition for door intercoms')
    .helpCommand(false);
  const commands = [
    runCommand,
    enrolCommand,
    identifyCommand,
    verifyCommand,
    subjectCommand,
    modelsCommand,
    doctorCommand,
    evaluateCommand,
    benchCommand,
    demoCommand,
  ];
  for (const make of commands) all.addCommand(make());
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
