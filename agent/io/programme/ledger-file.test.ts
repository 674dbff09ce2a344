import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemError, withFailingCalls } from '../../test/fakes/failing-calls.ts';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import type { LedgerEvent } from '../../ueip/ledger-events.ts';
import { openLedger } from './ledger-file.ts';

const dayMs = 86_400_000;
const paused: LedgerEvent = { what: 'policy-paused', policyVersion: '2026-11' };
const request: LedgerEvent = {
  what: 'request',
  method: 'PUT',
  host: 'bucket.example',
  objectKeyHash: 'a'.repeat(64),
  bodySha256: 'b'.repeat(64),
  bytes: 1000,
  status: 200,
};

function ledgerIn(folder: string, maxBytes = 1 << 20) {
  const file = join(folder, 'ledger.jsonl');
  let now = Date.UTC(2027, 0, 1);
  const ledger = openLedger({ file, clock: { wallMs: () => now }, maxBytes });
  const whats = () => ledger.entries().map(({ what }) => what);
  return { file, ledger, whats, passDays: (days: number) => (now += days * dayMs) };
}

test('nothing is made before the first entry; then a file for its owner only', () => {
  const folder = temporaryFolder();
  const { file, ledger } = ledgerIn(folder);
  expect(ledger.verify()).toMatchObject({ kind: 'intact', entries: 0 });
  expect([ledger.entries(), ledger.head(), ledger.expire(true)]).toEqual([[], undefined, 0]);
  ledger.append([]);
  expect(readdirSync(folder)).toEqual([]);
  ledger.append([paused, request]);
  expect(ledger.verify()).toMatchObject({ kind: 'intact', entries: 2, head: ledger.head() });
  expect(ledger.head()?.n).toBe(2);
  for (const name of readdirSync(folder))
    expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(3);
});

test('wherever power was lost while a line was written, the rest stands and an entry says what happened', () => {
  const { file, ledger } = ledgerIn(temporaryFolder());
  ledger.append([paused]);
  const before = readFileSync(file);
  const head = readFileSync(`${file}.head`);
  ledger.append([request]);
  const after = readFileSync(file);
  const whole = after.length;
  const sizes = [before.length, before.length + 1, whole - 3, whole - 2, whole - 1, whole];
  for (let size = before.length + 2; size < whole - 3; size += 17) sizes.push(size);
  for (const size of sizes) {
    const again = ledgerIn(temporaryFolder());
    writeFileSync(again.file, after.subarray(0, size));
    writeFileSync(`${again.file}.head`, head);
    expect(again.ledger.verify().kind).toBe('intact');
    again.ledger.append([paused]);
    expect(again.ledger.verify().kind).toBe('intact');
    const torn = size - before.length;
    if (torn === 0) expect(again.whats()).toEqual(['policy-paused', 'policy-paused']);
    else if (torn >= after.length - before.length - 1) {
      expect(again.whats()).toEqual(['policy-paused', 'request', 'policy-paused']);
    } else {
      expect(again.whats()).toEqual(['policy-paused', 'repaired', 'policy-paused']);
      expect(again.ledger.entries()[1]).toMatchObject({ droppedBytes: torn });
    }
  }
});

test('zeros at its end, as a file system leaves them after a power loss, are half a line', () => {
  const { file, ledger, whats } = ledgerIn(temporaryFolder());
  ledger.append([paused]);
  appendFileSync(file, Buffer.alloc(7000));
  for (let n = 0; n < 2; n++) ledger.append([paused]);
  expect(whats()).toEqual(['policy-paused', 'repaired', 'policy-paused', 'policy-paused']);
  expect(readFileSync(file).includes(0)).toBe(false);
  expect(ledger.verify().kind).toBe('intact');
});

test('entries cut off at the end are told, also after the next was written, and for as long as it is kept', () => {
  const { file, ledger, whats, passDays } = ledgerIn(temporaryFolder());
  ledger.append([paused, request]);
  const { size } = statSync(file);
  ledger.append([request]);
  truncateSync(file, size);
  expect(ledger.verify()).toMatchObject({ kind: 'broken', why: 'truncated' });
  for (let n = 0; n < 3; n++) ledger.append([paused]);
  expect(whats().filter((what) => what === 'damage-found')).toHaveLength(2);
  expect(ledger.verify()).toMatchObject({ kind: 'broken', why: 'removed' });
  passDays(40);
  expect(ledger.expire(true)).toBe(1);
  expect(ledger.verify()).toMatchObject({ kind: 'broken', why: 'damage-found' });
});

