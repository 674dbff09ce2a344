import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../../test/fakes/eventually.ts';
import { canFakeGpio, createFakeGpio } from '../../test/fakes/fake-gpio.ts';
import { memoryFolder } from '../../test/fakes/memory-folder.ts';
import { inPackage } from '../files/package-root.ts';
import { type HolderEnd, type HolderWord, startHolderOf } from './start-holder.ts';

const program = inPackage('native/build/Release/relay-holder');
const line = { chip: '/dev/gpiochip0', line: 5, activeLow: false };

describe.skipIf(!canFakeGpio || !existsSync(program))('the real holder', () => {
  test.each([false, true])('pulses the line that it was given, inverted: %s', async (activeLow) => {
    const gpio = createFakeGpio();
    const { words, holder, ends } = started(
      program,
      { ...line, chip: gpio.chip, activeLow },
      gpio.env,
    );
    await eventually(() => words.includes('ready'));
    expect(gpio.level()).toBe(activeLow ? 1 : 0);
    holder.pulse(20);
    await eventually(() => words.includes('low'));
    holder.release();
    await eventually(() => ends.length === 1);
    expect(words).toEqual(['ready', 'high', 'low']);
    expect(ends).toEqual([{ exitCode: 0, reason: '' }]);
    expect(gpio.levels().map((each) => each.line)).toEqual(gpio.levels().map(() => 5));
  });

  test('tells why it cannot hold the line', async () => {
    const gpio = createFakeGpio({ FAKE_GPIO_BUSY: '1' });
    const { ends } = started(program, { ...line, chip: gpio.chip }, gpio.env);
    await eventually(() => ends.length === 1);
    expect(ends).toEqual([
      {
        exitCode: 75,
        reason: 'relay: the line cannot be requested: Device or resource busy',
      },
    ]);
  });
});

test('a holder that is not there is an end like any other', async () => {
  const { ends, holder } = started('/opt/no-such-holder', line);
  holder.pulse(20);
  await eventually(() => ends.length === 1);
  expect(ends[0]?.exitCode).toBeNull();
  expect(ends[0]?.reason).toContain('ENOENT');
});

test('a program that says something else is no holder: it is ended', async () => {
  const path = join(memoryFolder(), 'impostor');
  writeFileSync(path, '#!/bin/sh\necho hello\nexec sleep 60\n', { mode: 0o700 });
  const { ends, words } = started(path, line, { PATH: process.env['PATH'] ?? '' });
  await eventually(() => ends.length === 1);
  expect(words).toEqual([]);
});

function started(path: string, where: typeof line, env: Readonly<Record<string, string>> = {}) {
  const words: HolderWord[] = [];
  const ends: HolderEnd[] = [];
  const holder = startHolderOf(
    where,
    path,
    env,
  )({ onWord: (word) => words.push(word), onEnd: (end) => ends.push(end) });
  return { words, ends, holder };
}
