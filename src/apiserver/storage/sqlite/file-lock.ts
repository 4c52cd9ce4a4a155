import { chmodSync, closeSync, existsSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { StorageFailedError } from '../storage.ts';
import { isSqliteError } from './sqlite-error.ts';

const SQLITE_BUSY = 5;

/**
 * Holds `<path>.lock` until `release`. The lock is the operating system's own (SQLite's exclusive lock on an empty file), so
 * it ends with the process, however that dies, and leaves nothing stale behind.
 * @throws StorageFailedError `in-use`
 */
export function lockFile(path: string): { release(): void } {
  const lockPath = `${path}.lock`;
  makePrivateFile(lockPath);
  const db = new DatabaseSync(lockPath);
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE;');
  } catch (error) {
    db.close();
    if (isSqliteError(error) && (error.errcode & 0xff) === SQLITE_BUSY) {
      throw new StorageFailedError(
        'in-use',
        `${path}: the database is in use by another process (it holds ${lockPath})`,
        {
          cause: error,
        },
      );
    }
    throw error;
  }
  return { release: () => db.close() };
}

/**
 * Makes sure that the file exists and is readable by its owner alone. Never opens an existing file: when a process closes any
 * descriptor of a file, it loses all its (POSIX) locks on it, those of SQLite included.
 */
export function makePrivateFile(path: string): void {
  if (!existsSync(path)) {
    closeSync(openSync(path, 'wx', 0o600));
  }
  chmodSync(path, 0o600);
}
