import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Programme } from '../../consent/consent.ts';
import { systemError, withFailingCalls } from '../../test/fakes/failing-calls.ts';
import { loopVolume, noLoopVolume } from '../../test/fakes/loop-volume.ts';
import {
  batchOf,
  granted,
  grantOf,
  numbered,
  programmeAfter,
  today,
  uuid,
  withdrawal,
} from '../../test/fakes/programmes.ts';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { systemCode } from '../files/file-fault.ts';
import { layoutOf } from '../process/environment.ts';
import { readProgramme, writeProgramme } from './consent-file.ts';

const sending = programmeAfter([{ kind: 'sending', batch: batchOf() }], granted);
const withdrawn = programmeAfter([withdrawal(numbered())], sending);
const left = programmeAfter([{ kind: 'wiped' }], withdrawn);
const elsewhere = { ...today, region: 'cn-hangzhou' };
const inTheOther = grantOf({ consentId: uuid(2), region: 'cn-hangzhou' });
const again = programmeAfter([{ kind: 'grant', grant: inTheOther }], sending, elsewhere);

const changes: Readonly<Record<string, readonly [Programme | undefined, Programme]>> = {
  'the first grant': [undefined, granted],
  'a mark': [granted, sending],
  'a grant in the place of another': [sending, again],
  'a withdrawal': [sending, withdrawn],
  'the end of an erasure': [withdrawn, left],
};

type Places = ReturnType<typeof layoutOf>;

/** How it came out, as one word. */
async function tried(places: Places, to: Programme, fate: Parameters<typeof withFailingCalls>[0]) {
  let outcome = 'failed';
  const { calls } = await withFailingCalls(fate, () => {
    try {
      outcome = writeProgramme(places, to).kind;
    } catch (cause) {
      expect(cause).toMatchObject({ code: expect.stringMatching(/^STORE_/) });
    }
  });
  return { outcome, calls };
}

describe.each(Object.keys(changes))('%s', (name) => {
  const [from, to] = changes[name] ?? [];
  if (!to) throw new Error('no such change');

  test.each(['EIO', 'ENOSPC', 'EROFS'] as const)(
    'is done, or not done, whichever call fails with %s',
    async (code) => {
      const outcomes = new Set<string>();
      for (let fails = 1; ; fails++) {
        const places = layoutOf(join(temporaryFolder(), 'data'));
        if (from) writeProgramme(places, from);
        const fate = ({ n }: { n: number }) => (n === fails ? systemError(code) : undefined);
        const { outcome, calls } = await tried(places, to, fate);
        const { programme } = readProgramme(places);
        const where = `${outcome} after call ${fails}, ${calls[fails - 1]}`;
        outcomes.add(outcome);
        if (outcome !== 'failed') {
          expect(programme, where).toEqual(to);
        } else if (programme.consent.state === 'granted') {
          // Only what counted before: what failed is no grant.
          expect(programme.consent, where).toEqual(from?.consent);
        }
        if (calls.length < fails) break;
      }
      expect(outcomes).toContain('both');
      expect(outcomes).toContain(to.consent.state === 'granted' ? 'failed' : 'one');
    },
  );

  test('is on the medium when it is reported: one copy after the other', async () => {
    const places = layoutOf(join(temporaryFolder(), 'data'));
    if (from) writeProgramme(places, from);
    const { calls } = await tried(places, to, () => undefined);
    const kept = calls.filter((call) => call === 'writeSync' || call === 'fsyncSync');
    expect(kept.slice(-4)).toEqual(['writeSync', 'fsyncSync', 'writeSync', 'fsyncSync']);
  });
});

test('a first grant that could not be written leaves no file', async () => {
  const places = layoutOf(temporaryFolder());
  const fate = ({ name }: { name: string }) =>
    name === 'writeSync' ? systemError('ENOSPC') : undefined;
  expect((await tried(places, granted, fate)).outcome).toBe('failed');
  expect(places.consent.map((path) => existsSync(path))).toEqual([false, false]);
  expect(readProgramme(places).kind).toBe('absent');
});

test('a mark for which there is no room leaves both copies as they were', async () => {
  const places = layoutOf(temporaryFolder());
  writeProgramme(places, granted);
  const before = places.consent.map((path) => readFileSync(path));
  const sent = Array.from({ length: 50 }, (_, n) => ({
    ...batchOf({ batchId: `batch-${n}` }),
    state: 'maybe' as const,
  }));
  let writes = 0;
  // The second copy finds none.
  const fate = ({ name }: { name: string }) =>
    name === 'writeSync' && ++writes === 2 ? systemError('ENOSPC') : undefined;
  expect((await tried(places, { ...sending, sent }, fate)).outcome).toBe('failed');
  for (const [index, path] of places.consent.entries()) {
    expect(readFileSync(path).subarray(0, before[index]?.length)).toEqual(before[index]);
  }
  expect(readProgramme(places).programme).toEqual(granted);
});

