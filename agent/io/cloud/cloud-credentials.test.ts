import { chmodSync, chownSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { geteuid } from 'node:process';
import { describe, expect, test } from 'vitest';
import { AgentError } from '../../errors.ts';
import { makeFifo } from '../../test/fakes/fifo.ts';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { readCredentials } from './cloud-credentials.ts';

const nowMs = Date.UTC(2026, 10, 22);
const pair = { accessKeyId: 'AK', secretAccessKey: 'very secret' };

function written(content: unknown, mode = 0o600): string {
  const file = join(temporaryFolder(), 'credentials.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  chmodSync(file, mode);
  return file;
}
function refusal(file: string): string {
  try {
    readCredentials(file, nowMs);
  } catch (fault) {
    if (fault instanceof AgentError && fault.code === 'CREDENTIALS_INVALID') return fault.message;
    throw fault;
  }
  throw new Error('it was accepted');
}

test('a lasting pair, and one of the token service until it ends', () => {
  const lasting = { ...pair, secretAccessKey: 'secret' };
  expect(readCredentials(written(lasting), nowMs)).toEqual({ ...lasting, sessionToken: null });
  const lent = { ...lasting, sessionToken: 'token', expiresAt: '2026-11-22T00:00:01Z' };
  const file = written(lent);
  expect(readCredentials(file, nowMs).sessionToken).toBe('token');
  expect(() => readCredentials(file, nowMs + 1000)).toThrow(/expired/);
});

test('what replaces the file is used at once', () => {
  const file = written({ accessKeyId: 'one', secretAccessKey: 'x' });
  expect(readCredentials(file, nowMs).accessKeyId).toBe('one');
  writeFileSync(file, JSON.stringify({ accessKeyId: 'two', secretAccessKey: 'x' }));
  expect(readCredentials(file, nowMs).accessKeyId).toBe('two');
});

describe('is refused', () => {
  test.each([0o640, 0o604, 0o620, 0o644, 0o610, 0o666])('with mode %o', (mode) => {
    expect(refusal(written(pair, mode))).toMatch(/has mode \d+, not 600/);
  });

  test.runIf(geteuid?.() === 0)('if it belongs to somebody else', () => {
    const file = written(pair);
    chownSync(file, 12345, 12345);
    expect(refusal(file)).toMatch(/belongs to user 12345/);
  });

  test('if it is no regular file', () => {
    const link = join(temporaryFolder(), 'link');
    symlinkSync(written(pair), link);
    expect(refusal(link)).toMatch(/symbolic link/);
    expect(refusal(temporaryFolder())).toMatch(/not a regular file/);
    const pipe = join(temporaryFolder(), 'pipe');
    makeFifo(pipe);
    expect(refusal(pipe)).toMatch(/not a regular file/);
    expect(refusal(join(temporaryFolder(), 'absent'))).toMatch(/cannot be read \(ENOENT\)/);
  });

  test.each([
    ['not JSON', '{very secret'],
    ['too long', ' '.repeat(20_000)],
    ['no object', ['very secret']],
    ['without the secret', { accessKeyId: 'very secret' }],
    ['with more than it should have', { ...pair, secretAccessKey: 'x', password: 'very secret' }],
    ['with a line feed', { accessKeyId: 'a', secretAccessKey: 'very secret\r\nx-evil: 1' }],
    ['with an empty secret', { accessKeyId: 'very secret', secretAccessKey: '' }],
    ['with a date that is none', { accessKeyId: 'a', secretAccessKey: 'b', expiresAt: '-' }],
  ])('if it is %s, and nothing of it is repeated', (_what, content) => {
    const said = refusal(written(content));
    expect(said).toContain('credentials.json');
    expect(said).not.toContain('secret');
  });
});
