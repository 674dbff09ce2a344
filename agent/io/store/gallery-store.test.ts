import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { beginRenewal, nextGeneration, withEnded } from '../../gallery/generation.ts';
import { sealed } from '../../test/contracts/sealed-row.ts';
import { openGalleryStore } from './gallery-store.ts';

const suffixes = ['', '-wal', '-shm'];
const model = sealed('', 0).modelSha256;
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'doorkeep-store-'));
  file = join(folder, 'data', 'gallery.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('S2-6 nothing is stored about a resident but id, label, day and sealed templates; of an erased one a digest', () => {
  openGalleryStore({ file }).close();
  const db = new Database(file);
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
  const columns = (table: unknown) =>
    db.prepare(`SELECT name FROM pragma_table_info('${table}')`).pluck().all();
  expect(tables.pluck().all()).toEqual(['generation', 'resident', 'template', 'tombstone']);
  expect(columns('resident')).toEqual(['seq', 'id', 'label', 'enrolled_at']);
  expect(columns('template')).toEqual([
    'seq',
    'row_id',
    'resident',
    'label',
    'model_sha256',
    'version',
    'sealed',
    'created_at',
  ]);
  expect(columns('tombstone')).toEqual(['seq', 'digest', 'erased_at']);
  // Erased values can stay behind in the pages of an index; row ids are random and say nothing.
  const indexed = db.prepare(
    `SELECT info.name FROM sqlite_schema AS entry, pragma_index_info(entry.name) AS info
     WHERE entry.type = 'index' ORDER BY info.name`,
  );
  expect(indexed.pluck().all()).toEqual(['model_sha256', 'resident', 'row_id', 'version']);
  db.close();
});

test('a gallery from before there were generations keeps everybody, each template under its own version', () => {
  openGalleryStore({ file }).close();
  const old = new Database(file);
  old.exec(`DROP TRIGGER template_has_a_live_generation; DROP TABLE generation; DROP TABLE tombstone;
    INSERT INTO resident VALUES (1, 'ann', NULL, 5)`);
  const add = old.prepare(
    `INSERT INTO template (row_id, resident, model_sha256, version, sealed, created_at)
     VALUES (?, 1, ?, ?, x'00', ?)`,
  );
  add.run('r1', 'b'.repeat(64), 1, 30);
  add.run('r2', model, 1, 20);
  add.run('r3', model, 1, 10);
  old.pragma('user_version = 1');
  old.close();
  const store = openGalleryStore({ file });
  expect(
    store.generations().map((each) => [each.modelSha256[0], each.version, each.startedAt]),
  ).toEqual([
    ['b', 1, 30],
    ['a', 1, 10],
  ]);
  expect(
    store.generations().every((each) => !each.retirement && !each.endedAt && !each.wrappedKey),
  ).toBe(true);
  expect(store.templatesOf('ann')).toHaveLength(3);
  store.close();
});

test('the database itself refuses a template under no live generation, and an end that leaves templates', () => {
  const store = openGalleryStore({ file });
  store.enrol({ id: 'ann', label: null }, [sealed('ann', 1)], 1);
  const raw = new Database(file);
  const insert = raw.prepare(
    `INSERT INTO template (row_id, resident, model_sha256, version, sealed, created_at)
     VALUES ('stray', 1, ?, 7, x'00', 1)`,
  );
  expect(() => insert.run(model)).toThrow('no generation of that model and version is live');
  expect(() => raw.exec('UPDATE generation SET ended_at = 1')).toThrow('has no templates');
  raw.close();
  store.close();
});

test('S2-18 the folder is for its owner only, and so is every file in it', () => {
  const store = openGalleryStore({ file });
  store.enrol({ id: 'ann', label: null }, [sealed('ann', 1)], 1);
  expect(modeOf(join(folder, 'data'))).toBe(0o700);
  expect(suffixes.map((suffix) => modeOf(file + suffix))).toEqual([0o600, 0o600, 0o600]);
  store.close();
  chmodSync(file, 0o644);
  openGalleryStore({ file }).close();
  expect(modeOf(file)).toBe(0o600);
});

