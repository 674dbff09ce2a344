import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { inPackage } from '../files/package-root.ts';
import { printable } from '../process/printable.ts';

/** Where the relay is: GPIO line `line` of the character device `chip`. */
export type RelayLine = {
  readonly chip: string;
  readonly line: number;
  /** The relay is on while the line is low. */
  readonly activeLow: boolean;
};

/** Its answers; native/src/relay-holder.c says when. */
const words = ['ready', 'high', 'low', 'busy'] as const;
export type HolderWord = (typeof words)[number];

export type HolderProcess = {
  pulse(holdMs: number): void;
  /** The end of its input: the line falls, and it ends by itself. */
  release(): void;
  /** Of one that does not answer. SIGTERM makes it let go of the line, where it can still hear that. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
};

export type HolderEnd = {
  /** Null: by a signal, or it could not be started. */
  readonly exitCode: number | null;
  /** What it said about it, one line, or why it could not be started. */
  readonly reason: string;
};

/** Starts the process that holds the line. `onEnd` is called once, whatever happens; then no word follows. */
export type StartHolder = (hooks: {
  readonly onWord: (word: HolderWord) => void;
  readonly onEnd: (end: HolderEnd) => void;
}) => HolderProcess;

export function startHolderOf(
  { chip, line, activeLow }: RelayLine,
  program: string = inPackage('native/build/Release/relay-holder'),
  env: Readonly<Record<string, string>> = {},
): StartHolder {
  return ({ onWord, onEnd }) => {
    const child = spawn(program, [chip, `${line}`, activeLow ? 'low' : 'high'], {
      env: { ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const said = lastLine(child.stderr);
    let startFault: string | undefined;
    let isOver = false;

    readWords(child.stdout, (word) => {
      if (isOver) return;
      if (word) onWord(word);
      // Whoever talks like this is not our holder.
      else child.kill('SIGTERM');
    });
    // A holder that has gone while it was written to: its end tells.
    child.stdin.on('error', () => {});
    child.on('error', (cause) => {
      startFault ??= cause.message;
      if (child.pid === undefined) end(null);
    });
    child.on('close', (exitCode) => end(exitCode));

    function end(exitCode: number | null): void {
      if (isOver) return;
      isOver = true;
      onEnd({ exitCode, reason: startFault ?? said() });
    }

    return {
      pulse: (holdMs) => void child.stdin.write(`pulse ${holdMs}\n`),
      release: () => child.stdin.end(),
      kill: (signal) => void child.kill(signal),
    };
  };
}

/** Undefined: a line that is no word of a holder. */
function readWords(stream: Readable, onWord: (word: HolderWord | undefined) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = (lines.pop() ?? '').slice(0, longestLine);
    for (const line of lines) onWord(words.find((word) => word === line));
  });
}

const longestLine = 200;

function lastLine(stream: ChildProcessByStdio<Writable, Readable, Readable>['stderr']) {
  let tail = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    tail = (tail + chunk).slice(-2 * longestLine);
  });
  return () => {
    const lines = tail.split('\n').filter((line) => line.trim() !== '');
    return printable(lines.at(-1) ?? '').slice(0, longestLine);
  };
}
