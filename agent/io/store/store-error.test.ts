import { expect, test } from 'vitest';
import { AgentError } from '../../errors.ts';
import { storeError } from './store-error.ts';

test.each([
  ['SQLITE_CORRUPT', 'STORE_CORRUPT'],
  ['SQLITE_CORRUPT_INDEX', 'STORE_CORRUPT'],
  ['SQLITE_NOTADB', 'STORE_CORRUPT'],
  ['SQLITE_FULL', 'STORE_FULL'],
  ['ENOSPC', 'STORE_FULL'],
  ['EDQUOT', 'STORE_FULL'],
  ['SQLITE_READONLY', 'STORE_READ_ONLY'],
  ['SQLITE_READONLY_DIRECTORY', 'STORE_READ_ONLY'],
  ['SQLITE_PERM', 'STORE_READ_ONLY'],
  ['EROFS', 'STORE_READ_ONLY'],
  ['EACCES', 'STORE_READ_ONLY'],
  ['EPERM', 'STORE_READ_ONLY'],
  ['SQLITE_BUSY', 'STORE_FAILED'],
  ['SQLITE_IOERR_WRITE', 'STORE_FAILED'],
  ['SQLITE_CONSTRAINT_UNIQUE', 'STORE_FAILED'],
  ['EIO', 'STORE_FAILED'],
])('%s becomes %s, and names the file', (code, expected) => {
  const cause = Object.assign(new Error('what happened'), { code });
  const error = storeError(cause, '/data/gallery.db');
  expect(error).toBeInstanceOf(AgentError);
  expect(error).toMatchObject({ code: expected, cause });
  expect(String(error)).toMatch(/\/data\/gallery\.db.*what happened$/);
});

test('what comes from no file passes as it is', () => {
  const mistake = new TypeError('a mistake');
  const known = new AgentError('KEY_INVALID', 'known');
  expect(storeError(mistake, 'f')).toBe(mistake);
  expect(storeError(known, 'f')).toBe(known);
  expect(storeError('text', 'f')).toBe('text');
});
