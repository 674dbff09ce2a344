import { Worker } from 'node:worker_threads';
import { AgentError } from '../../errors.ts';
import type { DoorFault } from '../../ueip/attempt-of-event.ts';
import { reasonOf } from '../files/file-fault.ts';
import type { Cancel, Timers } from '../process/clock.ts';
import { leaveThread } from '../process/threads.ts';
import type { FromProgramme, ToProgramme } from './programme-port.ts';

export type ProgrammeThread = {
  /** By the names of the control socket. Starts the thread if it is not there. @throws what the command throws */
  ask(name: string, order: unknown, write: (bytes: Uint8Array) => Promise<void>): Promise<unknown>;
  /** Nobody waits for these, and where no thread is at work they are nobody's business. */
  doorFault(fault: DoorFault): void;
  refused(uid: number | null): void;
  /** Lets it store what it may, for at most `closeMs`; then it is left to itself. */
  close(): Promise<void>;
};

type Asked = {
  readonly command: ToProgramme;
  /** Not while the thread before is ending. */
  isSent: boolean;
  readonly resolve: (value: unknown) => void;
  readonly reject: (fault: AgentError) => void;
  readonly write: (bytes: Uint8Array) => Promise<void>;
};

const closeMs = 5_000;
const longestBackoffMs = 60_000;
/** Whoever has lived for so long has recovered. */
const steadyMs = 60_000;

/**
 * The improvement programme in a thread of its own, which is there while there is something to do and
 * costs nothing otherwise. Should it crash, the door does not notice; it is started again with growing pauses.
 * There are never two of them.
 */
export function superviseProgramme(options: {
  /** A module that serves the protocol of programme-port.ts. */
  readonly workerUrl: URL;
  readonly workerData: unknown;
  /** Whether something is to be done without being asked: then it starts at once. */
  readonly isNeeded: boolean;
  readonly timers: Timers;
  readonly onRestart: (fault: AgentError) => void;
  /** A thread has ended, however it came to that. */
  readonly onEnd: () => void;
}): ProgrammeThread {
  const { timers, onRestart, onEnd } = options;
  const asked = new Map<number, Asked>();
  let worker: Worker | undefined;
  /** It was told to end, because there was nothing to do. */
  let isLeaving = false;
  let isNeeded = options.isNeeded;
  let lastId = 0;
  let failures = 0;
  let closing = false;
  let closed: Promise<void> | undefined;
  let cancelRestart: Cancel = () => {};
  let cancelSteady: Cancel = () => {};

  function send(message: ToProgramme): void {
    worker?.postMessage(message);
  }
  function start(): void {
    cancelRestart();
    const started = new Worker(options.workerUrl, { workerData: options.workerData });
    let fault: AgentError | undefined;
    started.on('message', (message: FromProgramme) => {
      if (message.kind === 'not-ready') fault = errorOf(message.fault);
      else receive(message);
    });
    started.on('error', (cause) => {
      fault ??= new AgentError('INTERNAL', `the programme's thread failed: ${reasonOf(cause)}`, {
        cause,
      });
    });
    started.on('exit', () => {
      worker = undefined;
      isLeaving = false;
      cancelSteady();
      onEnd();
      ended(fault);
    });
    worker = started;
  }
  function sendAsked(): void {
    for (const each of asked.values()) {
      if (each.isSent) continue;
      each.isSent = true;
      send(each.command);
    }
  }
  function receive(message: Exclude<FromProgramme, { kind: 'not-ready' }>): void {
    switch (message.kind) {
      case 'ready':
        cancelSteady = timers.after(steadyMs, () => {
          failures = 0;
        });
        return;
      case 'needed':
        isNeeded = message.isNeeded;
        if (isNeeded || asked.size > 0 || isLeaving) return;
        isLeaving = true;
        send({ kind: 'close' });
        return;
      case 'piece':
        return void hand(message.id, message.bytes);
      case 'done':
        asked.get(message.id)?.resolve(message.value);
        return void asked.delete(message.id);
      case 'failed':
        asked.get(message.id)?.reject(errorOf(message.fault));
        return void asked.delete(message.id);
    }
  }
  async function hand(id: number, bytes: Uint8Array): Promise<void> {
    const asking = asked.get(id);
    try {
      await asking?.write(bytes);
      send({ kind: 'more', id });
    } catch {
      // Whoever asked has gone.
      asking?.reject(new AgentError('CONTROL_INVALID', 'nobody takes the answer'));
      asked.delete(id);
      send({ kind: 'gone', id });
    }
  }
  function ending(thread: Worker): Promise<void> {
    return new Promise((resolve) => {
      const cancel = timers.after(closeMs, () => {
        leaveThread(thread);
        resolve();
      });
      thread.once('exit', () => {
        cancel();
        resolve();
      });
      send({ kind: 'close' });
    });
  }
  function ended(fault: AgentError | undefined): void {
    const why = fault ?? new AgentError('INTERNAL', "the programme's thread has ended");
    for (const [id, { isSent, reject }] of asked) {
      if (!isSent && !closing) continue;
      reject(why);
      asked.delete(id);
    }
    if (closing) return;
    if (asked.size > 0) {
      start();
      sendAsked();
      return;
    }
    if (fault === undefined || !isNeeded) return;
    failures += 1;
    onRestart(fault);
    const delayMs = Math.min(longestBackoffMs, 1_000 * 2 ** (failures - 1));
    cancelRestart = timers.after(delayMs, start);
  }

  if (isNeeded) start();
  return {
    ask(name, order, write) {
      if (closing) return Promise.reject(new AgentError('AGENT_SILENT', 'the agent is stopping'));
      lastId += 1;
      const command = { kind: 'command', id: lastId, name, order } as const;
      const answer = new Promise<unknown>((resolve, reject) => {
        asked.set(lastId, { command, isSent: false, resolve, reject, write });
      });
      if (!worker) start();
      if (!isLeaving) sendAsked();
      return answer;
    },
    doorFault: (fault) => send({ kind: 'door-fault', fault }),
    refused: (uid) => send({ kind: 'refused', uid }),
    async close() {
      closing = true;
      cancelRestart();
      if (worker) closed ??= ending(worker);
      await closed;
    },
  };
}

function errorOf({
  code,
  message,
}: Extract<FromProgramme, { kind: 'failed' }>['fault']): AgentError {
  return new AgentError(code, message);
}
