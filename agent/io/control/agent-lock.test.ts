import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { eventually } from '../../test/fakes/eventually.ts';
import { makeFifo } from '../../test/fakes/fifo.ts';
import { steppingChild } from '../../test/fakes/stepping-child.ts';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { layoutOf } from '../process/environment.ts';
import { loadProcess } from '../process/native.ts';
import { acquireAgentLock } from './agent-lock.ts';

const script = new URL('../../test/fakes/agent-child.ts', import.meta.url);
const isRoot = process.getuid?.() === 0;
/** Not in every container where one is root. */
const canMount = isRoot && spawnSync('sh', ['-c', 'unshare -m true']).status === 0;

describe.skipIf(loadProcess().kind === 'absent')('with the addon', () => {
  test('two agents on one data directory: the second refuses, until the first has ended', async () => {
    const dataDir = temporaryFolder();
    const first = await steppingChild(script, [dataDir]);
    const second = await steppingChild(script, [dataDir]);
    expect(await first.step('acquire')).toBe('acquired');
    expect(await second.step('acquire')).toBe('held');
    expect(acquireAgentLock(dataDir).kind).toBe('held');
    process.kill(first.pid, 'SIGKILL');
    await eventually(() => held(acquireAgentLock(dataDir)) === false);
    expect(await second.step('acquire')).toBe('acquired');
    expect(acquireAgentLock(dataDir).kind).toBe('held');
  });

  test('what a killed agent had started does not keep its lock', async () => {
    const dataDir = temporaryFolder();
    const agent = await steppingChild(script, [dataDir]);
    expect(await agent.step('acquire')).toBe('acquired');
    const child = await agent.step('spawn');
    onTestFinished(() => void process.kill(Number(child), 'SIGKILL'));
    process.kill(agent.pid, 'SIGKILL');
    await eventually(() => held(acquireAgentLock(dataDir)) === false);
    expect(process.kill(Number(child), 0)).toBe(true);
  });

  test('a lock that is released can be had again, here too', () => {
    const dataDir = temporaryFolder();
    const first = acquireAgentLock(dataDir);
    if (first.kind !== 'acquired') throw new Error(first.kind);
    expect(acquireAgentLock(dataDir).kind).toBe('held');
    first.lock.release();
    const second = acquireAgentLock(dataDir);
    expect(second.kind).toBe('acquired');
    // Of the first; the second may have got its descriptor.
    first.lock.release();
    expect(acquireAgentLock(dataDir).kind).toBe('held');
    held(second);
  });

  test('the first agent makes the data directory for itself alone, and nothing in it but an empty file', () => {
    const dataDir = join(temporaryFolder(), 'var', 'doorkeep');
    expect(held(acquireAgentLock(dataDir))).toBe(false);
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
    const { mode, size } = statSync(layoutOf(dataDir).lock);
    expect([mode & 0o777, size]).toEqual([0o600, 0]);
  });

  test('a lock file that others could hold is closed to them', () => {
    const dataDir = temporaryFolder();
    writeFileSync(layoutOf(dataDir).lock, '');
    chmodSync(layoutOf(dataDir).lock, 0o666);
    expect(held(acquireAgentLock(dataDir))).toBe(false);
    expect(statSync(layoutOf(dataDir).lock).mode & 0o777).toBe(0o600);
  });

  test('a lock file that was removed meanwhile is made anew, and the next agent meets that one', () => {
    const dataDir = temporaryFolder();
    const first = acquireAgentLock(dataDir);
    rmSync(layoutOf(dataDir).lock);
    const second = acquireAgentLock(dataDir);
    expect([first.kind, second.kind]).toEqual(['acquired', 'acquired']);
    expect(acquireAgentLock(dataDir).kind).toBe('held');
    held(first);
    held(second);
  });

  test.each([
    ['a folder', (file: string) => mkdirSync(file)],
    ['a link', (file: string) => symlinkSync('elsewhere', file)],
    ['a pipe that nobody writes to', makeFifo],
  ])('%s in its place makes no lock, and no agent hangs on it', (_name, make) => {
    const dataDir = temporaryFolder();
    const { lock } = layoutOf(dataDir);
    make(lock);
    expect(acquireAgentLock(dataDir)).toMatchObject({
      kind: 'impossible',
      fault: { code: 'STORE_FAILED', message: expect.stringContaining(lock) },
    });
  });

  test.skipIf(!canMount)(
    'on a read-only volume it is said so; where the file is there, it will do',
    () => {
      const folder = temporaryFolder();
      const dataDir = join(folder, 'data');
      mkdirSync(dataDir);
      const shell = (script: string) => execFileSync('sh', ['-c', script, 'sh', dataDir]);
      shell('mount -t tmpfs tmpfs "$1"');
      onTestFinished(() => void shell('umount "$1"'));
      const remount = (how: 'ro' | 'rw') => shell(`mount -o remount,${how} "$1"`);
      remount('ro');
      expect(acquireAgentLock(dataDir)).toMatchObject({
        kind: 'impossible',
        fault: { code: 'STORE_READ_ONLY' },
      });
      remount('rw');
      expect(held(acquireAgentLock(dataDir))).toBe(false);
      remount('ro');
      expect(held(acquireAgentLock(dataDir))).toBe(false);
    },
  );

  test.skipIf(!isRoot)('root who looks in first leaves the lock to the owner of the folder', () => {
    const dataDir = temporaryFolder();
    execFileSync('chown', ['65534:65534', dataDir]);
    expect(held(acquireAgentLock(dataDir))).toBe(false);
    const { uid, gid } = statSync(layoutOf(dataDir).lock);
    expect([uid, gid]).toEqual([65534, 65534]);
  });
});

test.each([
  ['removed', () => {}],
  ['replaced', (file: string) => writeFileSync(file, '')],
])(
  'a lock file that is %s between opening and locking is not taken for the lock',
  async (_how, replace) => {
    const dataDir = temporaryFolder();
    const { lock } = layoutOf(dataDir);
    let calls = 0;
    const lockFile = () => {
      calls += 1;
      if (calls === 1) {
        rmSync(lock);
        replace(lock);
      }
      return true;
    };
    const { acquireAgentLock } = await lockWith({ kind: 'loaded', process: { lockFile } });
    expect(held(acquireAgentLock(dataDir))).toBe(false);
    expect([calls, existsSync(lock)]).toEqual([2, true]);
  },
);

test('without the addon nobody can tell, and it is said why', async () => {
  const { acquireAgentLock } = await lockWith({ kind: 'absent', reason: 'it was not built' });
  expect(acquireAgentLock('/nowhere')).toMatchObject({
    kind: 'impossible',
    fault: {
      code: 'STORE_FAILED',
      message: '/nowhere/agent.lock: cannot be locked (it was not built)',
    },
  });
});

async function lockWith(loaded: object): Promise<typeof import('./agent-lock.ts')> {
  vi.resetModules();
  vi.doMock('../process/native.ts', () => ({ loadProcess: () => loaded }));
  onTestFinished(() => {
    vi.doUnmock('../process/native.ts');
    vi.resetModules();
  });
  return await import('./agent-lock.ts');
}

/** Whether another has it; if not, it is let go again. */
function held(acquired: ReturnType<typeof acquireAgentLock>): boolean {
  if (acquired.kind === 'impossible') throw acquired.fault;
  if (acquired.kind === 'acquired') acquired.lock.release();
  return acquired.kind === 'held';
}
