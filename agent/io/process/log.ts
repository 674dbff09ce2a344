import { type ErrorCode, errorTable } from '../../errors.ts';
import type { Clock } from '../../ports.ts';

/** What may be logged: an event of this list … */
const logEvents = {
  'agent-started': 'doorkeep is running',
  'agent-stopped': 'doorkeep has stopped',
  'model-loaded': 'a model was loaded',
  'kernels-chosen': 'the arithmetic of the hot path was chosen',
  'keys-unprotected': 'keys could reach swap or a core image: doorkeep doctor says why',
  'gallery-read': 'the enrolled templates were read',
  'gallery-set-aside': 'the gallery is damaged and was set aside: nobody is enrolled',
  'source-started': 'frames are awaited',
  'source-restarted': 'the command that brings the frames is started again',
  'source-lost': 'no more frames: the door stays closed',
  'picture-skipped': 'a picture could not be read',
  'recognition-failed': 'a frame could not be examined',
  'recognition-restarted': 'the recognition thread is started again',
  'relay-opened': 'the relay opened the door',
  'relay-failed': 'a match did not open the door',
  'relay-restarted': 'the process that holds the relay is started again',
  'attempts-not-told': 'events of which the improvement programme could not learn',
  'control-impossible':
    'no control socket, and no improvement programme: the data directory cannot be used',
  'systemd-not-told':
    'systemd cannot be told that doorkeep is at work, and will start it again and again',
  'programme-restarted': 'the thread of the improvement programme is started again',
  health: 'counters since the start',
} as const;

/**
 * … with fields of this table, and nothing else: numbers, or words of a closed list. No field can hold
 * a name, an address, a path or a message of another program, so none of them can slip into the log.
 * Lines are kept by whoever reads stderr (on the device the journal: docs/operations.md says how long).
 */
export const logFields = {
  code: { type: Object.keys(errorTable), purpose: 'why something failed' },
  source: { type: ['stdin', 'exec', 'files', 'socket', 'v4l2'], purpose: 'kind of frame source' },
  kernels: { type: ['typescript', 'portable', 'avx2', 'neon'], purpose: 'arithmetic in use' },
  relay: {
    type: ['already-open', 'not-ready', 'no-answer', 'ended'],
    purpose: 'why a match did not open the door',
  },
  task: { type: ['detection', 'embedding', 'pad', 'quality'], purpose: 'which model' },
  attempt: { type: 'number', purpose: 'how often in a row' },
  exitCode: { type: 'number', purpose: 'how a command or thread ended' },
  templates: { type: 'number', purpose: 'size of the gallery' },
  residents: { type: 'number', purpose: 'size of the gallery' },
  elapsedMs: { type: 'number', purpose: 'how long it took' },
  frames: { type: 'number', purpose: 'load' },
  dropped: { type: 'number', purpose: 'load' },
  gated: { type: 'number', purpose: 'load' },
  recognised: { type: 'number', purpose: 'load' },
  errors: { type: 'number', purpose: 'health' },
  rssMiB: { type: 'number', purpose: 'health' },
} as const;

type LogEvent = keyof typeof logEvents;
export type LogFields = {
  readonly [Name in keyof typeof logFields]?: Name extends 'code'
    ? ErrorCode
    : (typeof logFields)[Name]['type'] extends readonly (infer Word)[]
      ? Word
      : number;
};

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];
export type Log = Record<LogLevel, (event: LogEvent, fields?: LogFields) => void>;

/** JSON lines for a program, or one plain line per event for a person (`human`; preset: stderr is a terminal). */
export function createLog(options: {
  readonly level: LogLevel;
  readonly clock: Clock;
  readonly human?: boolean;
  readonly write?: (line: string) => void;
}): Log {
  const { clock, human = process.stderr.isTTY === true } = options;
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  const logger =
    (level: LogLevel) =>
    (event: LogEvent, fields: LogFields = {}) => {
      if (logLevels.indexOf(level) < logLevels.indexOf(options.level)) return;
      if (!Object.hasOwn(logEvents, event))
        throw new TypeError('a log event that is not in the list');
      const at = new Date(clock.wallMs()).toISOString();
      const permitted = Object.fromEntries(Object.entries(fields).filter(isPermitted));
      if (!human) return write(`${JSON.stringify({ at, level, event, ...permitted })}\n`);
      const told = Object.entries(permitted).map(([name, value]) => ` ${name}=${value}`);
      write(`${at.slice(11, 19)} ${level.padEnd(5)} ${logEvents[event]}${told.join('')}\n`);
    };
  return {
    debug: logger('debug'),
    info: logger('info'),
    warn: logger('warn'),
    error: logger('error'),
  };
}

/** The types say so already; this holds where a value came from a cast or from plain JavaScript. */
function isPermitted([name, value]: [string, unknown]): boolean {
  const field = Object.entries(logFields).find(([known]) => known === name)?.[1];
  if (!field) return false;
  if (field.type === 'number') return typeof value === 'number' && Number.isFinite(value);
  return field.type.some((word) => word === value);
}
