import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { afterEach, expect, test } from 'vitest';
import { coverageOf } from '../../gallery/coverage.ts';
import { beginRenewal, isLive, sameGeneration, withEnded } from '../../gallery/generation.ts';
import { seededChance } from '../../io/process/seeded-chance.ts';
import { openGalleryStore } from '../../io/store/gallery-store.ts';
import type { GalleryStore, RestoredGallery } from '../../ports.ts';
import { temporaryFolder } from '../fakes/temporary-folder.ts';
import { enrolAll, faceOf, rowOf, testDevice, testModel } from '../fakes/test-device.ts';

const people = ['ann', 'bob', 'cem'];
const keyByte = 1;

/**
 * Everybody is recognised by a template of a live generation, by his or her own face; and every template there
 * is belongs to a live generation and opens under its key. Returns the versions that are live.
 */
function checkSound(store: GalleryStore, wanted: readonly string[] = people): string {
  const live = store.generations().filter(isLive);
  const protectors = live.map(({ version }) => testDevice(keyByte)(version));
  expect(store.residents().map(({ id }) => id)).toEqual(wanted);
  for (const id of wanted) {
    const rows = store.templatesOf(id);
    expect(rows.length, `${id} is left without a template`).toBeGreaterThan(0);
    for (const row of rows) {
      const protector = protectors.find((each) => sameGeneration(each, row));
      const code = protector?.open(row.sealed, row);
      if (!protector || !code)
        throw new Error(`a template of version ${row.version} does not open`);
      expect(protector.softScore(protector.probe(faceOf(id)), code)).toBe(1);
    }
  }
  return live.map(({ version }) => version).join();
}

test('killed 200 times while it renews: everybody has a valid template, none under a wrong version', async () => {
  const loop = fileURLToPath(new URL('../fakes/renewal-loop.ts', import.meta.url));
  const seen = new Set<string>();
  const chains = ['a', 'b', 'c', 'd'].map(async (seed) => {
    const random = seededChance(seed);
    const file = join(temporaryFolder(), 'gallery.db');
    const first = openGalleryStore({ file });
    enrolAll(first, testDevice(keyByte)(1), people);
    first.close();
    for (let kill = 0; kill < 50; kill++) {
      const child = spawn(process.execPath, [loop, file, `${keyByte}`], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [steps = 0, delay = 0] = random(2);
      let begun = 0;
      child.stdout.on('data', (dots: Buffer) => {
        begun += dots.length;
        // Five steps make a renewal; it dies somewhere inside one.
        if (begun > steps % 16) setTimeout(() => child.kill('SIGKILL'), delay / 64);
      });
      const closed = once(child, 'close');
      const [status, signal] = await closed;
      expect([status, signal]).toEqual([null, 'SIGKILL']);
      const store = openGalleryStore({ file });
      seen.add(`${store.generations().filter(isLive).length} live`);
      checkSound(store);
      store.close();
    }
    const store = openGalleryStore({ file });
    const versions = store.generations().length;
    store.close();
    return versions;
  });
  const versions = await Promise.all(chains);
  // It was killed in the middle of renewals and between them, and came on in between.
  expect([...seen].sort()).toEqual(['1 live', '2 live']);
  expect(Math.min(...versions)).toBeGreaterThan(20);
});

type Restore = () => void;
let restores: Restore[] = [];
afterEach(() => {
  for (const restore of restores) restore();
  restores = [];
});

/** From now on the n-th statement fails as on a medium that gives up; returns how many there were. */
function failAt(n: number): () => number {
  const probe = new Database(':memory:');
  const prototype = Object.getPrototypeOf(probe.prepare('SELECT 1'));
  probe.close();
  let calls = 0;
  for (const name of ['run', 'get', 'all'] as const) {
    const original = prototype[name];
    prototype[name] = function (...args: unknown[]) {
      calls++;
      if (calls === n) throw new Database.SqliteError('disk I/O error', 'SQLITE_IOERR');
      return original.apply(this, args);
    };
    restores.push(() => {
      prototype[name] = original;
    });
  }
  return () => calls;
}

const steps: Record<string, (store: GalleryStore) => void> = {
  'the beginning of a renewal': (store) =>
    store.updateGenerations((all) => beginRenewal(all, testModel, 5, 30)),
  'a new template': (store) => {
    const protector = testDevice(keyByte)(2);
    store.addTemplate(rowOf(protector, 'ann', faceOf('ann'), 9), { most: 3, apartMs: 1 });
  },
  'the end of the old version': (store) => {
    store.updateGenerations((all) => {
      const { left } = coverageOf(all, store.residents(), store.templateCounts());
      expect(left).toEqual([]);
      return withEnded(all, ({ retirement }) => retirement !== null, 9);
    });
  },
  'a restoration': (store) => store.restore(dansBackup(store)),
};

test.each(Object.keys(steps))(
  '%s is done whole or not at all, whichever statement fails',
  (name) => {
    const step = steps[name];
    if (!step) throw new Error('no such step');
    const folder = temporaryFolder();
    const prepared = join(folder, 'prepared.db');
    const first = openGalleryStore({ file: prepared });
    enrolAll(first, testDevice(keyByte)(1), people);
    if (name !== 'the beginning of a renewal') steps['the beginning of a renewal']?.(first);
    if (name === 'the end of the old version') {
      for (const id of people) {
        const row = rowOf(testDevice(keyByte)(2), id, faceOf(id), 9);
        expect(first.addTemplate(row, { most: 3, apartMs: 1 })).toBe(true);
      }
    }
    const before = pictureOf(first);
    first.close();
    const outcomes = new Set<string>();
    for (let n = 1; ; n++) {
      const file = join(folder, 'try.db');
      for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
      copyFileSync(prepared, file);
      expect(existsSync(`${prepared}-wal`)).toBe(false);
      const store = openGalleryStore({ file });
      const count = failAt(n);
      let failed = false;
      try {
        step(store);
      } catch {
        failed = true;
      }
      const calls = count();
      for (const restore of restores) restore();
      restores = [];
      store.close();
      const next = openGalleryStore({ file });
      const after = pictureOf(next);
      checkSound(next, after.includes('dan') ? [...people, 'dan'] : people);
      outcomes.add(after === before ? 'as before' : after);
      next.close();
      if (!failed && calls < n) break;
    }
    // As before, or done: nothing in between.
    expect(outcomes.size).toBe(2);
    expect(outcomes).toContain('as before');
  },
);

function dansBackup(store: GalleryStore): RestoredGallery {
  const row = rowOf(testDevice(keyByte)(7), 'dan', faceOf('dan'));
  const { modelSha256, version } = row;
  const [generation] = store.generations();
  if (!generation) throw new Error('no generation');
  return {
    generations: [{ ...generation, modelSha256, version }],
    residents: [{ id: 'dan', label: null, enrolledAt: 1 }],
    templates: [row],
  };
}

/** Everything but the bytes of the templates, which differ each time. */
function pictureOf(store: GalleryStore): string {
  return JSON.stringify([store.generations(), store.residents(), store.templateCounts()]);
}