test('a commit survives a power cut and deleted rows are overwritten: the settings that do it are on', () => {
  openGalleryStore({ file }).close();
  const seen: string[] = [];
  const settings = ['journal_mode', 'synchronous', 'secure_delete', 'foreign_keys'];
  const { prototype } = Database;
  const close = prototype.close;
  prototype.close = function (this: Database.Database) {
    seen.push(settings.map((name) => this.pragma(name, { simple: true })).join(' '));
    return close.call(this);
  };
  try {
    openGalleryStore({ file }).close();
  } finally {
    prototype.close = close;
  }
  expect(seen).toEqual(['wal 2 1 1']);
});

describe('S2-15 what is erased is in no file any more', () => {
  const ann = [sealed('ann', 1), sealed('ann', 2)];
  const bob = [sealed('bob', 3)];
  const label = 'a label to look for';

  test('the templates, the id and the label are overwritten in place, the others stay', () => {
    const store = openGalleryStore({ file });
    store.enrol({ id: 'resident-to-look-for', label }, of('resident-to-look-for', ann), 1);
    store.enrol({ id: 'bob', label: null }, bob, 1);
    expect(tracesOf(ann)).toBe(2);
    expect(store.erase('resident-to-look-for')).toBe(true);
    expect(store.scrub()).toBe(true);
    expect(tracesOf(ann)).toBe(0);
    expect(contains('resident-to-look-for') || contains(label)).toBe(false);
    expect(tracesOf(bob)).toBe(1);
    store.enrol({ id: 'cem', label: null }, [sealed('cem', 4)], 2);
    store.close();
    const reopened = openGalleryStore({ file });
    expect(reopened.residents().map(({ id }) => id)).toEqual(['bob', 'cem']);
    reopened.close();
  });

  test('of many residents erased in any order not one leaves a trace', () => {
    const store = openGalleryStore({ file });
    const ids = Array.from({ length: 120 }, (_, i) => `${(i * 7919) % 10_007}`.padEnd(64, '-'));
    for (const [i, id] of ids.entries()) store.enrol({ id, label: null }, [sealed(id, i)], i);
    const gone = ids.filter((_, i) => i % 4 === 0).sort();
    for (const id of gone) store.erase(id);
    const bytes = allBytes();
    expect(gone.filter((id) => bytes.includes(id))).toEqual([]);
    for (const [i, id] of ids.entries()) {
      const there = bytes.includes(Buffer.from(sealed(id, i).sealed));
      expect(there).toBe(!gone.includes(id));
    }
    store.close();
  });

  test('while another process reads it is said, and done when it has finished', () => {
    const store = openGalleryStore({ file });
    store.enrol({ id: 'ann', label: null }, ann, 1);
    const reader = new Database(file, { readonly: true });
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM template').get();
    expect(store.erase('ann')).toBe(true);
    expect(store.residents()).toEqual([]);
    expect(store.scrub()).toBe(false);
    expect(tracesOf(ann)).toBe(2);
    reader.exec('COMMIT');
    expect(store.scrub()).toBe(true);
    expect(tracesOf(ann)).toBe(0);
    reader.close();
    store.close();
  });

  test('a process that died right after the erasure: the next start finishes it', () => {
    const store = openGalleryStore({ file });
    store.enrol({ id: 'ann', label: null }, ann, 1);
    const dying = new Database(file);
    dying.pragma('secure_delete = ON');
    dying.exec("DELETE FROM resident WHERE id = 'ann'");
    const crashed = join(folder, 'crashed.db');
    for (const suffix of ['', '-wal']) copyFileSync(file + suffix, crashed + suffix);
    dying.close();
    store.close();
    file = crashed;
    expect(tracesOf(ann)).toBe(2);
    const next = openGalleryStore({ file });
    expect(tracesOf(ann)).toBe(0);
    next.close();
  });

  test('the log file is overwritten before it is removed', () => {
    const store = openGalleryStore({ file });
    store.enrol({ id: 'ann', label: null }, ann, 1);
    const kept = join(folder, 'kept');
    linkSync(`${file}-wal`, kept);
    expect(readFileSync(kept).includes(Buffer.from(ann[0]?.sealed ?? []))).toBe(true);
    store.close();
    expect(existsSync(`${file}-wal`)).toBe(false);
    expect(readFileSync(kept).every((byte) => byte === 0)).toBe(true);
  });
});

