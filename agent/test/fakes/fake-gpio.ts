import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { memoryFolder } from './memory-folder.ts';

export type FakeGpio = {
  readonly chip: string;
  /** For the process that is to see the chip. */
  readonly env: Readonly<Record<string, string>>;
  /** Every level of the wire since the beginning, oldest first. */
  levels(): readonly { readonly line: number; readonly level: number; readonly atMs: number }[];
  level(): number | undefined;
};

const source = fileURLToPath(new URL('./fake-gpio.c', import.meta.url));

export const canFakeGpio = compiles();

/** A GPIO chip for a program of its own: see fake-gpio.c. */
export function createFakeGpio(settings: Readonly<Record<string, string>> = {}): FakeGpio {
  const folder = memoryFolder();
  const [library, log] = [join(folder, 'fake-gpio.so'), join(folder, 'levels')];
  execFileSync('cc', ['-shared', '-fPIC', '-o', library, source, '-ldl']);
  const chip = join(folder, 'gpiochip0');
  const levels = () => {
    const text = existsSync(log) ? readFileSync(log, 'utf8') : '';
    return text
      .split('\n')
      .filter((each) => each !== '')
      .map((each) => {
        const [line = 0, level = 0, atMs = 0] = each.split(' ').map(Number);
        return { line, level, atMs };
      });
  };
  return {
    chip,
    env: { LD_PRELOAD: library, FAKE_GPIO_CHIP: chip, FAKE_GPIO_LOG: log, ...settings },
    levels,
    level: () => levels().at(-1)?.level,
  };
}

function compiles(): boolean {
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
