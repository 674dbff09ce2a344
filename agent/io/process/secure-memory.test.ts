import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { eventually } from '../../test/fakes/eventually.ts';
import { loadMemory } from './native.ts';
import { allocateSecure, memoryProtection, secureMemory, wipe } from './secure-memory.ts';

test('a secret gets zeroed memory that is shared with nothing else, and leaves zeros in it', () => {
  const bytes = secureMemory(1000);
  expect([bytes.length, bytes.byteOffset, bytes.buffer.byteLength]).toEqual([1000, 0, 1000]);
  expect(bytes.every((byte) => byte === 0)).toBe(true);
  bytes.fill(7);
  wipe(bytes.subarray(0, 500));
  expect(bytes.filter((byte) => byte === 7)).toHaveLength(500);
  wipe(bytes);
  expect(bytes.every((byte) => byte === 0)).toBe(true);
});

describe.skipIf(loadMemory().kind === 'absent')('with the addon', () => {
  // What earlier tests have left behind is gone before the next one measures.
  beforeEach(async () => {
    collect();
    await eventually(() => lockedBytes() === 0);
  });

  test('S2-18 a secret is locked in memory, or said not to be', () => {
    const { bytes, locked } = allocateSecure(256 * 1024);
    expect(lockedBytes()).toBe(locked ? bytes.length : 0);
    expect(memoryProtection().reason).toBeUndefined();
  });

  test('10,000 secrets that nobody refers to any more are gone', async () => {
    const before = mappedBytes();
    let kept = 0;
    for (let i = 0; i < 10_000; i++) kept += secureMemory(32).length;
    expect(kept).toBe(320_000);
    expect(mappedBytes() - before).toBeGreaterThan(30e6);
    collect();
    await eventually(() => mappedBytes() - before < 10e6 && lockedBytes() === 0);
  });

  test('a secret cannot be moved to another thread', () => {
    const { buffer } = secureMemory(32);
    if (!(buffer instanceof ArrayBuffer)) throw new TypeError('no memory of its own');
    expect(() => structuredClone(buffer, { transfer: [buffer] })).toThrow('Cannot transfer');
  });

  test('a secret of a thread ends with it', async () => {
    const source = `
      import { parentPort } from 'node:worker_threads';
      import { allocateSecure } from '${new URL('./secure-memory.ts', import.meta.url)}';
      globalThis.held = allocateSecure(64 * 1024);
      parentPort.once('message', () => {});
      parentPort.postMessage(globalThis.held.locked);`;
    const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
    const worker = new Worker(url);
    const locked = await new Promise((resolve, reject) => {
      worker.once('message', resolve).once('error', reject);
    });
    expect(lockedBytes()).toBe(locked ? 64 * 1024 : 0);
    await worker.terminate();
    expect(lockedBytes()).toBe(0);
  });
});

describe('without the addon', () => {
  afterEach(() => {
    vi.doUnmock('./native.ts');
    vi.resetModules();
  });

  test('secrets get memory of their own all the same, and it is said that nothing protects it', async () => {
    const reason = 'it was not built';
    vi.resetModules();
    vi.doMock('./native.ts', () => ({ loadMemory: () => ({ kind: 'absent', reason }) }));
    const bare = await import('./secure-memory.ts');
    const { bytes, locked } = bare.allocateSecure(32);
    expect([bytes.length, bytes.buffer.byteLength, locked]).toEqual([32, 32, false]);
    bytes.fill(7);
    bare.wipe(bytes);
    expect(bytes).toEqual(new Uint8Array(32));
    expect(bare.hardenProcess()).toEqual({ coreDumpsOff: false });
    expect(bare.memoryProtection()).toEqual({ keysLocked: false, coreDumpsOff: false, reason });
    expect(bare.protectsKeys()).toBe(false);
  });
});

function lockedBytes(): number {
  return kibibytes('VmLck') * 1024;
}

function mappedBytes(): number {
  return kibibytes('VmSize') * 1024;
}

function kibibytes(field: string): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(status)?.[1]);
}

function collect(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}
