import { existsSync, readdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { systemError, withFailingCalls } from '../../test/fakes/failing-calls.ts';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { createEpochKey } from '../programme/epoch-key.ts';
import { readSealedFile, writeSealedFile } from './sealed-file.ts';

function place() {
  const own = temporaryFolder();
  const keyFile = join(own, 'epoch.key');
  createEpochKey(keyFile);
  return { own, keyFile, path: join(own, 'inner', 'memory') };
}
const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString();

test('what was sealed comes back, and the same content never looks the same twice', () => {
  const { keyFile, path } = place();
  const seen = [1, 2].map(() => {
    writeSealedFile(path, Buffer.from('the content'), keyFile);
    expect(text(readSealedFile(path, keyFile))).toBe('the content');
    return readFileSync(path, 'hex');
  });
  expect(seen[0]).not.toBe(seen[1]);
  expect(seen.join()).not.toContain(Buffer.from('the content').toString('hex'));
  expect(readdirSync(dirname(path))).toEqual(['memory']);
});

test('it is bound to its name: no other file can be put in its place', () => {
  const { keyFile, path } = place();
  writeSealedFile(path, Buffer.from('one'), keyFile);
  renameSync(path, `${path}-2`);
  expect(readSealedFile(`${path}-2`, keyFile)).toBeUndefined();
  expect(readSealedFile(path, keyFile)).toBeUndefined();
});

test.each(['writeSync', 'fsyncSync', 'renameSync'])(
  'where %s fails, what stood there before is whole, and nothing half written is left',
  async (failing) => {
    const { keyFile, path } = place();
    writeSealedFile(path, Buffer.from('before'), keyFile);
    const { outcome } = await withFailingCalls(
      ({ name }) => (name === failing ? systemError('ENOSPC') : undefined),
      () => {
        try {
          return writeSealedFile(path, Buffer.from('after'), keyFile);
        } catch (fault) {
          return fault;
        }
      },
    );
    expect(outcome).toMatchObject({ code: 'STORE_FULL' });
    expect(text(readSealedFile(path, keyFile))).toBe('before');
    expect(readdirSync(dirname(path))).toEqual(['memory']);
  },
);

test('a link that somebody has put beside it is not followed', () => {
  const { own, keyFile, path } = place();
  writeSealedFile(path, Buffer.from('before'), keyFile);
  symlinkSync(join(own, 'elsewhere'), `${path}.tmp`);
  expect(() => writeSealedFile(path, Buffer.from('after'), keyFile)).toThrow(/memory/);
  expect(existsSync(join(own, 'elsewhere'))).toBe(false);
  // It is out of the way now.
  writeSealedFile(path, Buffer.from('after'), keyFile);
  expect(text(readSealedFile(path, keyFile))).toBe('after');
});
