import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, expect, test } from 'vitest';
import { canFakeGpio } from '../../test/fakes/fake-gpio.ts';
import { kernelSets, loadKernels, loadMemory, loadProcess } from './native.ts';

const folder = mkdtempSync(join(tmpdir(), 'doorkeep-native-'));
afterAll(() => rmSync(folder, { recursive: true }));

const built = loadKernels().native;

test('without the addon the door computes in TypeScript and says why', () => {
  const path = join(folder, 'absent.node');
  expect(loadKernels(path)).toMatchObject({
    kernels: { name: 'typescript' },
    native: false,
    reason: `${path} is not there: build it with \`npm run postinstall\``,
    available: ['typescript'],
  });
});

test('a broken addon is no reason to stop: one line says what is wrong with it', () => {
  const path = join(folder, 'broken.node');
  writeFileSync(path, 'this is no library\n');
  const { kernels, native, reason } = loadKernels(path);
  expect([kernels.name, native]).toEqual(['typescript', false]);
  expect(reason).toMatch(/broken\.node does not load: .*broken\.node/);
  expect(reason).not.toContain('\n');
});

test.each([
  ['of something else', 'module.exports = { available: 7 }', "is not doorkeep's addon"],
  ['that is empty', 'module.exports = { available: [], kernels() {} }', 'has no kernels'],
  [
    'of another version',
    "module.exports = { available: ['avx2'], kernels: () => ({ name: 'avx2', warp() {} }) }",
    'is of another version',
  ],
  ['that throws', "throw new Error('no\\nmore')", 'does not load: no'],
])('an addon %s is not used', (name, source, reason) => {
  const path = join(folder, `${name.replaceAll(' ', '-')}.cjs`);
  writeFileSync(path, source);
  expect(loadKernels(path)).toMatchObject({ kernels: { name: 'typescript' }, native: false });
  expect(loadKernels(path).reason).toContain(reason);
});

test('an addon without memory for secrets is of another version, one that is missing is named', () => {
  const path = join(folder, 'old.cjs');
  writeFileSync(path, 'module.exports = { available: [], kernels() {} }');
  expect(loadMemory(path)).toEqual({ kind: 'absent', reason: `${path} is of another version` });
  const absent = join(folder, 'absent.node');
  expect(loadMemory(absent)).toMatchObject({
    kind: 'absent',
    reason: expect.stringContaining(absent),
  });
});

test.skipIf(!built)('memory for secrets: wrong arguments are refused', () => {
  const loaded = loadMemory();
  if (loaded.kind === 'absent') throw new Error(loaded.reason);
  const { secureBuffer, wipe } = loaded.memory;
  for (const bad of [undefined, null, 0, -1, 1.5, Number.NaN, 2 ** 30 + 1, '32', 32n, {}]) {
    expect(() => Reflect.apply(secureBuffer, undefined, [bad])).toThrow(TypeError);
  }
  expect(() => Reflect.apply(secureBuffer, undefined, [])).toThrow(TypeError);
  for (const bad of [undefined, 7, [0], new Int8Array(3), new ArrayBuffer(3)]) {
    expect(() => Reflect.apply(wipe, undefined, [bad])).toThrow(TypeError);
  }
  expect(() => wipe(new Uint8Array(0))).not.toThrow();
});

test('an addon that knows nothing of processes is of another version', () => {
  const path = join(folder, 'older.cjs');
  writeFileSync(path, 'module.exports = { available: [], lockFile() {} }');
  expect(loadProcess(path)).toEqual({ kind: 'absent', reason: `${path} is of another version` });
});

test.skipIf(!built)('of a descriptor that is none, or not what it should be, it is said so', () => {
  const loaded = loadProcess();
  if (loaded.kind === 'absent') throw new Error(loaded.reason);
  const { lockFile, peerCredentials } = loaded.process;
  for (const call of [lockFile, peerCredentials]) {
    for (const bad of [undefined, null, -1, 1.5, Number.NaN, 2 ** 31, '3', 3n, {}]) {
      expect(() => Reflect.apply(call, undefined, [bad])).toThrow(TypeError);
    }
    expect(() => Reflect.apply(call, undefined, [])).toThrow(TypeError);
    expect(() => call(1_000_000)).toThrow(/Bad file descriptor/);
  }
  const fd = openSync(join(folder, 'plain'), 'w');
  expect(() => peerCredentials(fd)).toThrow(/^getsockopt: /);
  expect(lockFile(fd)).toBe(true);
  closeSync(fd);
});

test.skipIf(!built || !canFakeGpio)(
  'a kernel that may not be asked about its clock vouches for no clock',
  () => {
    const library = join(folder, 'no-adjtimex.so');
    const source =
      '#include <errno.h>\nint adjtimex(void *asked) { errno = EPERM; return asked ? -1 : 0; }\n';
    execFileSync('cc', ['-shared', '-fPIC', '-x', 'c', '-o', library, '-'], { input: source });
    const url = new URL('./native.ts', import.meta.url).href;
    const script = `import { isClockSynchronised } from '${url}'; console.log(isClockSynchronised());`;
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      env: { LD_PRELOAD: library },
      encoding: 'utf8',
    });
    expect(said.trim()).toBe('false');
  },
);

test('the TypeScript kernels are always there to compare with', () => {
  expect(kernelSets().map(({ name }) => name)).toEqual([
    'typescript',
    ...loadKernels().available.filter((name) => name !== 'typescript'),
  ]);
});

test.skipIf(!built)('the addon brings the best kernels of this processor first', () => {
  const { kernels, reason, available } = loadKernels();
  expect(reason).toBeUndefined();
  expect(available).toEqual(expect.arrayContaining(['portable', 'typescript']));
  expect(kernels.name).toBe(available[0]);
  if (process.arch === 'arm64') expect(kernels.name).toBe('neon');
});

test.skipIf(!built)('the recognition thread loads the addon beside the main one', async () => {
  const source = `
    import { parentPort } from 'node:worker_threads';
    import { loadKernels } from '${new URL('./native.ts', import.meta.url)}';
    const { kernels } = loadKernels();
    const y = new Int32Array(1);
    kernels.project(Uint8Array.of(0b101), Int8Array.of(1, 10, 100, 3, 3, 3, 3, 3), y);
    parentPort.postMessage([kernels.name, y[0]]);`;
  const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
  const answers = await Promise.all(
    [1, 2].map(
      () =>
        new Promise((resolve, reject) => {
          new Worker(url).once('message', resolve).once('error', reject);
        }),
    ),
  );
  expect(answers).toEqual(Array(2).fill([loadKernels().kernels.name, 1 - 10 + 100 - 15]));
});
