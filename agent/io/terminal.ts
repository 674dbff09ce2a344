import { styleText } from 'node:util';

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

/** Columns as wide as their widest cell; numbers (cells of digits and signs) flush right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  return rows.map((row) => tableRow(row, widths)).join('\n');
}

function tableRow(row: readonly string[], widths: readonly number[]): string {
  const cells = row.map((cell, column) => {
    const width = widths[column] ?? cell.length;
    return /^[-+]?[\d,.]+(?: ?%| ms| MB| s)?$/.test(cell) ? cell.padStart(width) : cell.padEnd(width);
  });
  return cells.join('  ').trimEnd();
}
