import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AgentError } from '../../errors.ts';
import type { RecordStore } from '../../ports.ts';
import { systemError, withFailingCalls } from '../../test/fakes/failing-calls.ts';
import { memoryRecordStore } from '../../test/fakes/memory-record-store.ts';
import { someRecords } from '../../test/fakes/some-record.ts';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { diskErasure } from './ueip-erasure.ts';

function places() {
  const ueip = join(temporaryFolder(), 'ueip');
  mkdirSync(ueip);
  return { ueip, records: join(ueip, 'records.db'), epochKey: join(ueip, 'epoch.key') };
}

/** A store that cannot delete, and says why as SQLite and storeError do. */
function stuckStore(code: string): { store: RecordStore; closed: () => boolean } {
  let isClosed = false;
  const cause = Object.assign(new Error('database is locked'), { code });
  const store: RecordStore = {
    ...memoryRecordStore(),
    purge() {
      throw new AgentError('STORE_FAILED', 'records.db is held by another process', { cause });
    },
    close() {
      isClosed = true;
    },
  };
  return { store, closed: () => isClosed };
}

test('each step says what it did, and the second time that there was nothing to do', async () => {
  const at = places();
  for (const path of [at.records, `${at.records}-wal`]) writeFileSync(path, 'x'.repeat(100));
  writeFileSync(at.epochKey, Buffer.alloc(32, 1));
  const store = memoryRecordStore();
  store.append(someRecords(7));
  const { key, rows, files } = diskErasure(at, store);
  expect(await key()).toEqual({ result: 'done', bytes: 32 });
  expect(await rows()).toEqual({ result: 'done', rows: 7 });
  expect(await files()).toEqual({ result: 'done', bytes: 200 });
  expect(existsSync(at.ueip)).toBe(false);
  const again = diskErasure(at, undefined);
  expect(await again.key()).toEqual({ result: 'nothing-there' });
  expect(await again.rows()).toEqual({ result: 'nothing-there', code: 'not-open' });
  expect(await again.files()).toEqual({ result: 'nothing-there' });
});

test('rows that another process holds are busy, those of a broken medium have failed; the store is closed', async () => {
  const busy = stuckStore('SQLITE_BUSY');
  const { rows } = diskErasure(places(), busy.store);
  expect(await rows()).toEqual({ result: 'busy', code: 'STORE_FAILED' });
  expect(busy.closed()).toBe(true);
  const broken = stuckStore('SQLITE_IOERR');
  const other = diskErasure(places(), broken.store);
  expect(() => other.rows()).toThrow(expect.objectContaining({ code: 'STORE_FAILED' }));
  expect(broken.closed()).toBe(true);
});

test('where the database cannot be overwritten, the rest of the folder goes all the same', async () => {
  const at = places();
  for (const name of ['records.db', 'outbox', 'other']) writeFileSync(join(at.ueip, name), 'x');
  let opened = 0;
  const attempt = withFailingCalls(
    ({ name }) => (name === 'writeSync' && ++opened <= 2 ? systemError('EIO') : undefined),
    () => diskErasure(at, undefined).files(),
  );
  await expect(attempt).rejects.toMatchObject({ code: 'STORE_FAILED' });
  const left = ['records.db', 'outbox', 'other'].filter((name) => existsSync(join(at.ueip, name)));
  expect(left).toHaveLength(1);
});

test('on a file system that has no room to overwrite, the files go and the report says how', async () => {
  const at = places();
  writeFileSync(at.records, 'x');
  const { outcome } = await withFailingCalls(
    ({ name }) => (name === 'writeSync' ? systemError('ENOSPC') : undefined),
    () => diskErasure(at, undefined).files(),
  );
  expect(outcome).toEqual({ result: 'done', bytes: 0, code: 'not-overwritten' });
  expect(existsSync(at.ueip)).toBe(false);
});
