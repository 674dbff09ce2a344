import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { waitingBatch } from '../../test/contracts/outbox-contract.ts';
import { systemError, withFailingCalls } from '../../test/fakes/failing-calls.ts';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { writtenBy } from '../../test/fakes/written-bytes-log.ts';
import { writeSealedFile } from '../files/sealed-file.ts';
import { createEpochKey } from './epoch-key.ts';
import { openOutbox } from './outbox.ts';

function opened() {
  const own = temporaryFolder();
  const keyFile = join(own, 'epoch.key');
  const folder = join(own, 'outbox');
  createEpochKey(keyFile);
  const batch = waitingBatch(1);
  return { outbox: openOutbox(folder, keyFile), folder, keyFile, batch, fileOf: fileIn(folder) };
}
const fileIn = (folder: string) => (id: string) => join(folder, `${id}.batch`);

test('what waits is there after a restart, and reads like noise', () => {
  const { outbox, folder, keyFile, batch, fileOf } = opened();
  outbox.add(batch);
  expect(openOutbox(folder, keyFile).waiting()).toEqual([batch]);
  const content = readFileSync(fileOf(batch.id));
  expect(content.includes(Buffer.from(batch.bytes))).toBe(false);
  expect(content.toString('latin1')).not.toContain('policyVersion');
  expect(statSync(fileOf(batch.id)).mode & 0o777).toBe(0o600);
});

test('S0-1 without a key nothing is kept, and no folder made', () => {
  const { outbox, folder, keyFile, batch } = opened();
  rmSync(keyFile);
  expect(() => outbox.add(batch)).toThrow(/there is no key/);
  expect(existsSync(folder)).toBe(false);
  expect(outbox.waiting()).toEqual([]);
});

test('S0-29 what is removed is overwritten before', () => {
  const { outbox, batch, fileOf } = opened();
  outbox.add(batch);
  const file = fileOf(batch.id);
  const { size } = statSync(file);
  const written = writtenBy(() => outbox.remove(batch.id));
  const zeros = written.filter(({ path }) => path === file).flatMap(({ bytes }) => [...bytes]);
  expect(zeros.length).toBeGreaterThan(0);
  expect(Math.max(...zeros)).toBe(0);
  expect(zeros.length).toBe(size);
});

const damages: Record<string, (file: string, keyFile: string) => void> = {
  'is cut off': (file) => writeFileSync(file, readFileSync(file).subarray(0, -1)),
  'is empty': (file) => writeFileSync(file, ''),
  'was changed in one bit': (file) => {
    const bytes = readFileSync(file);
    bytes[bytes.length - 3] = (bytes.at(-3) ?? 0) ^ 4;
    writeFileSync(file, bytes);
  },
  'is sealed under a key that is gone': (_, keyFile) => {
    rmSync(keyFile);
    createEpochKey(keyFile);
  },
  'is of a version that says other things': (file, keyFile) =>
    writeSealedFile(file, Buffer.from('{"id":3}\nbytes'), keyFile),
  'is another one than its name says': (file, keyFile) => {
    const { bytes, ...head } = waitingBatch(2);
    const line = Buffer.from(`${JSON.stringify(head)}\n`);
    writeSealedFile(file, Buffer.concat([line, bytes]), keyFile);
  },
  'has no line': (file, keyFile) => writeSealedFile(file, Buffer.from('{}'), keyFile),
  'is no JSON': (file, keyFile) => writeSealedFile(file, Buffer.from('x\ny'), keyFile),
  'holds other bytes than it says': (file, keyFile) => {
    const { bytes, ...head } = waitingBatch(1);
    const line = Buffer.from(`${JSON.stringify(head)}\n`);
    writeSealedFile(file, Buffer.concat([line, bytes, bytes]), keyFile);
  },
};

test.each(Object.entries(damages))(
  'one that %s is erased: its records are still there',
  (_, damage) => {
    const { outbox, batch, folder, keyFile, fileOf } = opened();
    outbox.add(batch);
    damage(fileOf(batch.id), keyFile);
    expect(outbox.waiting()).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  },
);

test('one under another name is not sent: neither a copy nor what a crash has left half written', () => {
  const { outbox, batch, folder, fileOf } = opened();
  outbox.add(batch);
  copyFileSync(fileOf(batch.id), fileOf('f'.repeat(32)));
  copyFileSync(fileOf(batch.id), `${fileOf(batch.id)}.tmp`);
  expect(outbox.waiting()).toEqual([batch]);
  expect(readdirSync(folder)).toEqual([`${batch.id}.batch`]);
  renameSync(fileOf(batch.id), fileOf('e'.repeat(32)));
  expect(outbox.waiting()).toEqual([]);
});

test('what cannot be read now is not taken for damaged: nothing is sent instead of it, nothing erased', async () => {
  const { outbox, batch, folder } = opened();
  outbox.add(batch);
  const { outcome } = await withFailingCalls(
    ({ name }) => (name === 'readSync' || name === 'openSync' ? systemError('EIO') : undefined),
    () => {
      try {
        return outbox.waiting();
      } catch (fault) {
        return fault;
      }
    },
  );
  expect(outcome).toMatchObject({ code: /^(KEY|STORE)_/ });
  expect(readdirSync(folder)).toHaveLength(1);
  expect(outbox.waiting()).toEqual([batch]);
});

test('whichever call fails while one is added: it is there whole, or not at all', async () => {
  for (let n = 1; ; n++) {
    const { outbox, batch, folder } = opened();
    const { calls } = await withFailingCalls(
      (call) => (call.n === n ? systemError('ENOSPC') : undefined),
      () => {
        try {
          outbox.add(batch);
        } catch (fault) {
          expect(fault).toMatchObject({ code: /^(KEY|STORE)_/ });
        }
      },
    );
    const waiting = outbox.waiting();
    if (waiting.length > 0) expect(waiting).toEqual([batch]);
    expect(existsSync(folder) ? readdirSync(folder).length : 0).toBe(waiting.length);
    outbox.add(batch);
    expect(outbox.waiting()).toEqual([batch]);
    if (calls.length < n) break;
    expect(n).toBeLessThan(50);
  }
});
