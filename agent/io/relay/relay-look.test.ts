import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { canFakeGpio, createFakeGpio } from '../../test/fakes/fake-gpio.ts';
import { memoryFolder } from '../../test/fakes/memory-folder.ts';
import { inPackage } from '../files/package-root.ts';
import { lookAtRelay } from './relay-look.ts';

const program = inPackage('native/build/Release/relay-holder');

describe.skipIf(!canFakeGpio || !existsSync(program))('the line of the relay', () => {
  const ofKernel = (api: string) => (api === 'v1' ? { FAKE_GPIO_KERNEL: 'v1' } : {});

  test.each(['v1', 'v2'])('is looked at over interface %s, and stays as it is', (api) => {
    const gpio = createFakeGpio(ofKernel(api));
    expect(lookAtRelay({ chip: gpio.chip, line: 5 }, program, gpio.env)).toEqual({
      kind: 'free',
      api,
    });
    expect(gpio.levels()).toEqual([]);
  });

  test.each(['v1', 'v2'])('is held by somebody, who is named over interface %s', (api) => {
    const gpio = createFakeGpio({ ...ofKernel(api), FAKE_GPIO_BUSY: 'heating \u001b[1m' });
    expect(lookAtRelay({ chip: gpio.chip, line: 5 }, program, gpio.env)).toEqual({
      kind: 'used',
      api,
      holder: 'heating  [1m',
    });
  });

  test.each(['v1', 'v2'])('is beyond the last of its chip, seen over interface %s', (api) => {
    const gpio = createFakeGpio(ofKernel(api));
    const seen = [7, 8].map((line) => lookAtRelay({ chip: gpio.chip, line }, program, gpio.env));
    expect(seen).toEqual([
      { kind: 'free', api },
      { kind: 'no-line', api, lines: 8 },
    ]);
  });

  test('is of a chip that is not there, or is none', () => {
    expect(lookAtRelay({ chip: '/dev/no-chip', line: 5 })).toEqual({
      kind: 'no-chip',
      code: 'ENOENT',
      reason: '/dev/no-chip: No such file or directory',
    });
    expect(lookAtRelay({ chip: '/dev/null', line: 5 })).toEqual({
      kind: 'no-chip',
      code: undefined,
      reason: 'it is no GPIO chip: Inappropriate ioctl for device',
    });
  });
});

test('a holder that is not there cannot be asked', () => {
  const sight = lookAtRelay({ chip: '/dev/null', line: 5 }, '/opt/no-such-holder');
  expect(sight).toMatchObject({ kind: 'no-holder', reason: expect.stringContaining('ENOENT') });
});

test.each(['hello', 'v2 absent many', 'v3 free', 'v2 free\\nv2 free'])(
  'a program that says "%s" is no holder',
  (words) => {
    const impostor = join(memoryFolder(), 'impostor');
    writeFileSync(impostor, `#!/bin/sh\nprintf '${words}\\n'\n`, { mode: 0o700 });
    expect(lookAtRelay({ chip: '/dev/null', line: 5 }, impostor)).toMatchObject({
      kind: 'no-holder',
    });
  },
);