test.each([
  ['the file', ''],
  ['its head', '.head'],
])('%s that was removed is told', (_, suffix) => {
  const { file, ledger } = ledgerIn(temporaryFolder());
  ledger.append([paused, request]);
  rmSync(file + suffix);
  expect(ledger.verify().kind).toBe('broken');
  ledger.append([request]);
  expect(ledger.verify().kind).toBe('broken');
});

test('an older copy of the file put in its place is told', () => {
  const { file, ledger } = ledgerIn(temporaryFolder());
  ledger.append([paused]);
  copyFileSync(file, `${file}.old`);
  ledger.append([request]);
  copyFileSync(`${file}.old`, file);
  expect(ledger.verify()).toMatchObject({ kind: 'broken', why: 'truncated' });
});

test('one of the two heads may be damaged', () => {
  const { file, ledger } = ledgerIn(temporaryFolder());
  for (let n = 0; n < 5; n++) ledger.append([request]);
  const heads = readFileSync(`${file}.head`);
  const whole = readFileSync(file, 'utf8');
  for (const at of [0, 4096]) {
    writeFileSync(`${file}.head`, Buffer.from(heads).fill(0, at, at + 256));
    expect(ledger.verify()).toMatchObject({ kind: 'intact', entries: 5 });
    writeFileSync(file, whole.split('\n').slice(0, 3).join('\n'));
    expect(ledger.verify()).toMatchObject({ kind: 'broken', why: 'truncated' });
    writeFileSync(file, whole);
  }
  writeFileSync(`${file}.head`, Buffer.alloc(heads.length));
  expect(ledger.verify()).toMatchObject({ kind: 'broken', why: 'head-missing' });
});

test('a hundred nights stay within its cap, and are a chain all the time', () => {
  const { file, ledger, passDays } = ledgerIn(temporaryFolder(), 8_000);
  ledger.append([paused]);
  for (let day = 0; day < 100; day++) {
    ledger.append([request, request]);
    passDays(1);
    if (day % 7 === 0) ledger.expire(day % 2 === 0);
    expect(statSync(file).size).toBeLessThan(9_500);
    expect(ledger.verify().kind).toBe('intact');
  }
  expect(ledger.entries()[0]?.what).toBe('policy-paused');
  expect(readdirSync(join(file, '..')).toSorted()).toEqual(['ledger.jsonl', 'ledger.jsonl.head']);
});

test.each(['EIO', 'ENOSPC', 'EROFS'] as const)(
  'whichever call fails (%s), the history stays whole and takes the next entry',
  async (code) => {
    for (const work of ['append', 'expire', 'first'] as const) {
      for (let n = 1; ; n++) {
        const { file, ledger, whats, passDays } = ledgerIn(temporaryFolder());
        if (work !== 'first') ledger.append([paused, request, request]);
        if (work === 'expire') passDays(32);
        const { outcome, calls } = await withFailingCalls(
          (call) => (call.n === n ? systemError(code) : undefined),
          () => {
            try {
              if (work === 'expire') ledger.expire(true);
              else ledger.append([paused]);
              return 'done';
            } catch (fault) {
              return fault;
            }
          },
        );
        if (outcome !== 'done') {
          expect(outcome).toMatchObject({ message: expect.stringContaining(file) });
        }
        expect(ledger.verify().kind, `${work}, call ${n}`).toBe('intact');
        ledger.append([request]);
        expect(ledger.verify().kind).toBe('intact');
        if (work === 'append')
          expect(whats().slice(0, 3)).toEqual(['policy-paused', 'request', 'request']);
        if (calls.length < n) break;
        expect(n).toBeLessThan(60);
      }
    }
  },
);

test('what has become of a process that died at any call is a history that goes on', async () => {
  for (let n = 1; ; n++) {
    const { file, ledger, passDays } = ledgerIn(temporaryFolder());
    ledger.append([paused, request]);
    passDays(32);
    const { calls } = await withFailingCalls(
      (call) => (call.n >= n ? systemError('EIO') : undefined),
      () => {
        try {
          ledger.expire(true);
          ledger.append([paused]);
        } catch {
          // It is dead.
        }
      },
    );
    expect(existsSync(file)).toBe(true);
    expect(ledger.verify().kind, `call ${n}`).toBe('intact');
    ledger.append([request]);
    expect(ledger.verify().kind).toBe('intact');
    if (calls.length < n) break;
  }
});
