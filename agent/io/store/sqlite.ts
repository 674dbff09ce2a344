import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { AgentError } from '../../errors.ts';
import { systemCode } from '../files/file-fault.ts';
import { openPageGaps, type PageGaps } from './sqlite-gaps.ts';
import { erase, scrub } from './sqlite-scrub.ts';
import { isDamage, quarantined, storeError } from './store-error.ts';

export type SqliteSchema = {
  /** Stands in the file's header: a file of another program is never touched. */
  readonly applicationId: number;
  /** Entry i takes the schema from version i to i + 1. Only ever append. */
  readonly migrations: readonly string[];
};

export type SqliteOptions = {
  readonly file: string;
  /** Opens what is there and writes nothing, not even a repair. */
  readonly readOnly?: boolean;
  /** The database file grows no larger: STORE_FULL. */
  readonly maxSizeBytes?: number;
  /** Of a new database. */
  readonly pageSizeBytes?: number;
  /** The -wal goes into the database file when it has grown to this. */
  readonly checkpointBytes?: number;
  /**
   * Nobody else may open it meanwhile, not even to read: no -shm is needed, whose pages the kernel writes to
   * the flash after every commit, and no reader holds up an overwriting.
   */
  readonly exclusive?: boolean;
  /** Looks at every page and scrubs before anything else is done; preset: true. False: the caller scrubs. */
  readonly checked?: boolean;
  /**
   * Without what is in it the product does as well: a damaged file, or one of another program, is not put
   * aside. STORE_CORRUPT, and it stays where it is for the caller to erase.
   */
  readonly expendable?: boolean;
};

export type SqliteFile = {
  /** Runs `work` on the database; what SQLite throws becomes an AgentError here and nowhere else. */
  run<T>(work: (db: Database.Database) => T): T;
  /** The same in one transaction that holds the write lock from its beginning. */
  transaction<T>(work: () => T): T;
  /**
   * Each of these deletions in a transaction, then overwritten in every file: see sqlite-scrub.ts. False: they
   * are deleted, but still to be scrubbed. Needs `exclusive`.
   */
  erase(deletions: readonly (() => void)[]): boolean;
  /** Overwrites what has been deleted, in every file. False: others are reading, or the disk is full. */
  scrub(patience: 'wait' | 'at once'): boolean;
  /** Scrubs what it can and closes; may be called again. */
  close(): void;
};

/** How long a statement waits for another process before it fails. */
const lockTimeoutMs = 2000;

/** On a full disk a long -wal is room the database lacks. */
const presetCheckpointBytes = 256 * 1024;

/**
 * Opens or creates a database of mode 0600 in a folder made with mode 0700. Every commit is on the disk
 * when it returns (FULL: the library's default in WAL mode is NORMAL, which a power cut undoes) and what
 * is deleted is overwritten.
 * @throws STORE_CORRUPT (the file was put aside) STORE_NEWER STORE_READ_ONLY STORE_FULL STORE_FAILED
 */
export function openSqlite(options: SqliteOptions, schema: SqliteSchema): SqliteFile {
  const { file, readOnly = false, expendable = false } = options;
  let db: Database.Database | undefined;
  let gaps: PageGaps | undefined;
  let broken: AgentError | undefined;
  const attempt = <T>(work: () => T): T => {
    if (broken) throw broken;
    try {
      return work();
    } catch (cause) {
      const error = storeError(cause, file);
      if (!isDamage(error)) throw error;
      // Renamed before it is closed: closing would remove the -wal.
      broken = readOnly || expendable ? error : quarantined(error, file);
      closeFiles();
      throw broken;
    }
  };
  const scrubbed = (patience: 'wait' | 'at once') => {
    if (readOnly) return false;
    const work = () => scrub(opened, gaps);
    return attempt(() => (patience === 'wait' ? work() : withoutWaiting(opened, work)));
  };
  const opened = openConfigured();
  // A process that died between an erasure and its scrubbing left the old pages in its -wal.
  try {
    if (options.checked !== false) scrubbed('at once');
  } catch (error) {
    closeFiles();
    throw error;
  }
  return {
    run: (work) => attempt(() => work(opened)),
    transaction: (work) => attempt(() => opened.transaction(work).immediate()),
    erase: (deletions) =>
      attempt(() => {
        if (!gaps) throw new TypeError(`${file} is not opened for one process only`);
        return erase(opened, deletions, gaps);
      }),
    scrub: scrubbed,
    close() {
      if (!opened.open) return;
      try {
        // The last one to close removes the -wal: what is in it must be overwritten before.
        scrubbed('at once');
      } finally {
        closeFiles();
      }
    },
  };

  function closeFiles(): void {
    db?.close();
    gaps?.close();
  }

  function openConfigured(): Database.Database {
    try {
      return attempt(() => {
        if (!readOnly) prepareFile(file);
        accessSync(file, constants.R_OK);
        db = new Database(file, {
          readonly: readOnly,
          fileMustExist: true,
          timeout: lockTimeoutMs,
        });
        configure(db, options, schema);
        if (options.exclusive) gaps = openPageGaps(file);
        return db;
      });
    } catch (error) {
      closeFiles();
      throw error;
    }
  }
}

