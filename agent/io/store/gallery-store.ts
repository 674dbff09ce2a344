import type Database from 'better-sqlite3';
import { AgentError } from '../../errors.ts';
import { isLive, sameGeneration } from '../../gallery/generation.ts';
import { begunBy, changedGenerations, takesTemplates } from '../../gallery/generation-changes.ts';
import type { GalleryStore, SealedTemplate } from '../../ports.ts';
import { generationSchema, generationStatements } from './gallery-generations.ts';
import { type TemplateRow, toCount, toResident, toRow, toSeq, toTemplate } from './gallery-rows.ts';
import { fitting, openSqlite, type SqliteSchema } from './sqlite.ts';

/**
 * Nothing else about a resident is stored: no name beyond the label, no number, no picture, no embedding.
 * No index holds an id or a label: when SQLite rebalances an index, now and then an entry stays behind in
 * a page where secure_delete does not reach it (measured: one or two ids of some thousand erased). In a table
 * only the leaves hold values, rows are only appended, and none stayed. So a resident is found by reading
 * all of them: 1 ms for 20,000.
 */
const schema: SqliteSchema = {
  applicationId: 0x64_6f_6f_72,
  migrations: [
    `CREATE TABLE resident (
       seq INTEGER PRIMARY KEY,
       id TEXT NOT NULL,
       label TEXT,
       enrolled_at INTEGER NOT NULL
     ) STRICT;
     CREATE TRIGGER resident_id_is_unique BEFORE INSERT ON resident
     WHEN EXISTS (SELECT 1 FROM resident WHERE id = NEW.id)
     BEGIN SELECT RAISE(ABORT, 'a resident of that id exists'); END;
     CREATE TABLE template (
       seq INTEGER PRIMARY KEY,
       row_id TEXT NOT NULL UNIQUE,
       resident INTEGER NOT NULL REFERENCES resident (seq) ON DELETE CASCADE,
       label TEXT,
       model_sha256 TEXT NOT NULL,
       version INTEGER NOT NULL,
       sealed BLOB NOT NULL,
       created_at INTEGER NOT NULL
     ) STRICT;
     CREATE INDEX template_of_resident ON template (resident);`,
    generationSchema,
  ],
};

/** Templates read at once: no statement stays open while the caller works. */
const pageRows = 512;

