/** The agent at work, its relay, and what is left of a pulse in which somebody is killed. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { systemClock } from '../../../agent/io/process/clock.ts';
import { input, material, show, size } from './cameras.ts';
import { check, expect, until } from './console.ts';

const relayLine = 5;
const holdMs = 3_000;
/** What is promised: the line is low this long after the end of its time. */
const graceMs = 100;
/** Emulated, a decision takes seconds; on a device a tenth of one. */
const slowDevice = [
  'freshness.maxAgeMs=10000',
  'motion.holdMs=60000',
  'track.frames=1',
  'track.repeatAfterMs=4000',
  'detection.inputWidth=160',
];

export async function checkDoor(): Promise<void> {
  const resident = readFileSync(`${material}/resident`, 'utf8');
  const line = watchLine();
  await show('porch');
  const agent = startAgent([
    'relay.chip=/dev/gpiochip0',
    `relay.line=${relayLine}`,
    `relay.holdMs=${holdMs}`,
    ...slowDevice,
  ]);
  const starts = await check('the agent starts on this kernel, and the line is low', async () => {
    await until(() => agent.said.includes('"agent-started"'), 120_000);
    expect(line.level() === 0, 'the line is high before anybody came');
    return `${line.edges().length} changes of the line so far`;
  });
  if (!starts) {
    agent.process.kill('SIGKILL');
    return;
  }
  await show('visit');
  const opens = await check(
    'the door knows the resident, and the relay opens and closes in time',
    async () => {
      const { high, low } = await pulse(line, 0);
      const match = agent.events.find(({ kind }) => kind === 'match');
      expect(match?.residentId === resident, `the door said ${JSON.stringify(match)}`);
      // The meter may have seen the rise late.
      expect(low - high >= holdMs - graceMs, `open for ${(low - high).toFixed(0)} ms only`);
      return openedFor(high, low);
    },
  );
  if (!opens) {
    // It then says how many frames it took and examined.
    agent.process.kill('SIGTERM');
    await setTimeout(10_000);
    return;
  }
  await check('while it is open the kernel names its holder', async () => {
    await until(() => line.level() === 1, 60_000);
    const held = readFileSync('/sys/kernel/debug/gpio', 'utf8')
      .split('\n')
      .find((each) => each.includes('doorkeep-relay'));
    expect(held?.includes('out hi') === true, `debugfs says ${held}`);
    return held?.trim() ?? '';
  });
  await check(
    'killed in the middle of a pulse, the holder is replaced, and the line is low',
    async () => {
      kill(pidOf('relay-holder'));
      const { high, low } = await pulse(line, 1);
      await until(() => agent.said.includes('"relay-restarted"'), 10_000);
      return openedFor(high, low);
    },
  );
  await check('killed in the middle of a pulse, the agent leaves no open door', async () => {
    await until(() => line.edges().length === 5, 60_000);
    const killedAtMs = systemClock.monotonicMs();
    agent.process.kill('SIGKILL');
    const { high, low } = await pulse(line, 2);
    await setTimeout(500);
    expect(line.level() === 0 && line.edges().length === 6, 'the line rose again');
    expect(pidOf('relay-holder') === undefined, 'the holder is still there');
    return `${openedFor(high, low)}, low ${(low - killedAtMs).toFixed(0)} ms after the kill`;
  });
  line.close();
}

function openedFor(high: number, low: number): string {
  const openMs = low - high;
  expect(openMs <= holdMs + graceMs, `the relay was open for ${openMs.toFixed(0)} ms`);
  return `open for ${openMs.toFixed(0)} of ${holdMs} ms`;
}

/** When the n-th pulse began and ended. */
async function pulse(line: ReturnType<typeof watchLine>, n: number) {
  await until(() => line.edges().length >= 2 * n + 2, 60_000);
  const [high = 0, low = 0] = line.edges().slice(2 * n);
  return { high, low };
}

export function startAgent(given: readonly string[]) {
  const settings = given.flatMap((setting) => ['--set', setting]);
  const words = [
    'run',
    '--v4l2',
    input,
    '--size',
    `${size.width}x${size.height}`,
    '--json',
    '--data-dir',
    `${material}/data`,
    ...settings,
  ];
  const child = spawn('/opt/doorkeep/scripts/doorkeep', words, {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const events: { kind?: unknown; residentId?: unknown }[] = [];
  const agent = { process: child, said: '', events };
  child.stdout.on('data', (chunk) => {
    for (const each of `${chunk}`.trim().split('\n')) {
      const event = JSON.parse(each);
      events.push(event);
      process.stdout.write(`${event.kind} after ${event.decidedAtMs - event.capturedAtMs} ms\n`);
    }
  });
  child.stderr.on('data', (chunk) => {
    agent.said += chunk;
    process.stdout.write(chunk);
  });
  return agent;
}

/** The voltmeter: see watch-line.c. */
function watchLine() {
  const child = spawn(`${material}/watch-line`, [`${relayLine}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const seen: { readonly level: number; readonly atMs: number }[] = [];
  child.stdout.on('data', (chunk) => {
    for (const each of `${chunk}`.trim().split('\n')) {
      const [level = 0, atMs = 0] = each.split(' ').map(Number);
      seen.push({ level, atMs });
    }
  });
  return {
    level: () => seen.at(-1)?.level,
    /** Moments of the changes, the first to high. */
    edges: () => seen.slice(1).map(({ atMs }) => atMs),
    close: () => void child.kill('SIGKILL'),
  };
}

function pidOf(program: string): number | undefined {
  const found = readdirSync('/proc').find((each) => {
    if (!/^\d+$/.test(each)) return false;
    try {
      return readFileSync(`/proc/${each}/comm`, 'utf8').trim() === program;
    } catch {
      // It has ended meanwhile.
      return false;
    }
  });
  return found === undefined ? undefined : Number(found);
}

function kill(pid: number | undefined): void {
  if (pid === undefined) throw new Error('there is nobody to kill');
  process.kill(pid, 'SIGKILL');
}
