/**
 * Runs inside the virtual machine: the door at work, a visitor before it for half of each minute, for as many minutes as
 * the kernel's command line says; how long it took to start, and how much memory it has, as this kernel counts it.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { systemClock } from '../../../agent/io/process/clock.ts';
import { show } from './cameras.ts';
import { check, conclude, say, until } from './console.ts';
import { startAgent } from './door-checks.ts';

const [, minutes = 0] = /doorkeep\.minutes=(\d+)/.exec(readFileSync('/proc/cmdline', 'utf8')) ?? [];
await show('porch');
const startedAtMs = systemClock.monotonicMs();
const agent = startAgent(['motion.enabled=false']);
const { pid } = agent.process;
await check('the agent starts', async () => {
  await until(() => agent.said.includes('"agent-started"'), 120_000);
  return `${(systemClock.monotonicMs() - startedAtMs).toFixed(0)} ms of this emulated processor; ${memory()}`;
});
for (let minute = 1; minute <= Number(minutes); minute++) {
  await show('visit');
  await setTimeout(30_000);
  await show('porch');
  await setTimeout(30_000);
  say(`${minute} min: ${memory()}`);
}
const ended = once(agent.process, 'close');
agent.process.kill('SIGTERM');
await check('the agent ends when it is told to, and says how many frames it examined', async () => {
  const [status] = await ended;
  if (status !== 0) throw new Error(`status ${status}`);
  return agent.said.trim().split('\n').at(-1) ?? '';
});
conclude();
process.exit();

/** Resident, its peak, and of it what is neither a file nor shared. */
function memory(): string {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return ['VmRSS', 'VmHWM', 'RssAnon', 'Threads']
    .map((name) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[0].replace(/\s+/g, ' '))
    .join(', ');
}
