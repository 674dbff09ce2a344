import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const child = fileURLToPath(new URL('../../test/fakes/model-runner-child.ts', import.meta.url));

test('a process whose thread is within a run of a model ends in order, at once and with its own status', () => {
  for (const status of [0, 3, 71]) {
    const options = { encoding: 'utf8', timeout: 15_000, killSignal: 'SIGKILL' } as const;
    const ended = spawnSync(process.execPath, [child, String(status)], options);
    expect([ended.status, ended.signal, ended.stderr]).toEqual([status, null, '']);
  }
});
