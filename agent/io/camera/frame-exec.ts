import { basename } from 'node:path';
import { AgentError } from '../../errors.ts';
import type { Clock, FrameSource } from '../../ports.ts';
import { systemTimers, type Timers } from '../process/clock.ts';
import { type ChildEnd, type ChildStream, startChildStream } from './child-stream.ts';
import { createFrameParser, describeSpec } from './frame-parser.ts';
import { createLatestFrame, type RawFrameSpec } from './latest-frame.ts';
import { splitCommand } from './split-command.ts';

export type ExecOptions = {
  /** Program and arguments, or one line that is split as `splitCommand` says. Never given to a shell. */
  readonly command: string | readonly string[];
  readonly spec: RawFrameSpec;
  readonly clock: Clock;
  readonly id?: string;
  /** Starts in a row after a failure; a run of `steadyMs` with frames counts as recovery. 0: run it once, exit status 0 is an end. */
  readonly restarts?: number;
  /** Time for the first frame (a network camera may take its time), and between frames after it. */
  readonly startMs?: number;
  readonly stallMs?: number;
  readonly steadyMs?: number;
  /** Wait before the first restart; doubles with each, up to 30 s. */
  readonly backoffMs?: number;
  /** Between SIGTERM and SIGKILL. */
  readonly killMs?: number;
  /** Added to the few variables the program gets. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timers?: Timers;
  readonly onRestart?: (restart: { readonly attempt: number; readonly reason: string }) => void;
};

const longestBackoffMs = 30_000;

/**
 * Raw frames from the standard output of a program (ffmpeg, GStreamer, a vendor's tool), which is
 * started again when it dies or stalls. SOURCE_LOST: it cannot be started, or failed once too often.
 */
export function startExecSource(options: ExecOptions): FrameSource {
  const { spec, clock, id = 'exec', restarts = 5, env = {}, timers = systemTimers } = options;
  const { startMs = 15_000, stallMs = 5_000, steadyMs = 60_000 } = options;
  const { backoffMs = 250, killMs = 1_000 } = options;
  const argv =
    typeof options.command === 'string' ? splitCommand(options.command) : options.command;
  const program = basename(argv[0] ?? '');
  const slot = createLatestFrame(spec, id);
  const parser = createFrameParser(slot, clock);
  let child: ChildStream | undefined;
  let cancelTimer = () => {};
  let closed = false;
  let failures = 0;
  /** Of the run that is on. */
  let firstFrameAtMs: number | undefined;
  let lastFrameAtMs = 0;
  let stalled = false;

  function start(): void {
    firstFrameAtMs = undefined;
    lastFrameAtMs = clock.monotonicMs();
    stalled = false;
    child = startChildStream({ argv, env, killMs, timers, onChunk });
    void child.ended.then(afterEnd);
    watch();
  }

  function onChunk(chunk: Uint8Array): void {
    if (closed || stalled) {
      chunk.fill(0);
    } else if (parser.push(chunk) > 0) {
      lastFrameAtMs = clock.monotonicMs();
      firstFrameAtMs ??= lastFrameAtMs;
    }
  }

  /** One alarm per silence instead of one per frame: it looks when the last frame was and sleeps on. */
  function watch(): void {
    const patienceMs = firstFrameAtMs === undefined ? startMs : stallMs;
    const leftMs = lastFrameAtMs + patienceMs - clock.monotonicMs();
    if (leftMs > 0) {
      cancelTimer = timers.after(Math.min(leftMs, stallMs), watch);
    } else {
      stalled = true;
      void child?.stop();
    }
  }

  function afterEnd(end: ChildEnd): void {
    cancelTimer();
    if (closed) return;
    const pendingBytes = parser.pendingBytes;
    parser.reset();
    const isDone = end.kind === 'ended' && end.exitCode === 0 && pendingBytes === 0 && !stalled;
    if (restarts === 0 && isDone) slot.end();
    else startAgain(end, describe(end, pendingBytes));
  }

  function startAgain(end: ChildEnd, reason: string): void {
    const ranMs = firstFrameAtMs === undefined ? 0 : lastFrameAtMs - firstFrameAtMs;
    failures = ranMs >= steadyMs ? 1 : failures + 1;
    if (failures <= restarts && !isHopeless(end)) {
      options.onRestart?.({ attempt: failures, reason });
      const waitMs = Math.min(backoffMs * 2 ** (failures - 1), longestBackoffMs);
      cancelTimer = timers.after(waitMs, start);
      return;
    }
    const tried = failures > 1 ? ` (${failures} times in a row)` : '';
    const cause = end.kind === 'not-started' ? end.cause : undefined;
    slot.fail(new AgentError('SOURCE_LOST', `${id}: ${program} ${reason}${tried}`, { cause }));
  }

  function describe(end: ChildEnd, pendingBytes: number): string {
    if (end.kind === 'not-started') return `cannot be started (${end.errorCode})`;
    const said = end.lastLine === '' ? '' : `: ${end.lastLine}`;
    if (stalled) {
      const frame = firstFrameAtMs === undefined ? 'first frame' : 'frame';
      const silenceMs = firstFrameAtMs === undefined ? startMs : stallMs;
      const left = pendingBytes > 0 ? ` but ${pendingBytes} bytes of one` : '';
      return `brought no ${frame} for ${silenceMs / 1000} s${left}${said}`;
    }
    const how = end.signal ? `was ended by ${end.signal}` : `exited with status ${end.exitCode}`;
    if (pendingBytes === 0) return `${how}${said}`;
    return `${how} after ${pendingBytes} bytes of a frame (raw frames of the wrong size? Expected ${describeSpec(spec)})${said}`;
  }

  start();
  return {
    id,
    next: slot.next,
    get dropped() {
      return slot.dropped;
    },
    close: async () => {
      closed = true;
      cancelTimer();
      slot.close();
      await child?.stop();
    },
  };
}

/** Want of memory or processes may pass; a missing program stays missing. */
function isHopeless(end: ChildEnd): boolean {
  return (
    end.kind === 'not-started' && !['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE'].includes(end.errorCode)
  );
}
