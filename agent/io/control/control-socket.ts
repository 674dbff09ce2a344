import { chmodSync, lstatSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { basename, join } from 'node:path';
import { AgentError } from '../../errors.ts';
import { fileFault } from '../files/file-fault.ts';
import { systemTimers, type Timers } from '../process/clock.ts';
import { layoutOf } from '../process/environment.ts';
import { loadProcess, type PeerCredentials } from '../process/native.ts';
import { socketAddress } from '../process/socket-address.ts';
import type { AgentLock } from './agent-lock.ts';
import { type ControlHandlers, converse, refuse } from './control-conversation.ts';

export type ControlServer = {
  /** The socket is gone, and every connection, at once; commands at work are left to end without one. Twice does no harm. */
  close(): Promise<void>;
};

/** Each may make the agent hold a line and an answer: more memory than this is nobody's to ask for. */
const mostConnections = 8;

/**
 * Answers commands at the control socket of the data directory: for this process's own user and for root, whom the
 * kernel names, and nobody else. `lock` makes a socket that is there already one that a dead agent left.
 * `onRefused` is told whoever else has tried; it must not throw.
 * @throws STORE_READ_ONLY STORE_FULL STORE_FAILED; the agent can then work, but not be spoken to
 */
export async function serveControl(options: {
  readonly lock: AgentLock;
  readonly handlers: ControlHandlers;
  readonly onRefused: (peer: PeerCredentials | undefined) => void;
  readonly timers?: Timers;
}): Promise<ControlServer> {
  const { lock, handlers, onRefused, timers = systemTimers } = options;
  const connections = new Set<Socket>();
  let atWork = 0;
  const turnAway = (socket: Socket, fault: AgentError): Promise<void> => {
    // So many at once that not even a refusal is worth its memory.
    if (connections.size > 2 * mostConnections) socket.destroy();
    return refuse(socket, fault, timers);
  };
  const receive = async (socket: Socket): Promise<void> => {
    const peer = credentialsOf(socket);
    if (!peer || !isOurs(peer)) {
      onRefused(peer);
      return turnAway(socket, new AgentError('CONTROL_REFUSED', 'the agent serves another user'));
    }
    if (atWork === mostConnections) {
      return turnAway(socket, new AgentError('CONTROL_BUSY', 'too many connections at once'));
    }
    atWork += 1;
    await converse(socket, peer, { handlers, timers });
    atWork -= 1;
  };
  // Half open: a client may end its side when it has asked.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    // It has gone; whoever reads from it or writes to it learns that there.
    socket.on('error', () => {});
    void receive(socket);
  });
  const closeAddress = await listenAt(server, layoutOf(lock.dataDir).control, lock.dataDir);
  // One client that could not be let in, for want of descriptors: others can.
  server.on('error', () => {});
  return {
    close: async () => {
      if (!server.listening) return;
      rmSync(layoutOf(lock.dataDir).control, { force: true });
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      for (const socket of connections) socket.destroy();
      await closed;
      closeAddress();
    },
  };
}

/**
 * The socket is made in a folder that nobody else can enter, and moved to its place when its mode is right; so there
 * is no moment in which others could connect. Returns what to do when the server has closed.
 */
async function listenAt(server: Server, path: string, dataDir: string): Promise<() => void> {
  let address: ReturnType<typeof socketAddress> | undefined;
  let folder: string | undefined;
  try {
    removeLeftovers(dataDir);
    folder = mkdtempSync(join(dataDir, folderPrefix));
    address = socketAddress(folder, basename(path));
    await listening(server, address.path);
    const made = join(folder, basename(path));
    chmodSync(made, 0o600);
    if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() === false) {
      throw new AgentError('STORE_FAILED', `${path}: is in the way of the control socket`);
    }
    renameSync(made, path);
    return address.close;
  } catch (cause) {
    server.close();
    address?.close();
    throw fileFault(cause, path);
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

const folderPrefix = '.control-';

/** Of an agent that died between two lines above. */
function removeLeftovers(dataDir: string): void {
  for (const name of readdirSync(dataDir)) {
    if (/^\.control-\w{6}$/.test(name)) rmSync(join(dataDir, name), { recursive: true });
  }
}

function isOurs({ uid }: PeerCredentials): boolean {
  return uid === 0 || uid === process.geteuid?.();
}

/**
 * Node has no official way to a socket's descriptor: it is read where it has been since Node had unix sockets, and
 * where it is not, or the kernel says nothing, nobody is let in.
 */
function credentialsOf(socket: Socket): PeerCredentials | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  const fd: unknown =
    typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined;
  const native = loadProcess();
  if (native.kind === 'absent' || typeof fd !== 'number' || fd < 0) return undefined;
  try {
    return native.process.peerCredentials(fd);
  } catch {
    return undefined;
  }
}
