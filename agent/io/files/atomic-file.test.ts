import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { fileFault, reasonOf } from './file-fault.ts';

test('a file is written whole, in a folder that may not be there yet, over what was there', async () => {
  const path = join(temporaryFolder(), 'new', 'folder', 'file');
  await writeFileAtomic(path, 'first');
  await writeFileAtomic(path, Uint8Array.from([1, 2, 3]));
  expect([...readFileSync(path)]).toEqual([1, 2, 3]);
  expect(readdirSync(join(path, '..'))).toEqual(['file']);
});

test('with no room for it the old file stays, and nothing beside it', () => {
  const folder = temporaryFolder();
  const path = join(folder, 'file');
  writeFileSync(path, 'old');
  const module = fileURLToPath(new URL('./atomic-file.ts', import.meta.url));
  const script = `
    const { writeFileAtomic } = await import(${JSON.stringify(module)});
    await writeFileAtomic(${JSON.stringify(path)}, new Uint8Array(1e6)).catch(({ code }) => console.log(code));`;
  const limited = ['-c', 'ulimit -f 100; exec "$@"', 'sh', process.execPath];
  const child = spawnSync('sh', [...limited, '--input-type=module', '--eval', script]);
  expect(String(child.stdout)).toBe('STORE_FULL\n');
  expect(readFileSync(path, 'utf8')).toBe('old');
  expect(readdirSync(folder)).toEqual(['file']);
});

test('what a writer that died left behind is cleaned up; what a living one writes is not', async () => {
  const folder = temporaryFolder();
  const dead = spawnSync(process.execPath, ['--eval', '']).pid;
  for (const pid of [dead, process.pid]) {
    writeFileSync(join(folder, `file.${pid}-0a0b0c0d.tmp`), 'half');
  }
  writeFileSync(join(folder, `other.${dead}-0a0b0c0d.tmp`), 'of another file');
  await writeFileAtomic(join(folder, 'file'), 'whole');
  expect(readdirSync(folder).sort()).toEqual(
    ['file', `file.${process.pid}-0a0b0c0d.tmp`, `other.${dead}-0a0b0c0d.tmp`].sort(),
  );
});

test('a folder in the place of the file is a failure of the store', async () => {
  const path = join(temporaryFolder(), 'file');
  mkdirSync(path);
  await expect(writeFileAtomic(path, 'x')).rejects.toMatchObject({ code: 'STORE_FAILED' });
  expect(readdirSync(join(path, '..'))).toEqual(['file']);
});

test.each([
  ['ENOSPC', 'STORE_FULL'],
  ['EDQUOT', 'STORE_FULL'],
  ['EFBIG', 'STORE_FULL'],
  ['EROFS', 'STORE_READ_ONLY'],
  ['EACCES', 'STORE_READ_ONLY'],
  ['EPERM', 'STORE_READ_ONLY'],
  ['EIO', 'STORE_FAILED'],
])('%s of the system is %s', (system, code) => {
  const cause = Object.assign(new Error(`${system}: some words`), { code: system });
  const fault = fileFault(cause, '/data/models/tiny.onnx');
  expect(fault).toMatchObject({ code, cause });
  expect(fault.message).toBe(`/data/models/tiny.onnx: cannot be written (${system})`);
});

test('an error of ours stays what it is, and a reason is one line', () => {
  const ours = fileFault(new Error('first line\nsecond line'), 'file');
  expect(fileFault(ours, 'other file')).toBe(ours);
  expect(reasonOf(new Error('first line\nsecond line'))).toBe('first line');
  expect(reasonOf('a text')).toBe('a text');
});