describe('what a renewal or a revocation ends is in no file any more', () => {
  const ann = [sealed('ann', 1), sealed('ann', 2)];
  const fresh = sealed('ann', 3, { version: 2 });
  const wrappedKey = Uint8Array.from({ length: 60 }, (_, i) => (i * 73 + 19) & 255);

  test('the templates of a version that ended are overwritten, and the key that came with a backup', () => {
    const store = openGalleryStore({ file });
    store.enrol({ id: 'ann', label: null }, ann, 1);
    store.updateGenerations((all) => [
      ...beginRenewal(all, model, 1, 30),
      { ...nextGeneration(beginRenewal(all, model, 1, 30), model, 1), wrappedKey },
    ]);
    store.addTemplate(fresh, { most: 3, apartMs: 1 });
    const has = () => allBytes().includes(Buffer.from(wrappedKey).subarray(8));
    expect([tracesOf([...ann, fresh]), has()]).toEqual([3, true]);
    store.updateGenerations((all) => withEnded(all, ({ version }) => version !== 2, 5));
    expect([tracesOf(ann), tracesOf([fresh]), has()]).toEqual([0, 1, false]);
    store.close();
    expect([tracesOf(ann), tracesOf([fresh]), has()]).toEqual([0, 1, false]);
  });

  test('after a revocation no id, no label, no template and no digest is left', () => {
    const store = openGalleryStore({ file });
    const label = 'a label to look for';
    const digest = new Uint8Array(32).map((_, i) => (i * 29 + 3) & 255);
    store.enrol({ id: 'resident-to-look-for', label }, of('resident-to-look-for', ann), 1);
    store.enrol({ id: 'bob', label: null }, [sealed('bob', 8)], 1);
    store.erase('bob', { digest, erasedAt: 5 });
    expect([tracesOf(ann), contains(label), allBytes().includes(Buffer.from(digest))]).toEqual([
      2,
      true,
      true,
    ]);
    expect(store.eraseAll(9)).toBe(1);
    const left = ['resident-to-look-for', label].filter(contains);
    expect([tracesOf(ann), left, allBytes().includes(Buffer.from(digest))]).toEqual([0, [], false]);
    store.close();
  });
});

test('a power cut in the middle of the overwriting loses nothing', () => {
  const store = openGalleryStore({ file });
  for (let i = 0; i < 8; i++) store.enrol({ id: `r${i}`, label: null }, [sealed(`r${i}`, i)], i);
  const other = new Database(file);
  other.pragma('wal_checkpoint(RESTART)');
  const [database, log] = [readFileSync(file), readFileSync(`${file}-wal`)];
  other.close();
  store.close();
  for (let zeroed = 4096; zeroed < log.length; zeroed += 4096) {
    writeFileSync(file, database);
    writeFileSync(`${file}-wal`, Buffer.from(log).fill(0, 0, zeroed));
    rmSync(`${file}-shm`, { force: true });
    const next = openGalleryStore({ file });
    expect(next.residents()).toHaveLength(8);
    next.close();
  }
});

test('what another process writes while this one scrubs is not lost', () => {
  const store = openGalleryStore({ file });
  const other = openGalleryStore({ file });
  for (let i = 0; i < 30; i++) {
    other.enrol({ id: `r${i}`, label: null }, [sealed(`r${i}`, i)], i);
    if (i % 2 === 1) store.erase(`r${i}`);
    else expect(store.scrub()).toBe(true);
  }
  const crashed = join(folder, 'crashed.db');
  for (const suffix of ['', '-wal']) copyFileSync(file + suffix, crashed + suffix);
  other.close();
  store.close();
  const next = openGalleryStore({ file: crashed });
  expect(next.residents()).toHaveLength(15);
  next.close();
});

