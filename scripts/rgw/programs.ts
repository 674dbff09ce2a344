import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, createReadStream, openSync } from 'node:fs';
import { text } from 'node:stream/consumers';

/** Runs a program to its end; its standard output. What it complains of is the message of the error. */
export function run(program: string, args: readonly string[], limitMs = 60_000): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { encoding: 'buffer', timeout: limitMs, maxBuffer: 64 << 20 } as const;
    execFile(program, args, options, (fault, stdout, stderr) => {
      if (!fault) return resolve(stdout);
      const why = stderr.toString().trim().split('\n').slice(-3).join(' / ') || fault.message;
      reject(new Error(`${program} ${args.at(-1) ?? ''}: ${why}`, { cause: fault }));
    });
  });
}

export type Daemon = {
  /** Throws if it has ended, with the last that it said. */
  check(): Promise<void>;
  /** Resolves when it is gone. */
  stop(): Promise<void>;
};

/**
 * Starts a program that stays, in the foreground of its own process; what it says goes to a file. It ends with this
 * process, however that ends.
 */
export function startDaemon(program: string, args: readonly string[], logFile: string): Daemon {
  const log = openSync(logFile, 'a');
  const child = spawn(tied.program, [...tied.args, program, ...args], {
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let fault: Error | undefined;
  child.on('error', (cause) => {
    fault = cause;
  });
  const isOver = () => fault !== undefined || child.exitCode !== null || child.signalCode !== null;
  return {
    async check() {
      if (!isOver()) return;
      const said = (await text(createReadStream(logFile))).trim().split('\n').slice(-5);
      const how = fault?.message ?? `exit status ${child.exitCode ?? child.signalCode}`;
      throw new Error(`${program} has ended (${how}): ${said.join(' / ')}`);
    },
    async stop() {
      if (isOver()) return;
      const gone = ended(child);
      // Nothing of it is kept: there is nothing to tidy up, which takes them seconds.
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** Of util-linux, which every Debian has. */
const tied = { program: 'setpriv', args: ['--pdeathsig', 'KILL'] } as const;

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.once('exit', () => resolve()));
}
