import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AgentError } from '../../errors.ts';
import { loadGallery } from '../../gallery/gallery-loading.ts';
import { project } from '../../template/projection.ts';
import { createProtector } from '../../template/protect.ts';
import { sealed } from '../../test/contracts/sealed-row.ts';
import { openGalleryStore } from './gallery-store.ts';

const modelSha256 = 'a'.repeat(64);
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'doorkeep-damage-'));
  file = join(folder, 'gallery.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a file that is no database is put aside, never deleted, and a new gallery begins', () => {
  for (const n of [1, 2]) {
    const junk = `not a database ${n} `.repeat(500);
    writeFileSync(file, junk);
    expect(() => openGalleryStore({ file })).toThrow(
      expect.objectContaining({
        code: 'STORE_CORRUPT',
        message: expect.stringContaining(`${file}.corrupt-${n}`),
      }),
    );
    expect(existsSync(file)).toBe(false);
    expect(readFileSync(`${file}.corrupt-${n}`, 'utf8')).toBe(junk);
  }
  const store = openGalleryStore({ file });
  expect(store.residents()).toEqual([]);
  store.close();
});

test('opened for reading, a damaged file stays where it is', () => {
  writeFileSync(file, 'not a database '.repeat(500));
  const open = () => openGalleryStore({ file, readOnly: true });
  expect(open).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }));
  expect(readdirSync(folder)).toEqual(['gallery.db']);
});

test('damage found while working: the log goes aside with the file, and the store says so from then on', () => {
  const store = openGalleryStore({ file });
  store.enrol({ id: 'ann', label: null }, [sealed('ann', 1)], 1);
  const other = new Database(file);
  other.unsafeMode();
  other.pragma('writable_schema = ON');
  other.exec("UPDATE sqlite_schema SET rootpage = 9999 WHERE name = 'resident'");
  other.pragma('schema_version = 99');
  const damaged = expect.objectContaining({ code: 'STORE_CORRUPT' });
  expect(() => store.residents()).toThrow(damaged);
  expect(() => store.revision()).toThrow(damaged);
  expect(readdirSync(folder)).toContain('gallery.db.corrupt-1');
  expect(readdirSync(folder)).toContain('gallery.db.corrupt-1-wal');
  expect(() => store.close()).not.toThrow();
  other.close();
  const fresh = openGalleryStore({ file });
  expect(fresh.residents()).toEqual([]);
  fresh.close();
});

test('a store of a newer doorkeep is left as it is', () => {
  openGalleryStore({ file }).close();
  const db = new Database(file);
  db.pragma('user_version = 99');
  db.close();
  const before = readFileSync(file);
  expect(() => openGalleryStore({ file })).toThrow(
    expect.objectContaining({ code: 'STORE_NEWER' }),
  );
  expect(readFileSync(file)).toEqual(before);
});

test("another program's database is not touched", () => {
  const db = new Database(file);
  db.exec('CREATE TABLE diary (page TEXT)');
  db.close();
  const before = readFileSync(file);
  expect(() => openGalleryStore({ file })).toThrow(
    expect.objectContaining({ code: 'STORE_FAILED' }),
  );
  expect(readFileSync(file)).toEqual(before);
  expect(readdirSync(folder)).toEqual(['gallery.db']);
});

test('a schema that is not the one its version names is damage', () => {
  openGalleryStore({ file }).close();
  const db = new Database(file);
  db.exec('DROP TABLE template');
  db.close();
  const open = () => openGalleryStore({ file });
  expect(open).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }));
});

