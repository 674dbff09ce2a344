import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadRootKey } from './key-file.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'doorkeep-key-'));
  file = join(folder, 'keys', 'root.key');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('S2-18 the key is made at first use, for its owner only, and stays the same', async () => {
  const first = await loadRootKey({ file, mayCreate: true });
  expect(first.bytes).toHaveLength(32);
  expect(statSync(join(folder, 'keys')).mode & 0o777).toBe(0o700);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(folder, 'keys'))).toEqual(['root.key']);
  const second = await loadRootKey({ file, mayCreate: false });
  expect(second.bytes).toEqual(first.bytes);
});

test('two devices get two keys', async () => {
  const a = await loadRootKey({ file, mayCreate: true });
  const b = await loadRootKey({ file: `${file}.other`, mayCreate: true });
  expect(b.bytes).not.toEqual(a.bytes);
});

test('where another process makes the key at the same moment, its key is taken', async () => {
  const source = {
    file,
    // Read between the look for a key and the making of one.
    get mayCreate() {
      write(new Uint8Array(32).fill(7));
      return true;
    },
  };
  const { bytes } = await loadRootKey(source);
  expect([...bytes]).toEqual(Array(32).fill(7));
  expect([...readFileSync(file)]).toEqual(Array(32).fill(7));
  expect(readdirSync(join(folder, 'keys'))).toEqual(['root.key']);
});

test('a missing key is not made anew while templates depend on it', async () => {
  await expect(loadRootKey({ file, mayCreate: false })).rejects.toMatchObject({
    code: 'KEY_INVALID',
    message: expect.stringContaining('is missing'),
  });
  expect(readdirSync(folder)).toEqual([]);
});

describe('a file that is not what it should be is not used, and stays as it is', () => {
  test.each([0, 31, 33, 64])('%i bytes', async (sizeBytes) => {
    write(new Uint8Array(sizeBytes));
    await refused(`has ${sizeBytes} bytes, not 32`);
    expect(readFileSync(file)).toHaveLength(sizeBytes);
  });

  test.each([0o640, 0o604, 0o620, 0o601, 0o666])('mode %o', async (mode) => {
    write(new Uint8Array(32), mode);
    await refused(`has mode ${mode.toString(8)}`);
  });

  test('a symbolic link, even to a good key', async () => {
    mkdirSync(join(folder, 'keys'));
    writeFileSync(join(folder, 'real'), new Uint8Array(32), { mode: 0o600 });
    symlinkSync(join(folder, 'real'), file);
    await refused('is a symbolic link');
  });

  test('a link to nowhere is not followed to create a key there', async () => {
    mkdirSync(join(folder, 'keys'));
    symlinkSync(join(folder, 'elsewhere'), file);
    await refused('is a symbolic link');
    expect(readdirSync(folder)).toEqual(['keys']);
  });

  test('a folder', async () => {
    mkdirSync(file, { recursive: true });
    await refused('is not a regular file');
  });

  test('a pipe, without waiting for a writer', async () => {
    mkdirSync(join(folder, 'keys'));
    execFileSync('sh', ['-c', 'mkfifo -m 600 "$0"', file]);
    await refused('is not a regular file');
  });

  test('a folder that is a file', async () => {
    writeFileSync(join(folder, 'keys'), '');
    await refused('cannot be opened');
  });
});

test('wiping leaves zeros, in memory that is shared with nothing else', async () => {
  const key = await loadRootKey({ file, mayCreate: true });
  expect(key.bytes.buffer.byteLength).toBe(32);
  key.wipe();
  expect([...key.bytes]).toEqual(Array(32).fill(0));
});

describe('a key from a program', () => {
  test('32 bytes and nothing else are the key', async () => {
    const { bytes } = await loadRootKey({ command: ['printf', 'k%.0s', ...Array(32).fill('x')] });
    expect(Buffer.from(bytes).toString()).toBe('k'.repeat(32));
    expect(bytes.buffer.byteLength).toBe(32);
  });

  test.each<[string, [string, ...string[]], string]>([
    ['too little', ['printf', 'short'], 'printed 5 bytes, not 32'],
    ['a line end too many', ['echo', 'x'.repeat(32)], 'printed 33 bytes, not 32'],
    ['far too much', ['head', '-c', '5000', '/dev/zero'], 'printed more than a key'],
    ['a failure', ['false'], 'ended with status 1'],
    ['no such program', ['/nonexistent/program'], 'could not be run (ENOENT)'],
  ])('%s is refused', async (_, command, message) => {
    await expect(loadRootKey({ command })).rejects.toMatchObject({
      code: 'KEY_INVALID',
      message: expect.stringContaining(message),
    });
  });

  test('what the program says on its way out is not repeated', async () => {
    const command = ['sh', '-c', 'echo a-secret-word >&2; exit 3'] as const;
    const failure = await loadRootKey({ command }).catch(String);
    expect(failure).toContain('ended with status 3');
    expect(failure).not.toContain('a-secret-word');
  });
});

function write(bytes: Uint8Array, mode = 0o600): void {
  mkdirSync(join(folder, 'keys'));
  writeFileSync(file, bytes);
  chmodSync(file, mode);
}

async function refused(message: string): Promise<void> {
  await expect(loadRootKey({ file, mayCreate: true })).rejects.toMatchObject({
    code: 'KEY_INVALID',
    message: expect.stringContaining(message),
  });
}
