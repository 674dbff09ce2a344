import { connect, type Socket } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import { AgentError } from '../../errors.ts';
import { acquireAgentLock } from '../../io/control/agent-lock.ts';
import { callAgent } from '../../io/control/control-client.ts';
import type { ControlHandlers } from '../../io/control/control-conversation.ts';
import { type ControlServer, serveControl } from '../../io/control/control-socket.ts';
import { systemTimers, type Timers } from '../../io/process/clock.ts';
import { layoutOf } from '../../io/process/environment.ts';
import type { PeerCredentials } from '../../io/process/native.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Commands that do nothing but answer. */
export const echo: ControlHandlers = {
  'test.echo': (given) => Promise.resolve(given),
  'test.peer': (_given, peer) => Promise.resolve(peer),
  'test.refuse': () => Promise.reject(new AgentError('STORE_FULL', 'no room left')),
  'test.break': () => Promise.reject(new Error('secret of the inside')),
  'test.long': () => Promise.resolve('x'.repeat(2 ** 20)),
};

/** An agent in this process, until the test is over. */
export async function socketAgent(
  options: {
    readonly dataDir?: string;
    readonly handlers?: ControlHandlers;
    readonly timers?: Timers;
    readonly onRefused?: (peer: PeerCredentials | undefined) => void;
    readonly serve?: typeof serveControl;
  } = {},
): Promise<{ readonly dataDir: string; readonly server: ControlServer }> {
  const { dataDir = temporaryFolder(), timers = systemTimers, onRefused = () => {} } = options;
  const acquired = acquireAgentLock(dataDir);
  if (acquired.kind !== 'acquired') throw new Error(acquired.kind);
  const { lock } = acquired;
  onTestFinished(() => lock.release());
  const serve = options.serve ?? serveControl;
  const server = await serve({ lock, timers, onRefused, handlers: options.handlers ?? echo });
  onTestFinished(() => server.close());
  return { dataDir, server };
}

export type SocketClient = {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  text(): string;
  lines(): readonly unknown[];
};

/** Somebody who speaks to the socket without our client. */
export async function socketClient(
  dataDir: string,
  options: { readonly allowHalfOpen?: boolean } = {},
): Promise<SocketClient> {
  const socket = connect({ path: layoutOf(dataDir).control, ...options });
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString();
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
  await new Promise<void>((resolve) => void socket.once('connect', () => resolve()));
  const parsed = () => text.split('\n').filter((line) => line !== '');
  return {
    socket,
    closed,
    text: () => text,
    lines: () => parsed().map((line) => JSON.parse(line)),
  };
}

/** The agent serves others. */
export async function callOnce(dataDir: string): Promise<void> {
  expect(await callAgent(dataDir, 'test.echo', 'here')).toEqual({ kind: 'done', value: 'here' });
}