/**
 * Runs `work`, whose statements fit the schema: where one does not ("no such table"), the schema that the
 * file claims to have is damaged.
 */
export function fitting<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (systemCode(error) !== 'SQLITE_ERROR' || !(error instanceof Error)) throw error;
    throw damage(error.message);
  }
}

/** What SQLite would throw had it seen the damage itself. */
export function damage(what: string): Error {
  return new Database.SqliteError(what, 'SQLITE_CORRUPT');
}

function withoutWaiting<T>(db: Database.Database, work: () => T): T {
  db.pragma('busy_timeout = 0');
  try {
    return work();
  } finally {
    db.pragma(`busy_timeout = ${lockTimeoutMs}`);
  }
}

/** The file exists, is ours alone, and can be used. SQLite gives -wal and -shm the same mode. */
function prepareFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
  accessSync(file, constants.W_OK);
  accessSync(dirname(file), constants.W_OK);
  for (const path of [file, `${file}-wal`, `${file}-shm`]) {
    const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
    if (mode & 0o077) chmodSync(path, 0o600);
  }
}

function configure(db: Database.Database, options: SqliteOptions, schema: SqliteSchema): void {
  const {
    file,
    readOnly = false,
    maxSizeBytes,
    pageSizeBytes,
    exclusive,
    checked = true,
  } = options;
  if (exclusive) {
    db.pragma('locking_mode = EXCLUSIVE'); // before the first look: later would be with a -shm
    db.pragma('cache_spill = OFF');
  }
  // Before anything is written: the file may be another program's, or a newer doorkeep's.
  const version = checkedVersion(db, options, schema);
  db.pragma('mmap_size = 0'); // a mapped file that shrinks kills the process
  db.pragma('trusted_schema = OFF');
  db.pragma('cell_size_check = ON');
  db.pragma('temp_store = MEMORY');
  db.pragma('foreign_keys = ON');
  if (readOnly) {
    if (version === schema.migrations.length) return;
    throw new AgentError('STORE_READ_ONLY', `${file} needs to be opened for writing once`);
  }
  db.pragma('secure_delete = ON');
  if (pageSizeBytes !== undefined) db.pragma(`page_size = ${pageSizeBytes}`);
  if (db.pragma('journal_mode = WAL', { simple: true }) !== 'wal') {
    throw new AgentError(
      'STORE_FAILED',
      `${file} is on a file system that allows no shared memory`,
    );
  }
  db.pragma('synchronous = FULL');
  const pageBytes = Number(db.pragma('page_size', { simple: true }));
  const { checkpointBytes = presetCheckpointBytes } = options;
  db.pragma(`wal_autocheckpoint = ${Math.ceil(checkpointBytes / pageBytes)}`);
  if (maxSizeBytes !== undefined) {
    db.pragma(`max_page_count = ${Math.floor(maxSizeBytes / pageBytes)}`);
  }
  if (version < schema.migrations.length) fitting(() => migrate(db, schema));
  if (!checked) return;
  const finding = db.pragma('quick_check(1)', { simple: true });
  if (finding !== 'ok') throw damage(String(finding));
}

/** The schema's version in the file: 0 for a new one. */
function checkedVersion(
  db: Database.Database,
  { file, expendable }: SqliteOptions,
  schema: SqliteSchema,
): number {
  const version = Number(db.pragma('user_version', { simple: true }));
  const owner = Number(db.pragma('application_id', { simple: true }));
  const tables = Number(db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get());
  if (owner !== schema.applicationId && (owner !== 0 || version !== 0 || tables !== 0)) {
    if (expendable) throw damage('it is of another program');
    throw new AgentError('STORE_FAILED', `${file} is a database of another program`);
  }
  if (version < 0) throw damage(`schema ${version}`);
  if (version > schema.migrations.length) {
    throw new AgentError(
      'STORE_NEWER',
      `${file} has schema ${version}, this doorkeep knows ${schema.migrations.length}`,
    );
  }
  return version;
}

/** In one transaction, and from the version read inside it: another process may have been faster. */
function migrate(db: Database.Database, { applicationId, migrations }: SqliteSchema): void {
  db.transaction(() => {
    const from = Number(db.pragma('user_version', { simple: true }));
    for (const step of migrations.slice(from)) db.exec(step);
    db.pragma(`application_id = ${applicationId}`);
    db.pragma(`user_version = ${migrations.length}`);
  }).immediate();
}
