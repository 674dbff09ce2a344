import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { systemError, withFailingCalls } from '../../test/fakes/failing-calls.ts';
import { makeFifo } from '../../test/fakes/fifo.ts';
import { loopVolume, memoryVolume, noLoopVolume } from '../../test/fakes/loop-volume.ts';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { eraseDatabase, eraseFile, eraseFolder } from './erase-files.ts';

const mark = Buffer.from('what shall not stay');

/** A file, and a second name of it by which its content can be looked at afterwards. */
function witnessed(file: string, content: Uint8Array): () => Buffer {
  writeFileSync(file, content);
  const witness = join(temporaryFolder(), 'witness');
  linkSync(file, witness);
  return () => readFileSync(witness);
}

test.each([0, 1, 511, 512, 513, 4096, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 3 * 2 ** 20 + 7])(
  'a file of %i bytes is zeros, all of it, before it goes',
  (sizeBytes) => {
    const file = join(temporaryFolder(), 'file');
    const content = witnessed(file, Buffer.alloc(sizeBytes, mark));
    expect(eraseFile(file)).toEqual({ kind: 'erased', bytes: sizeBytes, notOverwritten: 0 });
    expect(existsSync(file)).toBe(false);
    expect(content().equals(Buffer.alloc(sizeBytes))).toBe(true);
  },
);

test('where there is no file there is nothing to erase', () => {
  const folder = temporaryFolder();
  expect(eraseFile(join(folder, 'none'))).toEqual({ kind: 'absent' });
  expect(eraseDatabase(join(folder, 'none.db'))).toEqual({ kind: 'absent' });
  expect(eraseFolder(join(folder, 'none'))).toEqual({ kind: 'absent' });
});

test('the holes of a sparse file stay holes: erasing takes no room', () => {
  const folder = temporaryFolder();
  const [file, witness] = [join(folder, 'sparse'), join(folder, 'witness')];
  const fd = openSync(file, 'w');
  for (const at of [0, 1_048_000, 60_000_000]) writeSync(fd, mark, 0, mark.length, at);
  closeSync(fd);
  truncateSync(file, 100_000_000);
  linkSync(file, witness);
  const before = statSync(file).blocks;
  expect(before).toBeLessThan(1000);
  expect(eraseFile(file)).toMatchObject({ kind: 'erased', bytes: 100_000_000 });
  expect(statSync(witness).blocks).toBeLessThanOrEqual(before);
  expect(readFileSync(witness).indexOf(mark)).toBe(-1);
});

test('a link goes and what it points to is not touched; neither is anything waited for', () => {
  const folder = temporaryFolder();
  const [other, link, pipe] = [join(folder, 'other'), join(folder, 'link'), join(folder, 'pipe')];
  writeFileSync(other, mark);
  symlinkSync(other, link);
  makeFifo(pipe);
  expect(eraseFile(link)).toMatchObject({ kind: 'erased', bytes: 0 });
  expect(eraseFile(pipe)).toMatchObject({ kind: 'erased', bytes: 0 });
  expect(readdirSync(folder)).toEqual(['other']);
  expect(readFileSync(other)).toEqual(mark);
});

test('a folder in the place of a file is an error that names it', () => {
  const folder = temporaryFolder();
  expect(() => eraseFile(folder)).toThrow(
    expect.objectContaining({ code: 'STORE_FAILED', message: expect.stringContaining(folder) }),
  );
});

test('nothing of a database is removed before all of it is overwritten and on the medium', async () => {
  const file = join(temporaryFolder(), 'a.db');
  const db = new Database(file);
  db.pragma('journal_mode = WAL');
  db.exec('CREATE TABLE t (x)');
  db.prepare('INSERT INTO t VALUES (?)').run(mark.toString());
  writeFileSync(`${file}-journal`, mark);
  const content = ['-wal', '', '-shm', '-journal'].map((suffix) => {
    const witness = join(temporaryFolder(), 'witness');
    linkSync(file + suffix, witness);
    return () => readFileSync(witness);
  });
  expect(content.some((read) => read().indexOf(mark) >= 0)).toBe(true);
  const { calls } = await withFailingCalls(
    () => undefined,
    () => eraseDatabase(file),
  );
  db.close();
  expect(content.every((read) => read().every((byte) => byte === 0))).toBe(true);
  expect(readdirSync(join(file, '..'))).toEqual([]);
  const steps = calls.filter((name) => name === 'fsyncSync' || name === 'unlinkSync');
  expect(steps.map((name) => name[0]).join('')).toBe('ffffuuuuf');
});

