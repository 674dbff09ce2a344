import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadKernels, loadMemory } from '../../io/process/native.ts';
import { ordinaryMemory } from '../../template/secret-memory.ts';
import { keyedScope, patternedRandom, secretsOf, streamOf } from '../fakes/keyed-patterns.ts';
import { foundInMemory } from '../fakes/process-memory.ts';
import { type SteppingChild, steppingChild } from '../fakes/stepping-child.ts';
import { temporaryFolder } from '../fakes/temporary-folder.ts';

const { kernels } = loadKernels();

/**
 * All writable memory of a process that handles keys and templates as the door does, searched from outside
 * after each step: what must be there is there, so the search finds it, and what must not is nowhere.
 */
describe.skipIf(loadMemory().kind === 'absent')('the memory of a running door', () => {
  test('S2-18 holds the root key only until the protector stands, the seal key until it is wiped', async () => {
    const file = join(temporaryFolder(), 'keys', 'root.key');
    const child = await keeper({ file, mayCreate: true });
    await child.step('load');
    const { keys } = secretsOf(readFileSync(file), kernels);
    expect(foundInMemory(child.pid, keys)).toEqual(['rootKey']);
    await child.step('open');
    expect(foundInMemory(child.pid, keys)).toEqual(['sealKey']);
    for (const step of ['enrol', 'read', 'look', 'wipe']) await child.step(step);
    expect(foundInMemory(child.pid, keys)).toEqual([]);
  });

  test('S0-18 S2-18 holds no code, no projection, no sign and no pad once they are forgotten', async () => {
    const file = join(temporaryFolder(), 'keys', 'root.key');
    const child = await keeper({ file, mayCreate: true });
    for (const step of ['load', 'open', 'enrol', 'read', 'look']) await child.step(step);
    const { streams, codes, projections } = secretsOf(readFileSync(file), kernels);
    const wanted = { ...streams, ...codes, projections };
    expect(foundInMemory(child.pid, wanted)).toEqual(Object.keys(wanted));
    await child.step('forget');
    expect(foundInMemory(child.pid, wanted)).toEqual(['signs', 'pad']);
    await child.step('wipe');
    expect(foundInMemory(child.pid, wanted)).toEqual([]);
  });

  test('S2-18 holds no key that a program has brought, once it is wiped', async () => {
    const file = join(temporaryFolder(), 'given.key');
    const child = await keeper({ command: ['sh', '-c', `${makeKey} | tee '${file}'`] });
    await child.step('load');
    const rootKey = readFileSync(file);
    expect(rootKey).toHaveLength(32);
    expect(foundInMemory(child.pid, { rootKey })).toEqual(['rootKey']);
    await child.step('open');
    expect(foundInMemory(child.pid, { rootKey })).toEqual([]);
  });

  test('S0-15 holds nothing after midnight that a code of the day could be made with again', async () => {
    const child = await keeper({});
    const key = patternedRandom(ordinaryMemory)(32);
    const wanted = { epochKey: key, signs: streamOf(key, `W/${keyedScope.dimensions}/24`, 384) };
    await child.step('code');
    expect(foundInMemory(child.pid, wanted)).toEqual(['signs']);
    await child.step('midnight');
    expect(foundInMemory(child.pid, wanted)).toEqual([]);
  });

  test('S2-18 gives no key and no code to a heap snapshot', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'keys', 'root.key');
    const snapshot = join(folder, 'door.heapsnapshot');
    const child = await keeper({ file, mayCreate: true }, snapshot);
    for (const step of ['load', 'open', 'enrol', 'read', 'look', 'snapshot'])
      await child.step(step);
    const { keys, streams, codes } = secretsOf(readFileSync(file), kernels);
    const written = readFileSync(snapshot);
    expect(written.includes('resident-2')).toBe(true);
    for (const secret of Object.values({ ...keys, ...streams, ...codes })) {
      const head = Buffer.from(secret).subarray(0, 15);
      for (const form of [head, ...(['hex', 'base64'] as const).map((as) => head.toString(as))]) {
        expect(written.includes(form)).toBe(false);
      }
    }
  });
});

const makeKey = 'head -c 32 /dev/urandom';

function keeper(source: unknown, ...more: readonly string[]): Promise<SteppingChild> {
  const script = new URL('../fakes/secret-keeper.ts', import.meta.url);
  return steppingChild(script, [JSON.stringify(source), ...more]);
}