describe.skipIf(noLoopVolume !== undefined)(
  `on a file system of its own${noLoopVolume === undefined ? '' : ` (${noLoopVolume})`}`,
  () => {
    test('S0-26 with no byte free the household can leave, and nobody can join; read-only it cannot be left', () => {
      const volume = loopVolume(4 << 20);
      volume.mount();
      const places = layoutOf(volume.mountPoint);
      const sent = Array.from({ length: 60 }, (_, n) => ({
        ...batchOf({ batchId: `batch-${n}`, consentId: uuid(n), objectKey: `ttl28/ueip/${n}` }),
        state: 'maybe' as const,
      }));
      const before = { ...sending, sent };
      writeProgramme(places, before);
      const other = layoutOf(join(volume.mountPoint, 'other'));
      mkdirSync(join(volume.mountPoint, 'other'));
      fill(volume.mountPoint);

      expect(() => writeProgramme(other, granted)).toThrow(
        expect.objectContaining({ code: 'STORE_FULL' }),
      );
      expect(readProgramme(other).kind).toBe('absent');
      const gone = programmeAfter([withdrawal(numbered())], before);
      expect(gone.orders).toHaveLength(60);
      const { bfree } = statfsSync(volume.mountPoint);
      expect(writeProgramme(places, gone)).toEqual({ kind: 'both' });
      expect(statfsSync(volume.mountPoint).bfree).toBe(bfree);

      volume.unmount();
      volume.mount('ro');
      expect(readProgramme(places)).toEqual({ kind: 'whole', programme: gone, faults: [] });
      expect(() => writeProgramme(places, left)).toThrow(
        expect.objectContaining({ code: 'STORE_READ_ONLY' }),
      );
      expect(readProgramme(places)).toEqual({ kind: 'whole', programme: gone, faults: [] });
      volume.unmount();
    });
  },
);

/** Until neither a block nor the name of a file finds room. */
function fill(folder: string): void {
  const isFull = (write: () => void) => {
    try {
      write();
      return false;
    } catch (cause) {
      if (systemCode(cause) === 'ENOSPC') return true;
      throw cause;
    }
  };
  for (const pieceBytes of [65_536, 512]) {
    const bytes = Buffer.alloc(pieceBytes, 1);
    const path = join(folder, `full-${pieceBytes}`);
    for (let full = false; !full; ) full = isFull(() => appendFileSync(path, bytes));
  }
  for (let n = 0, full = false; !full; n++) {
    full = isFull(() => mkdirSync(join(folder, `folder-${n}`)));
  }
}

const tracer = 'strace';
const canTrace = spawnSync(tracer, ['-o', '/dev/null', 'true']).status === 0;

describe.skipIf(!canTrace)('seen by the kernel', () => {
  test.each(['the first grant', 'a withdrawal'])(
    '%s is synced, file by file, before anybody is told',
    (name) => {
      const [from, to] = changes[name] ?? [];
      if (!to) throw new Error('no such change');
      const folder = temporaryFolder();
      const places = layoutOf(folder);
      if (from) writeProgramme(places, from);
      const module = fileURLToPath(new URL('./consent-file.ts', import.meta.url));
      const script = `
        import { writeSync } from 'node:fs';
        const { writeProgramme } = await import(${JSON.stringify(module)});
        const { kind } = writeProgramme(${JSON.stringify(places)}, ${JSON.stringify(to)});
        writeSync(1, 'told: ' + kind);`;
      const trace = join(temporaryFolder(), 'trace');
      const filter = ['-f', '-y', '-e', 'trace=fsync,fdatasync,write,pwrite64', '-o', trace];
      const node = [process.execPath, '--input-type=module', '--eval', script];
      const child = spawnSync(tracer, [...filter, ...node]);
      expect(String(child.stdout)).toBe('told: both');
      const lines = readFileSync(trace, 'utf8').split('\n');
      const told = lines.findIndex((line) => line.includes('told: both'));
      const done = lines.slice(0, told).filter((line) => line.includes('ueip.'));
      const synced = done.filter((line) => /\b(fsync|fdatasync)\(/.test(line));
      for (const copy of ['ueip.1', 'ueip.2']) {
        // The last thing that happened to each of them was to be synced.
        const ofCopy = done.filter((line) => line.includes(copy));
        expect(ofCopy.at(-1)).toMatch(/\b(fsync|fdatasync)\(/);
      }
      expect(synced.length).toBeGreaterThanOrEqual(2);
      expect(told).toBeGreaterThan(0);
    },
  );
});
