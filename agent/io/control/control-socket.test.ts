import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { eventually } from '../../test/fakes/eventually.ts';
import { callOnce, socketAgent, socketClient } from '../../test/fakes/socket-agent.ts';
import { steppingChild } from '../../test/fakes/stepping-child.ts';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { layoutOf } from '../process/environment.ts';
import { loadProcess, type PeerCredentials } from '../process/native.ts';
import { callAgent } from './control-client.ts';

const script = new URL('../../test/fakes/agent-child.ts', import.meta.url);
const isRoot = process.getuid?.() === 0;

describe.skipIf(loadProcess().kind === 'absent')('the control socket', () => {
  test('is for its own user alone, from the first moment, and gone with the agent', async () => {
    const { dataDir, server } = await socketAgent();
    const { mode } = statSync(layoutOf(dataDir).control);
    expect(mode & 0o777).toBe(0o600);
    expect(readdirSync(dataDir).sort()).toEqual(['agent.lock', 'control.sock']);
    await server.close();
    await server.close();
    expect(readdirSync(dataDir)).toEqual(['agent.lock']);
    expect(await callAgent(dataDir, 'test.echo', 1)).toEqual({ kind: 'no-agent' });
  });

  test('goes at once with the agent, whoever is connected', async () => {
    const { server, dataDir } = await socketAgent();
    const client = await socketClient(dataDir);
    await server.close();
    await client.closed;
    expect(client.text()).toBe('');
  });

  test('nine at once: the ninth is told to come again, and can when one has gone', async () => {
    const { dataDir } = await socketAgent();
    const clients = await Promise.all(Array.from({ length: 8 }, () => socketClient(dataDir)));
    const ninth = await socketClient(dataDir);
    await ninth.closed;
    expect(ninth.lines()).toMatchObject([{ error: { code: 'CONTROL_BUSY' } }]);
    clients[0]?.socket.destroy();
    let isServed = false;
    while (!isServed) isServed = await callOnce(dataDir).then(() => true, isBusy);
  });

  test('a socket that a killed agent left is replaced, and the dead one answers nobody', async () => {
    const dataDir = temporaryFolder();
    const dead = await steppingChild(script, [dataDir]);
    await dead.step('serve');
    expect(await callAgent(dataDir, 'test.pid', {})).toEqual({ kind: 'done', value: dead.pid });
    process.kill(dead.pid, 'SIGKILL');
    await eventually(() => !isAlive(dead.pid));
    expect(existsSync(layoutOf(dataDir).control)).toBe(true);
    expect(await callAgent(dataDir, 'test.pid', {})).toEqual({ kind: 'no-agent' });
    // Of one that died while it made its socket.
    mkdirSync(join(dataDir, '.control-a1B2c3'));
    await socketAgent({ dataDir });
    await callOnce(dataDir);
    expect(readdirSync(dataDir).sort()).toEqual(['agent.lock', 'control.sock']);
  });

  test('a file in its place is left alone, and said to be in the way', async () => {
    const dataDir = temporaryFolder();
    const { control } = layoutOf(dataDir);
    writeFileSync(control, 'not ours');
    await expect(socketAgent({ dataDir })).rejects.toMatchObject({
      code: 'STORE_FAILED',
      message: `${control}: is in the way of the control socket`,
    });
    expect(statSync(control).size).toBe(8);
    expect(readdirSync(dataDir).sort()).toEqual(['agent.lock', 'control.sock']);
  });

  test('a data directory with a name too long for a socket has one all the same', async () => {
    const dataDir = join(temporaryFolder(), 'd'.repeat(120));
    const { server } = await socketAgent({ dataDir });
    await callOnce(dataDir);
    expect(statSync(layoutOf(dataDir).control).mode & 0o777).toBe(0o600);
    await server.close();
    expect(readdirSync(dataDir)).toEqual(['agent.lock']);
    expect(await callAgent(dataDir, 'test.echo', 1)).toEqual({ kind: 'no-agent' });
  });

  test.skipIf(!isRoot)(
    'S0-24 whoever is neither the user of the agent nor root is refused, and it is known who it was',
    async () => {
      const refused: (PeerCredentials | undefined)[] = [];
      const { dataDir } = await socketAgent({ onRefused: (peer) => refused.push(peer) });
      const user = { uid: 65534, gid: 65534 };
      const stranger = await steppingChild(script, [dataDir], user);
      // The mode keeps strangers out …
      chmodSync(dataDir, 0o711);
      expect(await stranger.step('call')).toBe('CONTROL_REFUSED');
      expect(refused).toEqual([]);
      // … and where somebody has loosened it, the kernel's word does.
      chmodSync(layoutOf(dataDir).control, 0o666);
      expect(await stranger.step('call')).toBe('CONTROL_REFUSED');
      expect(refused).toEqual([{ ...user, pid: stranger.pid }]);
      await callOnce(dataDir);
    },
  );

  test.skipIf(!isRoot)('root may ask the agent of another user, itself hardened', async () => {
    const dataDir = join(temporaryFolder(), 'd'.repeat(120));
    mkdirSync(dataDir);
    chmodSync(join(dataDir, '..'), 0o711);
    chownSync(dataDir, 65534, 65534);
    const theirs = await steppingChild(script, [dataDir], { uid: 65534, gid: 65534 });
    await theirs.step('harden');
    await theirs.step('serve');
    expect(await callAgent(dataDir, 'test.pid', {})).toEqual({ kind: 'done', value: theirs.pid });
    expect(await theirs.step('call')).toEqual({ kind: 'done', value: theirs.pid });
  });

  test('where the kernel does not say who asks, nobody is let in', async () => {
    const refused: (PeerCredentials | undefined)[] = [];
    vi.resetModules();
    const native =
      await vi.importActual<typeof import('../process/native.ts')>('../process/native.ts');
    const loaded = native.loadProcess();
    if (loaded.kind === 'absent') throw new Error(loaded.reason);
    const { lockFile } = loaded.process;
    const peerCredentials = () => {
      throw new Error('getsockopt: Protocol not available');
    };
    vi.doMock('../process/native.ts', () => ({
      loadProcess: () => ({ kind: 'loaded', process: { lockFile, peerCredentials } }),
    }));
    onTestFinished(() => {
      vi.doUnmock('../process/native.ts');
      vi.resetModules();
    });
    const { serveControl: serve } = await import('./control-socket.ts');
    const { dataDir } = await socketAgent({ serve, onRefused: (peer) => refused.push(peer) });
    await expect(callAgent(dataDir, 'test.echo', 1)).rejects.toMatchObject({
      code: 'CONTROL_REFUSED',
    });
    expect(refused).toEqual([undefined]);
  });
});

function isBusy(fault: unknown): boolean {
  expect(fault).toMatchObject({ code: 'CONTROL_BUSY' });
  return false;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