test('of a database whose log cannot be overwritten, everything else goes, and the log stays to be tried again', async () => {
  const file = join(temporaryFolder(), 'a.db');
  for (const suffix of ['', '-wal', '-shm']) writeFileSync(file + suffix, mark);
  let writes = 0;
  const attempt = withFailingCalls(
    ({ name }) => (name === 'writeSync' && ++writes === 1 ? systemError('EIO') : undefined),
    () => eraseDatabase(file),
  );
  await expect(attempt).rejects.toMatchObject({
    code: 'STORE_FAILED',
    message: expect.stringContaining('-wal'),
  });
  expect(readdirSync(join(file, '..'))).toEqual(['a.db-wal']);
  expect(eraseDatabase(file)).toMatchObject({ kind: 'erased', bytes: mark.length });
});

test('a block that cannot be read any more is overwritten all the same', async () => {
  const file = join(temporaryFolder(), 'file');
  const content = witnessed(file, mark);
  await withFailingCalls(
    ({ name }) => (name === 'readSync' ? systemError('EIO') : undefined),
    () => eraseFile(file),
  );
  expect(content().every((byte) => byte === 0)).toBe(true);
});

test('a folder goes with whatever is in it, and nothing beside it', () => {
  const folder = temporaryFolder();
  const doomed = join(folder, 'ueip');
  mkdirSync(join(doomed, 'outbox', 'inner'), { recursive: true });
  const contents = ['records.db', 'outbox/one', 'outbox/inner/two'].map((name) =>
    witnessed(join(doomed, name), mark),
  );
  writeFileSync(join(folder, 'gallery.db'), mark);
  symlinkSync(join(folder, 'gallery.db'), join(doomed, 'link'));
  expect(eraseFolder(doomed)).toMatchObject({ kind: 'erased', bytes: 3 * mark.length });
  expect(readdirSync(folder)).toEqual(['gallery.db']);
  expect(readFileSync(join(folder, 'gallery.db'))).toEqual(mark);
  expect(contents.every((read) => read().every((byte) => byte === 0))).toBe(true);
});

test.each(['EIO', 'EROFS'] as const)(
  'whichever call fails (%s), a folder is said to be erased only when it is, and can be erased afterwards',
  async (code) => {
    for (let n = 1; ; n++) {
      const folder = temporaryFolder();
      const doomed = join(folder, 'ueip');
      mkdirSync(join(doomed, 'outbox'), { recursive: true });
      const contents = ['records.db', 'records.db-wal', 'outbox/one'].map((name) =>
        witnessed(join(doomed, name), mark),
      );
      const isZero = () => contents.every((read) => read().every((byte) => byte === 0));
      const attempt = await withFailingCalls(
        (call) => (call.n === n ? systemError(code) : undefined),
        async () => {
          try {
            return eraseFolder(doomed).kind;
          } catch {
            return 'failed';
          }
        },
      );
      if (attempt.outcome === 'erased')
        expect([isZero(), existsSync(doomed)]).toEqual([true, false]);
      eraseFolder(doomed);
      expect([isZero(), existsSync(doomed)]).toEqual([true, false]);
      if (attempt.calls.length < n) break;
      expect(n).toBeLessThan(100);
    }
  },
);

test('where there is no room even to overwrite, a file is removed, and that is said', async () => {
  const file = join(temporaryFolder(), 'a.db');
  for (const suffix of ['', '-wal']) writeFileSync(file + suffix, mark);
  const { outcome } = await withFailingCalls(
    ({ name }) => (name === 'writeSync' ? systemError('ENOSPC') : undefined),
    () => eraseDatabase(file),
  );
  expect(outcome).toEqual({ kind: 'erased', bytes: 0, notOverwritten: 2 });
  expect(readdirSync(join(file, '..'))).toEqual([]);
});

test.skipIf(noLoopVolume)('a volume of its own is emptied, and stays mounted where it is', () => {
  const mount = join(temporaryFolder(), 'ueip');
  mkdirSync(mount);
  memoryVolume(mount);
  mkdirSync(join(mount, 'outbox'));
  writeFileSync(join(mount, 'outbox', 'batch'), mark);
  expect(eraseFolder(mount)).toMatchObject({ kind: 'erased', bytes: mark.length });
  expect(readdirSync(mount)).toEqual([]);
});

test.skipIf(noLoopVolume)('a file system without room hinders nothing', () => {
  const { mountPoint, mount } = loopVolume(8 << 20);
  mount();
  const file = join(mountPoint, 'a.db');
  writeFileSync(file, Buffer.alloc(100_000, mark));
  const filler = openSync(join(mountPoint, 'filler'), 'w');
  const fill = () => {
    for (;;) writeSync(filler, Buffer.alloc(1024, 1));
  };
  expect(fill).toThrow('ENOSPC');
  closeSync(filler);
  expect(eraseDatabase(file)).toEqual({ kind: 'erased', bytes: 100_000, notOverwritten: 0 });
});
