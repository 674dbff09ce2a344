import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../test/fakes/eventually.ts';
import { canFakeGpio, createFakeGpio, type FakeGpio } from '../../test/fakes/fake-gpio.ts';
import { makeFifo } from '../../test/fakes/fifo.ts';
import { memoryFolder } from '../../test/fakes/memory-folder.ts';
import { inPackage } from '../files/package-root.ts';

const program = inPackage('native/build/Release/relay-holder');

describe.skipIf(!canFakeGpio || !existsSync(program))('the process that holds the relay', () => {
  test('drives the line low before it says a word, high for a pulse, and low again', async () => {
    const { gpio, holder, words } = await aHolder();
    expect(new Set(gpio.levels().map(({ line, level }) => `${line} ${level}`))).toEqual(
      new Set(['5 0']),
    );
    holder.stdin?.write('pulse 120\n');
    await eventually(() => words.includes('low'));
    expect(words).toEqual(['ready', 'high', 'low']);
    const [up, down] = edges(gpio);
    expect([up?.level, down?.level]).toEqual([1, 0]);
    expect((down?.atMs ?? 0) - (up?.atMs ?? 0)).toBeGreaterThan(119);
  });

  test('nobody keeps the door open by asking again and again', async () => {
    const { gpio, holder, words } = await aHolder();
    holder.stdin?.write('pulse 150\npulse 30000\n'.repeat(20));
    await eventually(() => words.includes('low'));
    expect(words.filter((word) => word === 'busy')).toHaveLength(39);
    expect(edges(gpio)).toHaveLength(2);
  });

  test('who does not listen to it does not hold it up', async () => {
    const { gpio, holder, words } = await aHolder();
    holder.stdout?.pause();
    holder.stdin?.write('pulse 1000\n');
    // Far more answers, within that second, than the stream and its socket hold.
    holder.stdin?.write('pulse 1\n'.repeat(120_000));
    await eventually(() => edges(gpio).length >= 2);
    expect(edges(gpio)[1]?.level).toBe(0);
    expect(words.length).toBeLessThan(120_000);
  });

  test('lets go of the line at once when the agent is gone', async () => {
    const { gpio, holder, words } = await aHolder();
    holder.stdin?.write('pulse 30000\n');
    await eventually(() => words.includes('high'));
    holder.stdin?.end();
    expect(await endOf(holder)).toBe(0);
    expect(gpio.level()).toBe(0);
    expect(words).not.toContain('low');
  });

  test.each([
    'SIGTERM',
    'SIGINT',
    'SIGHUP',
    'SIGQUIT',
    'SIGUSR1',
    'SIGPIPE',
    'SIGTSTP',
    'SIGSEGV',
  ] as const)('lets go of the line on %s', async (signal) => {
    const { gpio, holder, words } = await aHolder();
    holder.stdin?.write('pulse 30000\n');
    await eventually(() => words.includes('high'));
    holder.kill(signal);
    expect(await endOf(holder)).toBeGreaterThan(128);
    expect(gpio.level()).toBe(0);
  });

  test('lets go of the line when the agent is killed, though somebody keeps its input open', async () => {
    const gpio = createFakeGpio();
    const fifo = join(memoryFolder(), 'orders');
    makeFifo(fifo);
    const hand = await open(fifo, 'r+');
    onTestFinished(() => hand.close());
    const agent = spawn('sh', ['-c', '"$@" <"$0" & wait', fifo, program, gpio.chip, '5', 'high'], {
      env: { PATH: process.env['PATH'] ?? '', ...gpio.env },
    });
    await hand.write('pulse 30000\n');
    await eventually(() => gpio.level() === 1);
    agent.kill('SIGKILL');
    await eventually(() => gpio.level() === 0);
  });

  test('after its own SIGKILL the line stays as it is, until the next one is started', async () => {
    const { gpio, holder, words } = await aHolder();
    holder.stdin?.write('pulse 30000\n');
    await eventually(() => words.includes('high'));
    holder.kill('SIGKILL');
    await endOf(holder);
    expect(gpio.level()).toBe(1);
    await started(gpio);
    expect(gpio.level()).toBe(0);
  });

  test('a relay that is on while its line is low is off while it is high', async () => {
    const { gpio, holder, words } = await aHolder({}, 'low');
    expect(gpio.level()).toBe(1);
    holder.stdin?.write('pulse 10\n');
    await eventually(() => words.includes('low'));
    expect(edges(gpio).map(({ level }) => level)).toEqual([0, 1]);
    holder.kill('SIGTERM');
    await endOf(holder);
    expect(gpio.level()).toBe(1);
  });

  test('on a kernel before 5.10 it uses what that has', async () => {
    const { gpio, holder, words } = await aHolder({ FAKE_GPIO_KERNEL: 'v1' });
    holder.stdin?.write('pulse 10\n');
    await eventually(() => words.includes('low'));
    expect(edges(gpio).map(({ level }) => level)).toEqual([1, 0]);
  });

  test.each([
    'pulse 0',
    'pulse 30001',
    'pulse 999999999999',
    'pulse -5',
    'pulse 5x',
    'pulse ',
    'Pulse 5',
    '',
    'x'.repeat(100),
  ])('an order that is none ends it: "%s"', async (order) => {
    const { gpio, holder } = await aHolder();
    holder.stdin?.write(`pulse 30000\n${order}\n`);
    expect(await endOf(holder)).toBe(64);
    expect(gpio.level()).toBe(0);
  });

  test.each([
    ['a line that somebody else holds', { FAKE_GPIO_BUSY: '1' }, '5', 75, 'resource busy'],
    ['a line that is not there', {}, '9', 66, 'Invalid argument'],
    ['a chip that is not there', { FAKE_GPIO_CHIP: '/x' }, '5', 66, 'No such file'],
    ['no line at all', {}, '', 64, 'usage'],
    ['a negative line', {}, '-1', 64, 'usage'],
  ])('says what is wrong: %s', async (_what, settings, line, status, reason) => {
    const holder = start(createFakeGpio(settings), line, 'high');
    let said = '';
    holder.stderr?.on('data', (chunk) => {
      said += chunk;
    });
    expect(await endOf(holder)).toBe(status);
    expect(said).toContain(reason);
  });
});

async function aHolder(settings: Record<string, string> = {}, active = 'high') {
  const gpio = createFakeGpio(settings);
  return { gpio, ...(await started(gpio, active)) };
}

async function started(gpio: FakeGpio, active = 'high') {
  const holder = start(gpio, '5', active);
  const words: string[] = [];
  holder.stdout?.on('data', (chunk) => {
    words.push(...`${chunk}`.split('\n').filter((word) => word !== ''));
  });
  // What it does not take any more when it ends.
  holder.stdin?.on('error', () => {});
  await eventually(() => words.includes('ready'));
  return { holder, words };
}

function start(gpio: FakeGpio, line: string, active: string): ChildProcess {
  const holder = spawn(program, [gpio.chip, line, active], { env: { ...gpio.env } });
  onTestFinished(() => void holder.kill('SIGKILL'));
  return holder;
}

function endOf(holder: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => void holder.once('close', resolve));
}

/** Where the level changes. */
function edges(gpio: FakeGpio) {
  return gpio.levels().filter(({ level }, at, all) => at > 0 && all[at - 1]?.level !== level);
}