test('a change by another process shows in the revision', () => {
  const store = openGalleryStore({ file });
  const other = openGalleryStore({ file });
  const before = store.revision();
  other.enrol({ id: 'ann', label: null }, [sealed('ann', 1)], 1);
  const after = store.revision();
  expect(after).not.toBe(before);
  expect(store.revision()).toBe(after);
  other.close();
  store.close();
});

test('a store opened for reading reads, and refuses to write', () => {
  const writer = openGalleryStore({ file });
  writer.enrol({ id: 'ann', label: null }, [sealed('ann', 1)], 1);
  const reader = openGalleryStore({ file, readOnly: true });
  expect([...reader.templates(model)]).toHaveLength(1);
  expect(reader.scrub()).toBe(false);
  const more = () => reader.enrol({ id: 'bob', label: null }, [sealed('bob', 2)], 1);
  expect(more).toThrow(expect.objectContaining({ code: 'STORE_READ_ONLY' }));
  expect(() => reader.erase('ann')).toThrow(expect.objectContaining({ code: 'STORE_READ_ONLY' }));
  reader.close();
  writer.close();
  const missing = () => openGalleryStore({ file: join(folder, 'none.db'), readOnly: true });
  expect(missing).toThrow(expect.objectContaining({ code: 'STORE_FAILED' }));
  expect(readdirSync(folder)).toEqual(['data']);
});

test('a full disk stores nothing of the enrolment that did not fit, and the next one that fits', () => {
  const store = openGalleryStore({ file, maxSizeBytes: 64 * 1024 });
  let stored = 0;
  const enrol = () => {
    for (; stored < 1000; stored++) {
      const id = `resident-${stored}`;
      store.enrol(
        { id, label: null },
        [0, 1, 2].map((n) => sealed(id, stored * 3 + n)),
        1,
      );
    }
  };
  expect(enrol).toThrow(expect.objectContaining({ code: 'STORE_FULL' }));
  expect(stored).toBeGreaterThan(10);
  expect(store.residents()).toHaveLength(stored);
  expect([...store.templates(model)]).toHaveLength(stored * 3);
  // A row needs room at the end: a page must have become empty.
  for (let i = 0; i < 6; i++) store.erase(`resident-${i}`);
  store.enrol({ id: 'small', label: null }, [sealed('small', 9999)], 1);
  expect(store.residents()).toHaveLength(stored - 5);
  store.close();
});

test('a store that another process holds fails by name, after some patience', () => {
  const store = openGalleryStore({ file });
  const other = new Database(file);
  other.exec('BEGIN IMMEDIATE');
  const enrol = () => store.enrol({ id: 'ann', label: null }, [sealed('ann', 1)], 1);
  expect(enrol).toThrow(
    expect.objectContaining({
      code: 'STORE_FAILED',
      message: expect.stringContaining('held by another process'),
    }),
  );
  other.exec('ROLLBACK');
  enrol();
  expect(store.residents()).toHaveLength(1);
  other.close();
  store.close();
});

function of(residentId: string, templates: readonly ReturnType<typeof sealed>[]) {
  return templates.map((template) => ({ ...template, residentId }));
}

function tracesOf(templates: readonly ReturnType<typeof sealed>[]): number {
  const bytes = allBytes();
  return templates.filter((template) =>
    bytes.includes(Buffer.from(template.sealed).subarray(40, 80)),
  ).length;
}

function contains(text: string): boolean {
  return allBytes().includes(text);
}

function allBytes(): Buffer {
  const paths = suffixes.map((suffix) => file + suffix).filter((path) => existsSync(path));
  return Buffer.concat(paths.map((path) => readFileSync(path)));
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}
