import { existsSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { spareRoom } from './spare-room.ts';

test('room is kept once, truly taken, and given back once', () => {
  const file = join(temporaryFolder(), 'room');
  const room = spareRoom(file, 100_000);
  expect(room.release()).toBe(false);
  room.reserve();
  expect(statSync(file)).toMatchObject({ size: 100_000 });
  expect(statSync(file).mode & 0o077).toBe(0);
  expect(statSync(file).blocks * 512).toBeGreaterThanOrEqual(100_000);
  const noise = readFileSync(file);
  expect(deflateRawSync(noise).length).toBeGreaterThan(99_000);
  room.reserve();
  expect(readFileSync(file).equals(noise)).toBe(true);
  expect(room.release()).toBe(true);
  expect(existsSync(file)).toBe(false);
  expect(room.release()).toBe(false);
});

test('what a power cut left half made is made anew', () => {
  const file = join(temporaryFolder(), 'room');
  spareRoom(file, 5000).reserve();
  truncateSync(file, 100);
  spareRoom(file, 5000).reserve();
  expect(statSync(file).size).toBe(5000);
});

test('a folder that is not there is an error, not a full disk', () => {
  const file = join(temporaryFolder(), 'missing', 'room');
  expect(() => spareRoom(file, 10).reserve()).toThrow(
    expect.objectContaining({ code: 'STORE_FAILED', message: expect.stringContaining(file) }),
  );
});
