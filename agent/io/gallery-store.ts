import type Database from 'better-sqlite3';
import type { GalleryStore } from '../ports.ts';
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
  let changes = 0;
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
    enrol(resident, templates, addedAt) {
      if (templates.some((template) => template.residentId !== resident.id)) {
        throw new TypeError('a template can only be enrolled with its own resident');
      }
      sqlite.transaction(() => {
        const known = query.resident.get(resident.id);
        const seq = known
          ? toSeq(known)
          : query.addResident.run(resident.id, resident.label, addedAt).lastInsertRowid;
        for (const template of templates) query.addTemplate.run(...toRow(seq, template));
      });
      changes++;
    },
    erase(residentId) {
      const erased = sqlite.transaction(() => query.erase.run(residentId).changes);
      if (erased === 0) return false;
      changes++;
      sqlite.scrub('wait');
      return true;
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
    dataVersion: db.prepare<[], unknown>('PRAGMA data_version').pluck(),
  };
}
