import { systemTimers, type Timers } from '../process/clock.ts';
import { loadProcess } from '../process/native.ts';

/** Who started this process, where that is systemd and it waits for a word. Void anywhere else; never throws. */
export type Systemd = {
  /** The door is served from now on; so is the watchdog, by a timer of the thread that calls this. */
  ready(): void;
  /** Said once; the watchdog is served until `close`. */
  stopping(): void;
  close(): void;
};

export type SystemdOptions = {
  /** NOTIFY_SOCKET and WATCHDOG_… are taken out: they are not for the programs that the agent starts. */
  readonly environment?: NodeJS.ProcessEnv;
  readonly pid?: number;
  /** What it throws is told to `onFault`, once. */
  readonly send?: (socket: string, message: string) => void;
  readonly timers?: Timers;
  readonly onFault?: (fault: unknown) => void;
};

/**
 * The protocol of sd_notify(3) and sd_watchdog_enabled(3). What the watchdog watches is the calling thread alone:
 * that one watches over the others (a recognition that hangs is replaced, a camera that stalls is SOURCE_LOST),
 * and nobody else watches over it.
 */
export function openSystemd(options: SystemdOptions = {}): Systemd {
  const { environment = process.env, pid = process.pid, timers = systemTimers } = options;
  const { send = sendNatively, onFault = () => {} } = options;
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: spanUs, WATCHDOG_PID: watched } = environment;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete environment[name];
  const isWatched = watched === undefined || watched === `${pid}`;
  const spanMs = isWatched ? Number(spanUs ?? 0) / 1000 : 0;
  let isFaulty = false;
  let isStopping = false;
  let cancel = () => {};

  function tell(message: string): void {
    if (socket === undefined || socket === '') return;
    try {
      send(socket, message);
    } catch (fault) {
      if (!isFaulty) onFault(fault);
      isFaulty = true;
    }
  }
  /** Twice in the span after which it is taken for dead, as the manual asks. */
  function serve(): void {
    tell('WATCHDOG=1');
    cancel = timers.after(spanMs / 2, serve);
  }
  return {
    ready() {
      tell('READY=1');
      if (spanMs > 0) serve();
    },
    stopping() {
      if (!isStopping) tell('STOPPING=1');
      isStopping = true;
    },
    close: () => cancel(),
  };
}

function sendNatively(socket: string, message: string): void {
  const loaded = loadProcess();
  if (loaded.kind === 'absent') throw new Error(loaded.reason);
  loaded.process.notifySocket(socket, message);
}
