import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { makeFifo } from '../../test/fakes/fifo.ts';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { destroyKeyFile } from '../files/key-destruction.ts';
import { createEpochKey, readEpochKey } from './epoch-key.ts';

let file: string;
beforeEach(() => {
  file = join(temporaryFolder(), 'ueip', 'epoch.key');
});

test('a new key is 32 random bytes, for this user alone, and is read again as it was made', () => {
  const made = createEpochKey(file);
  expect(made).toHaveLength(32);
  expect(new Set(made).size).toBeGreaterThan(8);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(dirname(file)).mode & 0o777).toBe(0o700);
  expect(readEpochKey(file)).toEqual({ kind: 'key', bytes: made });
  expect([...readFileSync(file)]).toEqual([...made]);
});

test('a key that is there is never replaced', () => {
  const made = createEpochKey(file);
  expect(() => createEpochKey(file)).toThrow(expect.objectContaining({ code: 'STORE_FAILED' }));
  expect([...readFileSync(file)]).toEqual([...made]);
});

test('where there is none it says so; after its destruction there is none', () => {
  expect(readEpochKey(file)).toEqual({ kind: 'absent' });
  createEpochKey(file);
  destroyKeyFile(file);
  expect(existsSync(file)).toBe(false);
  expect(readEpochKey(file)).toEqual({ kind: 'absent' });
});

test.each([0, 31, 33, 4096])('of %i bytes it is none', (sizeBytes) => {
  mkdirSync(dirname(file));
  writeFileSync(file, Buffer.alloc(sizeBytes, 7), { mode: 0o600 });
  expect(readEpochKey(file)).toEqual({ kind: 'unusable', why: 'wrong size' });
});

test('zeros are no key: its destruction was interrupted', () => {
  mkdirSync(dirname(file));
  writeFileSync(file, Buffer.alloc(32), { mode: 0o600 });
  expect(readEpochKey(file)).toEqual({ kind: 'unusable', why: 'destroyed' });
});

test.each([0o640, 0o604, 0o666])('one that others may use is none (mode %o)', (mode) => {
  createEpochKey(file);
  chmodSync(file, mode);
  expect(readEpochKey(file)).toEqual({ kind: 'unusable', why: 'open to others' });
});

test('a link, a folder and a pipe are none, and nothing waits for them', () => {
  mkdirSync(dirname(file));
  const key = join(dirname(file), 'real');
  createEpochKey(key);
  symlinkSync(key, file);
  makeFifo(`${file}.pipe`);
  const none = { kind: 'unusable', why: 'no file' };
  expect(readEpochKey(file)).toEqual(none);
  expect(readEpochKey(`${file}.pipe`)).toEqual(none);
  expect(readEpochKey(dirname(file))).toEqual(none);
});

test('what the system does not let be read is an error that names the file', () => {
  mkdirSync(dirname(file));
  writeFileSync(join(dirname(file), 'plain'), '');
  const below = join(dirname(file), 'plain', 'epoch.key');
  expect(() => readEpochKey(below)).toThrow(
    expect.objectContaining({ code: 'KEY_INVALID', message: expect.stringContaining(below) }),
  );
});
