import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { neverAsked, type Programme } from '../../consent/consent.ts';
import {
  batchOf,
  granted,
  grantOf,
  numbered,
  programmeAfter,
  uuid,
  withdrawal,
} from '../../test/fakes/programmes.ts';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { layoutOf } from '../process/environment.ts';
import { readProgramme, writeProgramme } from './consent-file.ts';

const sending = programmeAfter([{ kind: 'sending', batch: batchOf() }], granted);
const withdrawn = programmeAfter([withdrawal(numbered())], sending);
const left = programmeAfter([{ kind: 'wiped' }], withdrawn);

function device(...written: readonly Programme[]) {
  const places = layoutOf(join(temporaryFolder(), 'data'));
  for (const programme of written) writeProgramme(places, programme);
  return places;
}

test('S0-1 a device that was never asked has no file, and looking for one makes none', () => {
  const places = device();
  expect(readProgramme(places)).toEqual({ kind: 'absent', programme: neverAsked, faults: [] });
  expect(existsSync(join(places.consent[0], '..', '..'))).toBe(false);
});

test('S0-1 records that lie there with no consent beside them are to be erased', () => {
  const places = device();
  mkdirSync(places.ueip, { recursive: true });
  const found = readProgramme(places);
  expect(found).toMatchObject({ kind: 'none', programme: { ...neverAsked, wipe: 'due' } });
  expect(found.faults).toEqual(places.consent.map((path) => `${path}: is missing`));
});

test.each<[string, Programme]>([
  ['a grant', granted],
  ['what may have been sent', sending],
  ['a withdrawal', withdrawn],
  ['that everything is erased', left],
])('%s is found as it was written, in two copies that only the owner may read', (_, programme) => {
  const places = device(programme);
  expect(writeProgramme(places, programme)).toEqual({ kind: 'both' });
  expect(readProgramme(places)).toEqual({ kind: 'whole', programme, faults: [] });
  const [one, two] = places.consent;
  expect(readFileSync(one)).toEqual(readFileSync(two));
  expect([one, two].map((path) => statSync(path).mode & 0o777)).toEqual([0o600, 0o600]);
  expect(statSync(join(one, '..')).mode & 0o777).toBe(0o700);
  expect(readdirSync(join(one, '..'))).toEqual(['ueip.1', 'ueip.2']);
});

test('a withdrawal is written where the grant stood, and leaves nothing of its number', () => {
  const places = device(granted);
  const before = places.consent.map((path) => statSync(path));
  writeProgramme(places, programmeAfter([withdrawal()], granted));
  for (const [index, path] of places.consent.entries()) {
    const { ino, size } = statSync(path);
    expect([ino, size]).toEqual([before[index]?.ino, before[index]?.size]);
    expect(readFileSync(path, 'utf8')).not.toContain(uuid(1));
  }
});

test('a longer file than is needed keeps its size, and nothing of what stood there', () => {
  const keys = Array.from({ length: 200 }, (_, n) => `key-of-the-object-${n}`);
  const sent = keys.map((objectKey, n) => ({
    ...batchOf({ batchId: `batch-${n}`, objectKey }),
    state: 'stored' as const,
  }));
  const places = device({ ...granted, sent });
  const { size } = statSync(places.consent[0]);
  expect(size).toBeGreaterThan(100_000);
  writeProgramme(places, { ...left, sent: [], orders: [] });
  for (const path of places.consent) {
    expect(statSync(path).size).toBe(size);
    expect(readFileSync(path, 'utf8')).not.toContain('key-of-the-object');
  }
  expect(readProgramme(places).programme).toEqual({ ...left, sent: [], orders: [] });
});

describe('a grant does not count', () => {
  const damages: Readonly<Record<string, (path: string) => void>> = {
    'is missing': (path) => rmSync(path),
    'is no copy of a consent': (path) => truncateSync(path, 0),
    'is cut short': (path) => truncateSync(path, 200),
    'was changed, or written only in part': (path) =>
      writeFileSync(path, readFileSync(path, 'utf8').replace('granted', 'grunted')),
    'is not a regular file': (path) => {
      rmSync(path);
      mkdirSync(path);
    },
    'cannot be read (ELOOP)': (path) => {
      writeFileSync(`${path}.real`, readFileSync(path));
      rmSync(path);
      symlinkSync(`${path}.real`, path);
    },
    'others than its owner may write it': (path) => chmodSync(path, 0o622),
    'is too large': (path) => truncateSync(path, (16 << 20) + 1),
  };

  test.each(Object.keys(damages).flatMap((fault) => [0, 1].map((copy) => [fault, copy] as const)))(
    'where a copy %s (%i): what lies there is erased, what may lie in the cloud is not forgotten',
    (fault, copy) => {
      const places = device(sending);
      const path = places.consent[copy] ?? '';
      damages[fault]?.(path);
      expect(readProgramme(places)).toEqual({
        kind: 'none',
        programme: { ...sending, consent: { state: 'never-asked' }, wipe: 'due' },
        faults: [`${path}: ${fault}`],
      });
    },
  );

  test('where both copies are damaged', () => {
    const places = device(sending);
    for (const path of places.consent) damages['is cut short']?.(path);
    const { kind, programme, faults } = readProgramme(places);
    expect([kind, programme, faults.length]).toEqual(['none', { ...neverAsked, wipe: 'due' }, 2]);
  });

  test('of which one copy was put back from an earlier day', () => {
    const places = device(granted);
    const old = readFileSync(places.consent[0]);
    writeProgramme(places, programmeAfter([withdrawal()], granted));
    writeFileSync(places.consent[0], old);
    expect(readProgramme(places)).toMatchObject({
      kind: 'mended',
      programme: { consent: { state: 'withdrawn' } },
    });
  });
});

test.each([0, 1])('a withdrawal counts from the copy that is left (%i)', (copy) => {
  const places = device(withdrawn);
  truncateSync(places.consent[copy] ?? '', 10);
  expect(readProgramme(places)).toMatchObject({ kind: 'mended', programme: withdrawn });
  expect(writeProgramme(places, withdrawn)).toEqual({ kind: 'both' });
  expect(readProgramme(places)).toEqual({ kind: 'whole', programme: withdrawn, faults: [] });
});

test("a copy that others may write is its owner's again after the next writing", () => {
  const places = device(granted);
  chmodSync(places.consent[1], 0o666);
  writeProgramme(places, withdrawn);
  expect(statSync(places.consent[1]).mode & 0o777).toBe(0o600);
});

test('a link in the place of a copy is not followed when it is written', () => {
  const places = device(granted);
  const other = join(temporaryFolder(), 'other');
  writeFileSync(other, 'of somebody else');
  rmSync(places.consent[1]);
  symlinkSync(other, places.consent[1]);
  expect(() => writeProgramme(places, sending)).toThrow(
    expect.objectContaining({ code: 'STORE_FAILED', message: expect.stringContaining('ueip.2') }),
  );
  expect(readFileSync(other, 'utf8')).toBe('of somebody else');
  expect(writeProgramme(places, withdrawn)).toMatchObject({
    kind: 'one',
    fault: { code: 'STORE_FAILED' },
  });
  expect(readProgramme(places)).toMatchObject({ kind: 'mended', programme: withdrawn });
});

test('what it would not read again is not written', () => {
  const places = device(granted);
  const consent = { state: 'granted', ...grantOf({ consentId: 'the serial number' }) } as const;
  expect(() => writeProgramme(places, { ...granted, consent })).toThrow(TypeError);
  expect(readProgramme(places)).toEqual({ kind: 'whole', programme: granted, faults: [] });
});