describe('a gallery of 40 residents, damaged', () => {
  let whole: Buffer;
  const codes = new Map<string, string>();

  beforeAll(() => {
    const source = join(mkdtempSync(join(tmpdir(), 'doorkeep-whole-')), 'gallery.db');
    const store = openGalleryStore({ file: source });
    for (let i = 0; i < 40; i++) {
      const row = { rowId: `row-${i}`, residentId: `resident-${i}` };
      const { code } = protector.template(face(i));
      codes.set(`${row.residentId} ${Buffer.from(code).toString('hex')}`, row.rowId);
      const template = { ...sealed(row.residentId, i), ...row, sealed: protector.seal(code, row) };
      store.enrol({ id: row.residentId, label: null }, [template], i);
    }
    store.close();
    whole = readFileSync(source);
    rmSync(join(source, '..'), { recursive: true });
  });

  test('untouched, it loads whole', () => {
    expect(outcome(whole)).toEqual({ kind: 'opened', rows: 40, wrong: 0 });
  });

  test('cut off at any page, it is found damaged or empty, and never shows a wrong template', () => {
    for (let size = 0; size < whole.length; size += 4096) {
      const found = outcome(whole.subarray(0, size));
      if (size === 0) expect(found).toEqual({ kind: 'opened', rows: 0, wrong: 0 });
      else expect(found).toEqual({ kind: 'STORE_CORRUPT' });
    }
  });

  test('with any bit flipped, it never crashes and never shows a wrong template', () => {
    const kinds = new Map<string, number>();
    let seed = 20_260_101;
    for (let i = 0; i < 200; i++) {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      const bit = seed % (whole.length * 8);
      const flipped = Buffer.from(whole);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const found = outcome(flipped);
      if (found.kind === 'opened') expect(found.wrong, `bit ${bit}`).toBe(0);
      else expect(found.kind, `bit ${bit}`).toMatch(/^STORE_(CORRUPT|NEWER|FAILED)$/);
      kinds.set(found.kind, (kinds.get(found.kind) ?? 0) + 1);
    }
    // Both happen: a template that refuses to open, and a page that SQLite refuses.
    expect(kinds.get('opened')).toBeGreaterThan(50);
    expect(kinds.get('STORE_CORRUPT')).toBeGreaterThan(5);
  });

  /** What opening and loading these bytes comes to. A template is wrong that was not enrolled for its resident. */
  function outcome(bytes: Uint8Array) {
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
    writeFileSync(file, bytes, { mode: 0o600 });
    try {
      const store = openGalleryStore({ file });
      const { gallery } = loadGallery(store, protector);
      let wrong = 0;
      for (let row = 0; row < gallery.rows; row++) {
        const code = Buffer.from(gallery.codes.subarray(row * 512, row * 512 + 512));
        if (!codes.has(`${gallery.residentOf(row)} ${code.toString('hex')}`)) wrong++;
      }
      store.close();
      return { kind: 'opened', rows: gallery.rows, wrong };
    } catch (error) {
      if (error instanceof AgentError) return { kind: error.code };
      throw error;
    }
  }
});

test('a process killed while it enrols leaves whole residents or none, and what it reported is there', async () => {
  const loop = fileURLToPath(new URL('../../test/fakes/enrol-loop.ts', import.meta.url));
  let first = 0;
  const reported: number[] = [];
  for (let kill = 0; kill < 20; kill++) {
    const child = spawn(process.execPath, [loop, file, `${first}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    const wanted = 1 + ((kill * 5) % 9);
    child.stdout.on('data', (text) => {
      output += text;
      // Not right after the report: somewhere inside the next enrolment.
      if (output.split('\n').length > wanted) setTimeout(() => child.kill('SIGKILL'), kill % 4);
    });
    await once(child, 'close');
    reported.push(...output.split('\n').filter(Boolean).map(Number));
    const store = openGalleryStore({ file });
    const residents = store.residents();
    for (const { id } of residents) expect(store.templatesOf(id)).toHaveLength(5);
    for (const n of reported) expect(store.resident(`resident-${n}`)).toBeDefined();
    first = residents.length;
    store.close();
  }
  expect(reported.length).toBeGreaterThan(20);
});

test('a log file cut off in the middle loses the last enrolments, whole', () => {
  const store = openGalleryStore({ file });
  for (let i = 0; i < 20; i++) store.enrol({ id: `r${i}`, label: null }, [sealed(`r${i}`, i)], i);
  const [database, log] = [readFileSync(file), readFileSync(`${file}-wal`)];
  store.close();
  for (let size = log.length; size > 0; size -= 9_000) {
    writeFileSync(file, database);
    writeFileSync(`${file}-wal`, log);
    truncateSync(`${file}-wal`, size);
    rmSync(`${file}-shm`, { force: true });
    const cut = openGalleryStore({ file });
    const ids = cut.residents().map(({ id }) => id);
    expect(ids).toEqual(Array.from({ length: ids.length }, (_, i) => `r${i}`));
    for (const id of ids) expect(cut.templatesOf(id)).toHaveLength(1);
    cut.close();
  }
});

const protector = createProtector({
  rootKey: new Uint8Array(32).fill(9),
  modelSha256,
  version: 1,
  dimensions: 32,
  kernels: { project },
});

function face(n: number) {
  const values = Float32Array.from({ length: 32 }, (_, i) => Math.sin((n + 1) * (i + 1) * 12.9898));
  return { values, modelSha256 };
}
