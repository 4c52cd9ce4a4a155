import { DatabaseSync } from 'node:sqlite';
import { StorageFailedError } from '../storage.ts';

/** "Kama" in ASCII; marks a file as ours. */
const APPLICATION_ID = 0x4b616d61;
const FORMAT_VERSION = 1;

/**
 * `current` is the newest state. `history` is an undo log: the row of a revision holds what that write replaced, so a
 * value is stored once; what the write put there is in the key's next row, or in `current` when there is none.
 * `previous` is the last column so that a scan by key never touches the overflow pages of big values.
 */
const TABLES = `
CREATE TABLE state(
  id INTEGER PRIMARY KEY CHECK (id = 1),
  revision INTEGER NOT NULL,
  compacted INTEGER NOT NULL
) STRICT;
INSERT INTO state(id, revision, compacted) VALUES (1, 1, 0);
CREATE TABLE current(
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  revision INTEGER NOT NULL,
  value TEXT NOT NULL
) STRICT;
CREATE TABLE history(
  revision INTEGER PRIMARY KEY,
  key TEXT NOT NULL,
  time_ms INTEGER NOT NULL,
  previous_revision INTEGER,
  previous TEXT
) STRICT;
CREATE INDEX history_by_key ON history(key, revision);
CREATE TABLE claims(
  claim TEXT PRIMARY KEY,
  key TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX claims_by_key ON claims(key);
`;

/**
 * Opens the one connection that writes. Every commit is durable when it returns (write-ahead log, synchronous=FULL).
 * @throws StorageFailedError for a file that is not ours, damaged, or of a newer format; SQLite's own errors.
 */
export function openWriter(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 5000 });
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864;');
    db.exec('PRAGMA cache_size = -4096; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;');
    // Savepoints of a large group spill into a temporary file, and the root filesystem of our image is read-only.
    db.exec('PRAGMA temp_store = MEMORY;');
    if (pragma(db, 'journal_mode') !== 'wal') {
      throw new StorageFailedError('unavailable', `${path}: this file system cannot hold a write-ahead log`);
    }
    checkFormat(db, path);
    const verdict = Object.values(db.prepare('PRAGMA quick_check(1)').get() ?? {})[0];
    if (verdict !== 'ok') {
      throw new StorageFailedError('corrupt', `${path}: the database is damaged; restore a backup: ${String(verdict)}`);
    }
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Opens a connection that can only read; the file must have been prepared by `openWriter`. */
export function openReader(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 5000 });
  db.exec(
    'PRAGMA query_only = ON; PRAGMA cache_size = -4096; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;',
  );
  return db;
}

function checkFormat(db: DatabaseSync, path: string): void {
  const applicationId = pragma(db, 'application_id');
  const version = Number(pragma(db, 'user_version'));
  const tables = Number(db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n']);
  if (applicationId === 0 && version === 0 && tables === 0) {
    db.exec(
      `BEGIN IMMEDIATE; ${TABLES} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT_VERSION}; COMMIT;`,
    );
    return;
  }
  if (applicationId !== APPLICATION_ID) {
    throw new StorageFailedError('incompatible', `${path}: this is a database of another program`);
  }
  if (version !== FORMAT_VERSION) {
    throw new StorageFailedError(
      'incompatible',
      `${path}: the database has format ${version}, this program knows ${FORMAT_VERSION}`,
    );
  }
}

function pragma(db: DatabaseSync, name: string): unknown {
  return Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}
