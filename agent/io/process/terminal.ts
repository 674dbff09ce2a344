import { styleText } from 'node:util';
import { AgentError } from '../../errors.ts';
import { systemCode } from '../files/file-fault.ts';

type Style = Parameters<typeof styleText>[0];

/** Where a command writes: results on stdout, everything else on stderr. */
export type Terminal = {
  /** Results are for a person (text) or for a program (JSON lines). */
  readonly json: boolean;
  /** One result: `value` as a JSON line, or `text` for a person. */
  result(value: unknown, text: string): void;
  /** A line for the person only; in JSON mode nothing. */
  say(text: string): void;
  /** Something the installer should know; on stderr, in both modes. */
  warn(text: string): void;
  /** Coloured only where stdout is a terminal that wants colour. */
  paint(style: Style, text: string): string;
  progress(title: string): Progress;
};

export type Progress = {
  update(done: number, total: number | undefined): void;
  end(): void;
};

/** `json`: one JSON value a line on stdout. Colour obeys NO_COLOR, FORCE_COLOR and the kind of stream. */
export function openTerminal(json: boolean): Terminal {
  return {
    json,
    result: (value, text) => writeLine(json ? JSON.stringify(value) : text),
    say: (text) => {
      if (!json) writeLine(text);
    },
    warn: (text) => {
      process.stderr.write(`${text}\n`);
    },
    paint: (style, text) =>
      json ? text : styleText(style, text, { stream: process.stdout, validateStream: true }),
    progress: (title) => (process.stderr.isTTY && !json ? progressBar(title) : silent),
  };
}

/**
 * From now on a reader of standard output may go away (`| head`): the rest is written to nobody, and a command that
 * runs until it is told to stop is told so.
 */
export function letReaderGo(): void {
  process.stdout.on('error', (cause) => {
    if (systemCode(cause) !== 'EPIPE') throw cause;
    process.emit('SIGTERM', 'SIGTERM');
  });
}

function writeLine(text: string): void {
  process.stdout.write(`${text}\n`);
}

const silent: Progress = { update: () => {}, end: () => {} };

/** One line on stderr, redrawn in place, gone at the end. */
function progressBar(title: string): Progress {
  let shown = '';
  return {
    update(done, total) {
      const line = progressLine(title, done, total);
      if (line === shown) return;
      shown = line;
      process.stderr.write(`\r\u001b[K${line}`);
    },
    end: () => {
      process.stderr.write('\r\u001b[K');
    },
  };
}

/** "embedding  ████████░░░░░░░░  52 %  2,600 of 5,043" */
export function progressLine(title: string, done: number, total: number | undefined): string {
  const count = (value: number) => value.toLocaleString('en');
  if (total === undefined || total <= 0) return `${title}  ${count(done)}`;
  const share = Math.min(1, done / total);
  const filled = Math.round(share * 24);
  const bar = '█'.repeat(filled) + '░'.repeat(24 - filled);
  return `${title}  ${bar}  ${Math.floor(share * 100)} %  ${count(done)} of ${count(total)}`;
}

/**
 * The one place where a failure meets a person: one line on stderr (a JSON line where `--json` was
 * asked for), and the exit status. A fault of ours is told with its stack only under DOORKEEP_DEBUG.
 */
export function reportFailure(error: unknown, argv: readonly string[]): number {
  const fault = error instanceof AgentError ? error : internal(error);
  const message = fault.message.replace(/\s*\n\s*/g, ' ');
  const { code, hint, exitCode } = fault;
  const told = argv.includes('--json')
    ? JSON.stringify({ error: { code, message, hint } })
    : `doorkeep: ${code}: ${message}\n  hint: ${hint}`;
  process.stderr.write(`${told}\n`);
  if (process.env['DOORKEEP_DEBUG']) process.stderr.write(`${stackOf(error)}\n`);
  return exitCode;
}

function internal(error: unknown): AgentError {
  return new AgentError('INTERNAL', error instanceof Error ? error.message : String(error));
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
