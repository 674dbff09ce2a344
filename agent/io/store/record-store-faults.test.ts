import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { memoryFolder } from '../../test/fakes/memory-folder.ts';
import { someRecord, someRecords } from '../../test/fakes/some-record.ts';
import { openRecordStore } from './record-store.ts';

const failingCalls = fileURLToPath(new URL('../../test/fakes/failing-calls.c', import.meta.url));
const failingStore = fileURLToPath(new URL('../../test/fakes/failing-store.ts', import.meta.url));

describe.skipIf(!succeeds('cc', '--version'))('whichever call to the file system fails', () => {
  const works = ['begin', 'append', 'evict', 'forget', 'purge', 'begin anew'];
  const cases = works.flatMap((work) =>
    (['EIO', 'ENOSPC', 'EROFS'] as const).map((errno) => ({ work, errno })),
  );

  test.each(cases)(
    'S0-7 $work, $errno: all or nothing of it is stored, and the store goes on',
    ({ work, errno }) => {
      const folder = memoryFolder();
      const library = join(folder, 'failing-calls.so');
      execFileSync('cc', ['-shared', '-fPIC', '-o', library, failingCalls, '-ldl']);
      const store = join(folder, 'store');
      for (const how of ['once', 'arm']) {
        const output = execFileSync(
          process.execPath,
          [failingStore, store, work, `${constants.errno[errno]}`, how],
          { env: { ...process.env, LD_PRELOAD: library, FAILING_FOLDER: store }, encoding: 'utf8' },
        );
        const found: unknown = JSON.parse(output);
        expect(found, how).toMatchObject({ faults: [] });
        // Many calls were made to fail, and the failures were told by codes of the store.
        expect(output).toMatch(/"calls":\d\d/);
        if (how === 'arm') expect(output).toMatch(/"codes":\["STORE_/);
      }
    },
    120_000,
  );
});

describe.skipIf(process.getuid?.() !== 0 || !succeeds('mkfs.ext4', '-V'))('a full volume', () => {
  test('S0-7 the oldest records give way to new ones, and what is forgotten is overwritten all the same', () => {
    const { store, fill } = storeOnItsOwnVolume();
    for (let n = 0; n < 10; n++) store.append(someRecords(100, n * 100));
    fill();
    let evicted = 0;
    for (let n = 0; n < 40; n++) evicted += store.append(someRecords(42, 1000 + n * 42)).evicted;
    expect(evicted).toBeGreaterThan(0);
    expect(store.counts()).toMatchObject({ records: 1000 + 40 * 42 - evicted, evicted });
    const all = store.oldest(5000);
    expect(Buffer.from(all.at(-1)?.line ?? [])).toEqual(Buffer.from(someRecord(2679).line));
    store.forget(all.map(({ id }) => id));
    expect(store.counts().records).toBe(0);
    store.close();
  });

  test('S0-13 what is too old goes all the same, rows included that no checkpoint has moved', () => {
    const { store, fill } = storeOnItsOwnVolume();
    for (let n = 0; n < 14; n++) store.append(someRecords(100, n * 100));
    fill();
    expect(store.purge(({ runDay }) => runDay < 20_001)).toBe(1000);
    expect(store.counts().records).toBe(400);
    expect(store.purge(() => true)).toBe(400);
    store.close();
  });
});

function storeOnItsOwnVolume() {
  const { path, fill } = fullVolume();
  const { store } = openRecordStore({
    file: join(path, 'records.db'),
    keyFile: join(path, 'epoch.key'),
    limits: { maxRecords: 50_000, maxBytes: 32 << 20 },
  });
  return { store, fill };
}

/** An ext4 of 8 MiB of its own. */
function fullVolume() {
  const folder = memoryFolder();
  const [image, path] = [join(folder, 'image'), join(folder, 'mount')];
  mkdirSync(path);
  execFileSync('truncate', ['-s', '8M', image]);
  execFileSync('mkfs.ext4', ['-q', '-b', '1024', image]);
  execFileSync('mount', ['-o', 'loop', image, path]);
  onTestFinished(() => void execFileSync('umount', [path]));
  return {
    path,
    fill() {
      const fd = openSync(join(path, 'filler'), 'w');
      const fillUp = () => {
        for (;;) writeSync(fd, Buffer.alloc(1024, 1));
      };
      expect(fillUp).toThrow('ENOSPC');
      closeSync(fd);
    },
  };
}

function succeeds(program: string, argument: string): boolean {
  try {
    execFileSync(program, [argument], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