/** The residents in one SQLite file. Errors and modes: see openSqlite. `maxSizeBytes`: the file grows no larger. */
export function openGalleryStore(options: {
  readonly file: string;
  readonly readOnly?: boolean;
  readonly maxSizeBytes?: number;
}): GalleryStore {
  const sqlite = openSqlite(options, schema);
  const query = sqlite.run((db) => fitting(() => statements(db)));
  const generation = sqlite.run((db) => fitting(() => generationStatements(db)));
  let changes = 0;
  /** One transaction that counts as one change, unless it says that nothing has changed. */
  const change = (work: () => boolean): boolean => {
    const hasChanged = sqlite.transaction(work);
    if (hasChanged) changes++;
    return hasChanged;
  };
  return {
    residents: () => sqlite.run(() => query.residents.all().map(toResident)),
    resident: (id) => sqlite.run(() => query.resident.all(id).map(toResident)[0]),
    templatesOf: (id) => sqlite.run(() => query.templatesOf.all(id).map(toTemplate)),
    *templates(modelSha256) {
      let after = -1;
      for (;;) {
        const page = sqlite.run(() =>
          query.templatesAfter
            .all(modelSha256, after, pageRows)
            .map((row) => ({ seq: toSeq(row), template: toTemplate(row) })),
        );
        for (const { template } of page) yield template;
        const last = page.at(-1);
        if (!last) return;
        after = last.seq;
      }
    },
    countTemplates: () => sqlite.run(() => query.counts.all().map(toCount)),
    templateCounts: () => sqlite.run(generation.counts),
    generations: () => sqlite.run(generation.all),
    updateGenerations(update) {
      let haveEnded = false;
      change(() => {
        const before = generation.all();
        const changed = changedGenerations(before, update(before));
        for (const each of changed) generation.put(each);
        haveEnded = !changed.every(isLive);
        return changed.length > 0;
      });
      if (haveEnded) sqlite.scrub('wait');
    },
    enrol(resident, templates, addedAt) {
      if (templates.some((template) => template.residentId !== resident.id)) {
        throw new TypeError('a template can only be enrolled with its own resident');
      }
      change(() => {
        const known = query.resident.get(resident.id);
        const seq = known
          ? toSeq(known)
          : query.addResident.run(resident.id, resident.label, addedAt).lastInsertRowid;
        for (const begun of begunBy(templates, generation.all(), addedAt)) generation.put(begun);
        for (const template of templates) query.addTemplate.run(...toRow(seq, template));
        return true;
      });
    },
    addTemplate: (template, { most, apartMs }) =>
      change(() => {
        const live = generation
          .all()
          .some((each) => sameGeneration(each, template) && takesTemplates(each));
        const resident = query.resident.get(template.residentId);
        if (!live || !resident) return false;
        const there = query.templatesOf
          .all(template.residentId)
          .map(toTemplate)
          .filter((each) => sameGeneration(each, template));
        const isNear = ({ createdAt }: SealedTemplate) =>
          Math.abs(createdAt - template.createdAt) < apartMs;
        if (there.length >= most || there.some(isNear)) return false;
        query.addTemplate.run(...toRow(toSeq(resident), template));
        return true;
      }),
    restore({ generations, residents, templates }) {
      change(() => {
        const known = generation.all();
        if (generations.some((added) => known.some((each) => sameGeneration(each, added)))) {
          throw new AgentError('STORE_FAILED', 'a generation of the backup is here by now');
        }
        for (const each of generations) generation.put(each);
        const seqs = new Map<string, number | bigint>();
        for (const { id, label, enrolledAt } of residents) {
          seqs.set(id, query.addResident.run(id, label, enrolledAt).lastInsertRowid);
        }
        for (const template of templates) {
          const seq = seqs.get(template.residentId);
          if (seq === undefined) throw new TypeError('a template is restored with its resident');
          query.addTemplate.run(...toRow(seq, template));
        }
        return true;
      });
    },
    erase(residentId, tombstone) {
      const erased = change(() => {
        if (query.erase.run(residentId).changes === 0) return false;
        if (tombstone) generation.bury(tombstone);
        return true;
      });
      if (erased) sqlite.scrub('wait');
      return erased;
    },
    tombstones: () => sqlite.run(generation.tombstones),
    eraseAll(erasedAt) {
      let residents = 0;
      change(() => {
        residents = query.eraseAll.run().changes;
        generation.forgetTombstones();
        for (const each of generation.all()) {
          if (!isLive(each)) continue;
          generation.put({ ...each, wrappedKey: null, retirement: null, endedAt: erasedAt });
        }
        return true;
      });
      sqlite.scrub('wait');
      return residents;
    },
    scrub: () => sqlite.scrub('at once'),
    // Both only grow, so their sum changes whenever one of them does.
    revision: () => sqlite.run(() => Number(query.dataVersion.get()) + changes),
    close: sqlite.close,
  };
}

function statements(db: Database.Database) {
  const resident = 'SELECT seq, id, label, enrolled_at FROM resident';
  const template = `SELECT template.seq, row_id, resident.id AS resident_id, template.label,
    model_sha256, version, sealed, created_at
    FROM template JOIN resident ON resident.seq = template.resident`;
  return {
    residents: db.prepare<[], unknown>(`${resident} ORDER BY seq`),
    resident: db.prepare<[string], unknown>(`${resident} WHERE id = ?`),
    templatesOf: db.prepare<[string], unknown>(`${template} WHERE id = ? ORDER BY template.seq`),
    templatesAfter: db.prepare<[string, number, number], unknown>(
      `${template} WHERE model_sha256 = ? AND template.seq > ? ORDER BY template.seq LIMIT ?`,
    ),
    counts: db.prepare<[], unknown>(
      `SELECT model_sha256, version, count(*) AS templates FROM template
       GROUP BY model_sha256, version ORDER BY model_sha256, version`,
    ),
    addResident: db.prepare<[string, string | null, number]>(
      'INSERT INTO resident (id, label, enrolled_at) VALUES (?, ?, ?)',
    ),
    addTemplate: db.prepare<TemplateRow>(
      `INSERT INTO template (resident, row_id, label, model_sha256, version, sealed, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    erase: db.prepare<[string]>('DELETE FROM resident WHERE id = ?'),
    eraseAll: db.prepare('DELETE FROM resident'),
    dataVersion: db.prepare<[], unknown>('PRAGMA data_version').pluck(),
  };
}
