import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadProcess } from '../io/process/native.ts';
import { datagramListener } from '../test/fakes/datagram-listener.ts';
import { eventually } from '../test/fakes/eventually.ts';
import { canFakeGpio as hasCompiler } from '../test/fakes/fake-gpio.ts';
import { sharedModels } from '../test/fakes/shared-material.ts';
import { temporaryFolder } from '../test/fakes/temporary-folder.ts';

const faces = fileURLToPath(new URL('../../fixtures/faces/resident-1', import.meta.url));
const picture = readdirSync(faces).find((name) => /\.(jpg|png|webp)$/.test(name)) ?? '';
const isBuilt = loadProcess().kind === 'loaded';

/** The agent as systemd starts it. */
async function aService(words: readonly string[]) {
  const socket = join(temporaryFolder(), 'notify');
  const listener = await datagramListener(socket);
  const launcher = fileURLToPath(new URL('../../scripts/doorkeep', import.meta.url));
  const child = spawn(launcher, ['run', '--data-dir', temporaryFolder(), ...words], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, NOTIFY_SOCKET: socket, WATCHDOG_USEC: '200000' },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, ended, said: () => said, told: listener.lines };
}

describe.skipIf(!sharedModels || !isBuilt || !hasCompiler)('a service', () => {
  test('tells systemd when the door is served, that it goes on, and when it stops', async () => {
    const { child, ended, said, told } = await aService([
      '--files',
      join(faces, picture),
      '--loop',
    ]);
    await eventually(() => told().length >= 4 || child.exitCode !== null);
    expect(said()).not.toContain('systemd-not-told');
    const [first, ...rest] = told();
    // The launcher has given its place to the agent: the word comes from the process that systemd started.
    expect(first).toBe(`${child.pid} READY=1`);
    expect(new Set(rest)).toEqual(new Set([`${child.pid} WATCHDOG=1`]));
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(told()).toContain(`${child.pid} STOPPING=1`);
  });

  test('that cannot load its models never says that the door is served', async () => {
    const words = ['--files', join(faces, picture), '--set', 'models.embedding=no-such-model'];
    const { ended, told } = await aService(words);
    expect(await ended).toBe(33);
    expect(told()).toEqual([]);
  });
});
