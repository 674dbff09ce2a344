import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadKernels, loadMemory } from '../../io/process/native.ts';
import { ordinaryMemory } from '../../template/secret-memory.ts';
import { makeFifo } from '../fakes/fifo.ts';
import { patternedRandom, secretsOf } from '../fakes/keyed-patterns.ts';
import { steppingChild } from '../fakes/stepping-child.ts';
import { temporaryFolder } from '../fakes/temporary-folder.ts';

const script = fileURLToPath(new URL('../fakes/crashing-child.ts', import.meta.url));
const main = fileURLToPath(new URL('../../main.js', import.meta.url));
const keeper = new URL('../fakes/secret-keeper.ts', import.meta.url);
const nobody = 65_534;

/** Whether a crash here leaves a file in the folder of the process, so that its absence says something. */
const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8');
const limits = readFileSync('/proc/self/limits', 'utf8');
const leavesFiles = !/^\||\//.test(pattern) && /^Max core file size.*unlimited/m.test(limits);

describe.skipIf(loadMemory().kind === 'absent')('a crash of the door', () => {
  test.each(['SIGSEGV', 'SIGABRT'])('S0-18 leaves no core image: %s', (signal) => {
    const { files, endedBy } = crash(signal, 'hardened');
    expect(endedBy).toBe(signal);
    expect(files).toEqual([]);
  });

  test.skipIf(!leavesFiles)(
    'S2-18 where it is allowed to leave an image (core_pattern permitting), the keys are not in it',
    () => {
      const { files, rootKey } = crash('SIGABRT', 'as-it-is');
      expect(files).toHaveLength(1);
      const image = readFileSync(files[0] ?? '');
      const { keys, streams, projections } = secretsOf(rootKey, loadKernels().kernels);
      const wanted = {
        ordinary: patternedRandom(ordinaryMemory)(64),
        ...keys,
        ...streams,
        projections,
      };
      const found = Object.entries(wanted).filter(([, bytes]) => image.indexOf(bytes) >= 0);
      expect(found.map(([name]) => name)).toEqual(['ordinary']);
    },
  );
});

describe.skipIf(loadMemory().kind === 'absent')('the running door', () => {
  // Root may look into everything: for root, both are of a user who must be able to read the sources.
  const user = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
  const readsSources = spawnSync(
    process.execPath,
    ['-p', 'fs.readFileSync(process.argv[1])[0]', script],
    user,
  );

  test.skipIf(readsSources.status !== 0)(
    'S2-18 cannot be looked into by another process of its user',
    async () => {
      const child = await steppingChild(keeper, ['{}'], user);
      const look = () => spawnSync('head', ['-c', '1', `/proc/${child.pid}/maps`], user).status;
      expect(look()).toBe(0);
      expect(await child.step('harden')).toMatchObject({ answer: { coreDumpsOff: true } });
      expect(look()).toBe(1);
    },
  );

  // A limit that is 0 for the test already would be 0 for any child of it.
  test.skipIf(/^Max core file size +\S+ +0 /m.test(limits))(
    'S0-18 has forbidden itself core files before it reads its settings, whatever the command',
    async () => {
      const settings = join(temporaryFolder(), 'settings.json');
      makeFifo(settings);
      const child = spawn(process.execPath, [main, 'subject', 'list', '--config', settings]);
      onTestFinished(() => void child.kill('SIGKILL'));
      // Opens as soon as the child waits for its settings.
      const pipe = await open(settings, 'w');
      const own = readFileSync(`/proc/${child.pid}/limits`, 'utf8');
      await pipe.close();
      expect(own).toMatch(/^Max core file size +0 +0 /m);
    },
  );
});

/** No limit on the size of a core file is left from whoever started the test. */
function crash(signal: string, how: 'hardened' | 'as-it-is') {
  const folder = temporaryFolder();
  const rootKey = new Uint8Array(createHash('sha256').update(how).digest());
  const key = join(temporaryFolder(), 'root.key');
  writeFileSync(key, rootKey, { mode: 0o600 });
  const words = ['ulimit -c "$(ulimit -H -c)" && exec "$0" "$@"', process.execPath, script];
  const ran = spawnSync('sh', ['-c', ...words, signal, how, key], { cwd: folder });
  const files = readdirSync(folder).map((name) => join(folder, name));
  return { files, rootKey, endedBy: ran.signal };
}
