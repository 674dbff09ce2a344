import { type ChildProcess, spawn } from 'node:child_process';
import { systemCode } from '../files/file-fault.ts';
import type { Timers } from '../process/clock.ts';
import { printable } from '../process/printable.ts';

export type ChildEnd =
  | { readonly kind: 'not-started'; readonly errorCode: string; readonly cause: unknown }
  | {
      readonly kind: 'ended';
      readonly exitCode: number | null;
      readonly signal: string | null;
      /** The last line it wrote on stderr, shortened, without passwords of addresses. */
      readonly lastLine: string;
    };

export type ChildStream = {
  /** Settles once, when the process is gone and its output is read to the end. Never rejects. */
  readonly ended: Promise<ChildEnd>;
  /** SIGTERM, after `killMs` SIGKILL, for the process and whatever it started. May be called twice. */
  stop(): Promise<ChildEnd>;
};

/** A program whose standard output is read as it comes. No shell, no standard input, no foreign environment. */
export function startChildStream(options: {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly killMs: number;
  readonly timers: Timers;
  /** The chunk is the callee's: it may overwrite it. */
  readonly onChunk: (chunk: Uint8Array) => void;
}): ChildStream {
  const [program = '', ...args] = options.argv;
  const child = spawn(program, args, {
    env: { ...inheritedEnvironment(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: what the command starts in turn ends with it.
    detached: true,
  });
  const lastLine = keepLastLine(child);
  let cancelKill = () => {};
  let gone = false;

  const killNow = () => signalGroup(child, 'SIGKILL');
  // A door that leaves in a hurry leaves nobody behind.
  process.once('exit', killNow);
  child.stdout?.on('data', options.onChunk);

  const ended = new Promise<ChildEnd>((resolve) => {
    const finish = (end: ChildEnd) => {
      gone = true;
      cancelKill();
      process.removeListener('exit', killNow);
      resolve(end);
    };
    child.once('error', (cause) => {
      // Without a pid it never ran. Otherwise a signal could not be sent: 'close' will follow.
      if (child.pid === undefined) {
        finish({ kind: 'not-started', errorCode: systemCode(cause) ?? 'unknown', cause });
      }
    });
    child.once('exit', () => {
      cancelKill();
      // What it left behind holds the pipes open, and 'close' would wait for it.
      signalGroup(child, 'SIGKILL');
      cancelKill = options.timers.after(options.killMs, () => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      });
    });
    child.once('close', (exitCode, signal) => {
      finish({ kind: 'ended', exitCode, signal, lastLine: lastLine() });
    });
  });

  return {
    ended,
    stop: () => {
      if (!gone && child.exitCode === null && child.signalCode === null) {
        signalGroup(child, 'SIGTERM');
        cancelKill();
        cancelKill = options.timers.after(options.killMs, killNow);
      }
      return ended;
    },
  };
}

/** What programs and their libraries are found by; nothing that could hold a secret. */
function inheritedEnvironment(): Record<string, string> {
  const names = ['PATH', 'HOME', 'LD_LIBRARY_PATH', 'XDG_RUNTIME_DIR', 'TZ'];
  const found = names.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(found), LANG: 'C' };
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // ESRCH: nobody of the group is left, which is what was wanted.
  }
}

const longestLine = 300;

function keepLastLine(child: ChildProcess): () => string {
  let tail = '';
  child.stderr?.setEncoding('utf8');
  child.stderr?.on('data', (chunk: string) => {
    tail = (tail + chunk).slice(-2 * longestLine);
  });
  return () => {
    const lines = tail.split(/[\r\n]+/).filter((line) => line.trim() !== '');
    const line = printable(lines.at(-1) ?? '');
    return line.replace(/(^|\/\/)[^/\s]*@/g, '$1***@').slice(0, longestLine);
  };
}
