import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { destroyKeyFile } from './key-destruction.ts';

const key = Uint8Array.from({ length: 32 }, (_, i) => i + 1);

function keyFile() {
  const folder = join(temporaryFolder(), 'keys');
  mkdirSync(folder);
  const file = join(folder, 'root.key');
  writeFileSync(file, key, { mode: 0o600 });
  return { folder, file };
}

test('the key is overwritten where it stands before it is removed', () => {
  const { folder, file } = keyFile();
  const kept = join(folder, 'kept');
  linkSync(file, kept);
  expect(destroyKeyFile(file)).toBe(true);
  expect(existsSync(file)).toBe(false);
  expect([...readFileSync(kept)]).toEqual(Array(32).fill(0));
});

test('what an interrupted making of a key left beside it goes too, and nothing else', () => {
  const { folder, file } = keyFile();
  const half = join(folder, 'root.key.0f0e0d0c-0000-4000-8000-0123456789ab.tmp');
  const [kept, other] = [join(folder, 'kept'), join(folder, 'root.key.backup')];
  writeFileSync(half, key);
  writeFileSync(other, key);
  linkSync(half, kept);
  destroyKeyFile(file);
  expect(readdirSync(folder).sort()).toEqual(['kept', 'root.key.backup']);
  expect([...readFileSync(kept)]).toEqual(Array(32).fill(0));
  expect([...readFileSync(other)]).toEqual([...key]);
});

test('where there is no key there is nothing to destroy, with or without a folder', () => {
  const { folder, file } = keyFile();
  destroyKeyFile(file);
  expect(destroyKeyFile(file)).toBe(false);
  expect(destroyKeyFile(join(folder, 'no', 'root.key'))).toBe(false);
});

test('a link is removed and what it points to is not touched', () => {
  const { folder, file } = keyFile();
  const link = join(folder, 'link.key');
  symlinkSync(file, link);
  expect(destroyKeyFile(link)).toBe(true);
  expect(readdirSync(folder)).toEqual(['root.key']);
  expect([...readFileSync(file)]).toEqual([...key]);
});

test('a folder in its place is an error that names it', () => {
  const { folder } = keyFile();
  const inner = join(folder, 'inner');
  mkdirSync(inner);
  expect(() => destroyKeyFile(inner)).toThrow(
    expect.objectContaining({ code: 'STORE_FAILED', message: expect.stringContaining(inner) }),
  );
});

test.skipIf(process.getuid?.() === 0)(
  'a key that may not be written is an error, and stays',
  () => {
    const { file } = keyFile();
    chmodSync(file, 0o400);
    expect(() => destroyKeyFile(file)).toThrow(
      expect.objectContaining({ code: 'STORE_READ_ONLY' }),
    );
    expect([...readFileSync(file)]).toEqual([...key]);
  },
);
