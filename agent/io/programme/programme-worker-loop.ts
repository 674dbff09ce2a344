import type { MessagePort } from 'node:worker_threads';
import { AgentError } from '../../errors.ts';
import type { DoorFault } from '../../ueip/attempt-of-event.ts';
import type { ControlHandlers } from '../control/control-conversation.ts';
import type { Timers } from '../process/clock.ts';
import type { Fault } from '../recognition/recognition-worker-loop.ts';
import type { FromProgramme, ToProgramme } from './programme-port.ts';

export type ServedProgramme = {
  readonly handlers: ControlHandlers;
  /** Every second; must not throw. */
  work(): void;
  fault(kind: DoorFault): void;
  noteRefusal(uid: number | null): void;
  isNeeded(): boolean;
  close(): Promise<void>;
};

/** These change what holds: one after the other, so that a withdrawal and a grant never overlap. */
const changes = new Set(['ueip.on', 'ueip.off']);
const withdrawal = 'ueip.off';

/** Often enough for the anonymiser, which ends hours and days, and for the ring, which holds 1,024 attempts. */
const workEveryMs = 1_000;

/**
 * Serves the protocol of programme-port.ts until it is told to close. Who reads (and may take long over it) holds
 * up nobody; a withdrawal ends every answer that is still being read: it may be made of what is to be erased.
 */
export async function serveProgramme(
  port: MessagePort,
  timers: Timers,
  open: () => Promise<ServedProgramme>,
): Promise<void> {
  const tell = (message: FromProgramme) => port.postMessage(message);
  const programme = await open().catch((fault: unknown) => {
    tell({ kind: 'not-ready', fault: faultOf(fault) });
    throw fault;
  });
  const { handlers } = programme;
  /** Pieces that were handed out and not taken yet, by command. */
  const waiting = new Map<number, { readonly more: () => void; readonly gone: () => void }>();
  /** Answers to commands up to this one are no longer handed out. */
  let endedUpTo = 0;
  let queue = Promise.resolve();
  let toldNeeded: boolean | undefined;
  let cancelWork = () => {};
  let isClosing = false;

  function work(): void {
    programme.work();
    // An order that was confirmed, an erasure that came to its end: without being asked.
    if (programme.isNeeded() !== toldNeeded) tellNeeded();
    cancelWork = timers.after(workEveryMs, work);
  }
  function tellNeeded(): void {
    toldNeeded = programme.isNeeded();
    tell({ kind: 'needed', isNeeded: toldNeeded });
  }
  function endAnswers(upTo: number): void {
    endedUpTo = upTo;
    for (const { gone } of waiting.values()) gone();
  }
  function hand(id: number, bytes: Uint8Array): Promise<void> {
    if (id <= endedUpTo) return Promise.reject(ended());
    return new Promise((resolve, reject) => {
      waiting.set(id, { more: resolve, gone: () => reject(ended()) });
      tell({ kind: 'piece', id, bytes });
    });
  }
  async function answer({ id, name, order }: Extract<ToProgramme, { kind: 'command' }>) {
    try {
      const handler = Object.hasOwn(handlers, name) ? handlers[name] : undefined;
      if (!handler) throw new AgentError('CONTROL_INVALID', `${name}: there is no such command`);
      const value = await handler(order, nobody, (bytes) => hand(id, bytes));
      tell({ kind: 'done', id, value });
    } catch (fault) {
      tell({ kind: 'failed', id, fault: faultOf(fault) });
    }
    waiting.delete(id);
    tellNeeded();
  }
  function refuse(id: number): void {
    const fault = new AgentError('AGENT_SILENT', 'the agent is stopping');
    tell({ kind: 'failed', id, fault: faultOf(fault) });
  }
  function receive(message: ToProgramme): void {
    switch (message.kind) {
      case 'command':
        if (isClosing) {
          refuse(message.id);
          return;
        }
        if (message.name === withdrawal) endAnswers(message.id);
        if (changes.has(message.name)) queue = queue.then(() => answer(message));
        else void answer(message);
        return;
      case 'more':
        waiting.get(message.id)?.more();
        return;
      case 'gone':
        waiting.get(message.id)?.gone();
        return;
      case 'door-fault':
        programme.fault(message.fault);
        return;
      case 'refused':
        programme.noteRefusal(message.uid);
        return;
      case 'close':
        isClosing = true;
        endAnswers(Number.POSITIVE_INFINITY);
        queue = queue.then(async () => {
          cancelWork();
          await programme.close();
          port.close();
        });
    }
  }

  port.on('message', receive);
  tell({ kind: 'ready' });
  tellNeeded();
  work();
}

/** Who asks was looked at where the connection came in. */
const nobody = { pid: 0, uid: 0, gid: 0 };

function ended(): AgentError {
  return new AgentError('CONTROL_BUSY', 'the answer was ended: something else came before it');
}

function faultOf(fault: unknown): Fault {
  if (fault instanceof AgentError) return { code: fault.code, message: fault.message };
  return { code: 'INTERNAL', message: 'the improvement programme failed' };
}
