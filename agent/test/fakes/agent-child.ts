/**
 * An agent, or somebody who asks one, in a process of its own, one step a message: see agent-lock.test.ts and
 * control-socket.test.ts. Argument: the data directory.
 */
import { spawn } from 'node:child_process';
import { AgentError } from '../../errors.ts';
import { acquireAgentLock } from '../../io/control/agent-lock.ts';
import { callAgent } from '../../io/control/control-client.ts';
import { serveControl } from '../../io/control/control-socket.ts';
import { hardenProcess } from '../../io/process/secure-memory.ts';

const dataDir = process.argv[2] ?? '';

function lock() {
  const acquired = acquireAgentLock(dataDir);
  if (acquired.kind === 'acquired') return acquired.lock;
  throw new Error(`the lock is ${acquired.kind}`);
}

const steps: Record<string, () => unknown> = {
  acquire() {
    const acquired = acquireAgentLock(dataDir);
    return acquired.kind === 'impossible' ? acquired.fault.code : acquired.kind;
  },
  async serve() {
    const handlers = { 'test.pid': () => Promise.resolve(process.pid) };
    await serveControl({ lock: lock(), handlers, onRefused: () => {} });
  },
  harden: hardenProcess,
  /** A program that outlives this process, as that of a camera may. */
  spawn() {
    const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
    child.unref();
    return child.pid;
  },
  async call() {
    try {
      return await callAgent(dataDir, 'test.pid', {});
    } catch (fault) {
      return fault instanceof AgentError ? fault.code : String(fault);
    }
  },
};

process.on('message', async (name: string) => {
  process.send?.((await steps[name]?.()) ?? null);
});
process.send?.('ready');
