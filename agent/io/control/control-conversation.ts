import type { Socket } from 'node:net';
import { AgentError } from '../../errors.ts';
import { boundedLines } from '../files/bounded-lines.ts';
import type { Timers } from '../process/clock.ts';
import { inTime } from '../process/in-time.ts';
import type { PeerCredentials } from '../process/native.ts';
import {
  chunkBytes,
  longestLineBytes,
  longestReplyBytes,
  type Reply,
  type Request,
  replyLine,
  requestOf,
} from './control-protocol.ts';

/** Sends a part of the answer; resolves when there is room for the next, rejects when the client takes no more. */
export type WriteChunk = (bytes: Uint8Array) => Promise<void>;

/**
 * By name. What a handler resolves to is the result, an AgentError it rejects with is told as it is; anything
 * else is a fault of ours, told without its words. `given` has not been checked.
 */
export type ControlHandlers = Readonly<
  Record<string, (given: unknown, peer: PeerCredentials, write: WriteChunk) => Promise<unknown>>
>;

/** From one answer, or the beginning, to the end of the next request. */
const lineWaitMs = 5_000;
/** A client that takes nothing for so long is gone, or wants to wear us out. */
const drainWaitMs = 30_000;
const lingerMs = 1_000;

/**
 * Answers one client, request after request, until it ends, or asks for something that cannot be understood. Resolves
 * when the socket is closed; never rejects. Nothing is read while a command is at work.
 */
export async function converse(
  socket: Socket,
  peer: PeerCredentials,
  { handlers, timers }: { readonly handlers: ControlHandlers; readonly timers: Timers },
): Promise<void> {
  // A megabyte of chunks may wait at once: see `send`.
  socket.setMaxListeners(Math.ceil(longestReplyBytes / chunkBytes));
  const lines = boundedLines(socket.iterator({ destroyOnReturn: false }), longestLineBytes);
  try {
    for (;;) {
      const line = await inTime(lines.next(), lineWaitMs, timers);
      if (line === 'too-late') throw invalid('no whole line came in time');
      if (line.done) break;
      const asked = requestOf(line.value);
      const handler = Object.hasOwn(handlers, asked.command) ? handlers[asked.command] : undefined;
      if (!handler) throw invalid(`${asked.command}: there is no such command`);
      const write: WriteChunk = (bytes) => sendChunks(socket, asked.id, bytes, timers);
      const reply = await replyOf(() => handler(asked.arguments, peer, write));
      await send(socket, lineOf(asked.id, reply), timers);
    }
  } catch (fault) {
    lastWord(socket, faultOf(fault));
  }
  // Reads no more, so that `hangUp` can; not waited for: it may wait for the rest of a line.
  lines.return(undefined).catch(() => {});
  await hangUp(socket, timers);
}

/** The reason in one line, and the end. */
export async function refuse(socket: Socket, fault: AgentError, timers: Timers): Promise<void> {
  lastWord(socket, fault);
  await hangUp(socket, timers);
}

async function replyOf(work: () => Promise<unknown>): Promise<Reply> {
  try {
    return { kind: 'done', value: await work() };
  } catch (fault) {
    return { kind: 'error', error: faultOf(fault) };
  }
}

function lineOf(id: Request['id'], reply: Reply): string {
  try {
    return replyLine(id, reply);
  } catch (fault) {
    return replyLine(id, { kind: 'error', error: faultOf(fault) });
  }
}

function faultOf(fault: unknown): AgentError {
  if (fault instanceof AgentError) return fault;
  return new AgentError('INTERNAL', 'the agent failed at this', { cause: fault });
}

function invalid(message: string): AgentError {
  return new AgentError('CONTROL_INVALID', message);
}

async function sendChunks(
  socket: Socket,
  id: Request['id'],
  bytes: Uint8Array,
  timers: Timers,
): Promise<void> {
  for (let from = 0; from < bytes.length; from += chunkBytes) {
    const part = bytes.subarray(from, from + chunkBytes);
    await send(socket, replyLine(id, { kind: 'chunk', bytes: part }), timers);
  }
}

async function send(socket: Socket, line: string, timers: Timers): Promise<void> {
  // So much waits only where a handler does not wait for its own chunks.
  if (socket.writableLength > longestReplyBytes) socket.destroy();
  if (!socket.destroyed && !socket.write(line)) {
    const outcome = await inTime(drainedOrClosed(socket), drainWaitMs, timers);
    if (outcome === 'too-late') socket.destroy();
  }
  if (socket.destroyed) throw invalid('the client does not take its answer');
}

function drainedOrClosed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      socket.off('drain', settle).off('close', settle);
      resolve();
    };
    socket.on('drain', settle).on('close', settle);
  });
}

function lastWord(socket: Socket, error: AgentError): void {
  if (!socket.destroyed) socket.write(replyLine(undefined, { kind: 'error', error }));
}

/**
 * Ends our side, and leaves the client a moment to end its own: one that is still writing when the socket closes
 * would get an error instead of the last word.
 */
async function hangUp(socket: Socket, timers: Timers): Promise<void> {
  if (socket.destroyed) return;
  const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
  const written = new Promise<void>((resolve) => void socket.end(() => resolve()));
  let discardedBytes = 0;
  socket.on('data', (chunk: Uint8Array) => {
    discardedBytes += chunk.length;
    if (discardedBytes > longestLineBytes) socket.destroy();
  });
  const outcome = await inTime(Promise.race([written, closed]), drainWaitMs, timers);
  if (outcome !== 'too-late') await inTime(closed, lingerMs, timers);
  socket.destroy();
}
