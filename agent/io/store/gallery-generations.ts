import type Database from 'better-sqlite3';
import type { Generation, Retirement, TemplateCount, Tombstone } from '../../ports.ts';
import { bytes, bytesOrNull, text, whole, wholeOrNull } from './gallery-rows.ts';

/** model_sha256, version, started_at, wrapped_key, retiring_since, grace_days, days_seen, last_day, ended_at */
type GenerationRow = [
  string,
  number,
  number,
  Uint8Array | null,
  number | null,
  number | null,
  number | null,
  number | null,
  number | null,
];

/** The part of the gallery's file that says which templates are compared with, and who was erased. */
export const generationSchema = `
  CREATE TABLE generation (
    seq INTEGER PRIMARY KEY,
    model_sha256 TEXT NOT NULL,
    version INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    wrapped_key BLOB,
    retiring_since INTEGER,
    grace_days INTEGER,
    days_seen INTEGER,
    last_day INTEGER,
    ended_at INTEGER,
    UNIQUE (model_sha256, version)
  ) STRICT;
  INSERT INTO generation (model_sha256, version, started_at)
    SELECT model_sha256, version, min(created_at) FROM template
    GROUP BY model_sha256, version ORDER BY min(seq);
  CREATE TRIGGER template_has_a_live_generation BEFORE INSERT ON template
    WHEN NOT EXISTS (
      SELECT 1 FROM generation
      WHERE model_sha256 = NEW.model_sha256 AND version = NEW.version AND ended_at IS NULL
    )
    BEGIN SELECT RAISE(ABORT, 'no generation of that model and version is live'); END;
  CREATE TRIGGER generation_ends_empty BEFORE UPDATE OF ended_at ON generation
    WHEN NEW.ended_at IS NOT NULL AND EXISTS (
      SELECT 1 FROM template
      WHERE model_sha256 = NEW.model_sha256 AND version = NEW.version
    )
    BEGIN SELECT RAISE(ABORT, 'a generation that ends has no templates'); END;
  CREATE TABLE tombstone (
    seq INTEGER PRIMARY KEY,
    digest BLOB NOT NULL,
    erased_at INTEGER NOT NULL
  ) STRICT;`;

/** To be called inside a transaction where it writes. */
export function generationStatements(db: Database.Database) {
  const all = db.prepare<[], unknown>('SELECT * FROM generation ORDER BY seq');
  const put = db.prepare<GenerationRow>(
    `INSERT INTO generation (model_sha256, version, started_at, wrapped_key, retiring_since,
       grace_days, days_seen, last_day, ended_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (model_sha256, version) DO UPDATE SET wrapped_key = excluded.wrapped_key,
       retiring_since = excluded.retiring_since, grace_days = excluded.grace_days,
       days_seen = excluded.days_seen, last_day = excluded.last_day, ended_at = excluded.ended_at`,
  );
  const counts = db.prepare<[], unknown>(
    `SELECT resident.id AS resident_id, model_sha256, version, count(*) AS templates
     FROM template JOIN resident ON resident.seq = template.resident
     GROUP BY resident.seq, model_sha256, version ORDER BY resident.seq, min(template.seq)`,
  );
  const eraseTemplates = db.prepare<[string, number]>(
    'DELETE FROM template WHERE model_sha256 = ? AND version = ?',
  );
  const tombstones = db.prepare<[], unknown>('SELECT digest, erased_at FROM tombstone');
  const bury = db.prepare<[Uint8Array, number]>(
    'INSERT INTO tombstone (digest, erased_at) VALUES (?, ?)',
  );
  const forgetTombstones = db.prepare('DELETE FROM tombstone');
  return {
    all: () => all.all().map(toGeneration),
    /** A generation that has ended loses its templates first. */
    put(generation: Generation) {
      const { modelSha256, version, endedAt } = generation;
      if (endedAt !== null) eraseTemplates.run(modelSha256, version);
      put.run(...toRow(generation));
    },
    counts: () => counts.all().map(toCount),
    tombstones: () => tombstones.all().map(toTombstone),
    bury: ({ digest, erasedAt }: Tombstone) => void bury.run(digest, erasedAt),
    forgetTombstones: () => void forgetTombstones.run(),
  };
}

function toRow(generation: Generation): GenerationRow {
  const { modelSha256, version, startedAt, wrappedKey, retirement, endedAt } = generation;
  const { since = null, graceDays = null, daysSeen = null, lastDay = null } = retirement ?? {};
  return [
    modelSha256,
    version,
    startedAt,
    wrappedKey,
    since,
    graceDays,
    daysSeen,
    lastDay,
    endedAt,
  ];
}

function toGeneration(row: unknown): Generation {
  return {
    modelSha256: text(row, 'model_sha256'),
    version: whole(row, 'version'),
    startedAt: whole(row, 'started_at'),
    wrappedKey: bytesOrNull(row, 'wrapped_key'),
    retirement: toRetirement(row),
    endedAt: wholeOrNull(row, 'ended_at'),
  };
}

function toRetirement(row: unknown): Retirement | null {
  const since = wholeOrNull(row, 'retiring_since');
  if (since === null) return null;
  return {
    since,
    graceDays: wholeOrNull(row, 'grace_days'),
    daysSeen: whole(row, 'days_seen'),
    lastDay: whole(row, 'last_day'),
  };
}

function toCount(row: unknown): TemplateCount {
  return {
    residentId: text(row, 'resident_id'),
    modelSha256: text(row, 'model_sha256'),
    version: whole(row, 'version'),
    templates: whole(row, 'templates'),
  };
}

function toTombstone(row: unknown): Tombstone {
  return { digest: bytes(row, 'digest'), erasedAt: whole(row, 'erased_at') };
}
