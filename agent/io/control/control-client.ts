import { connect, type Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import { AgentError } from '../../errors.ts';
import { boundedLines } from '../files/bounded-lines.ts';
import { reasonOf, systemCode } from '../files/file-fault.ts';
import { systemTimers, type Timers } from '../process/clock.ts';
import { layoutOf } from '../process/environment.ts';
import { inTime } from '../process/in-time.ts';
import { socketAddress } from '../process/socket-address.ts';
import { longestReplyBytes, replyOf, requestLine } from './control-protocol.ts';

export type Called =
  | { readonly kind: 'done'; readonly value: unknown }
  /** Nobody listens: no agent works on this data directory. */
  | { readonly kind: 'no-agent' };

/**
 * Has the agent at work do one thing. `onChunk` gets what it sends before its result, and is waited for; the bytes
 * are its own. @throws what the agent answered; CONTROL_REFUSED for a user it does not serve; AGENT_SILENT where
 * nothing came for `timeoutMs`, or it ended meanwhile: whether it has done it, is then unknown
 */
export async function callAgent(
  dataDir: string,
  command: string,
  given: unknown,
  options: {
    readonly onChunk?: (bytes: Uint8Array) => void | Promise<void>;
    readonly timeoutMs?: number;
    readonly timers?: Timers;
  } = {},
): Promise<Called> {
  const { onChunk, timeoutMs = 60_000, timers = systemTimers } = options;
  const socket = await connected(layoutOf(dataDir).control);
  if (!socket) return { kind: 'no-agent' };
  try {
    socket.end(requestLine({ command, arguments: given }));
    const lines = boundedLines(socket, longestReplyBytes);
    for (;;) {
      const line = await inTime(nextOf(lines), timeoutMs, timers);
      if (line === 'too-late') {
        throw new AgentError('AGENT_SILENT', `the agent has said nothing for ${timeoutMs} ms`);
      }
      const reply = replyOf(line);
      if (reply.kind === 'error') throw reply.error;
      if (reply.kind === 'done') return reply;
      await onChunk?.(reply.bytes);
    }
  } finally {
    socket.destroy();
  }
}

async function nextOf(lines: AsyncGenerator<Uint8Array>): Promise<Uint8Array> {
  const end = 'the agent ended before it answered';
  try {
    const { done, value } = await lines.next();
    if (!done) return value;
  } catch (cause) {
    throw new AgentError('AGENT_SILENT', `${end} (${reasonOf(cause)})`, { cause });
  }
  throw new AgentError('AGENT_SILENT', end);
}

/** Undefined: nobody listens there. */
async function connected(path: string): Promise<Socket | undefined> {
  let address: ReturnType<typeof socketAddress> | undefined;
  try {
    address = socketAddress(dirname(path), basename(path));
    return await opened(connect(address.path));
  } catch (cause) {
    const code = systemCode(cause) ?? '';
    if (['ENOENT', 'ENOTDIR', 'ECONNREFUSED'].includes(code)) return undefined;
    if (code === 'EACCES' || code === 'EPERM') {
      throw new AgentError('CONTROL_REFUSED', `${path}: belongs to another user`, { cause });
    }
    throw new AgentError('AGENT_SILENT', `${path}: cannot be reached (${reasonOf(cause)})`, {
      cause,
    });
  } finally {
    address?.close();
  }
}

function opened(socket: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      // Told where the answer is read.
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}
