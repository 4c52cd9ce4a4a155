import { StorageFailedError, type StorageFailure } from '../storage.ts';

// Primary result codes, https://www.sqlite.org/rescode.html; extended codes carry them in the low byte.
const FAILURES: Readonly<Record<number, StorageFailure>> = {
  5: 'in-use',
  6: 'in-use',
  8: 'unavailable',
  10: 'unavailable',
  11: 'corrupt',
  13: 'full',
  14: 'unavailable',
  26: 'corrupt',
};

const ADVICE: Readonly<Partial<Record<StorageFailure, string>>> = {
  full: 'no space left for the database',
  corrupt: 'the database is damaged; restore a backup',
  'in-use': 'the database is in use by another process',
};

/** True for what node:sqlite throws when SQLite itself answered with an error code. */
export function isSqliteError(error: unknown): error is Error & { readonly errcode: number } {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number';
}

/** Says in our words what SQLite or the file system answered. Other errors come back as `unavailable`. */
export function toStorageFailure(error: unknown, path: string): StorageFailedError {
  if (error instanceof StorageFailedError) {
    return error;
  }
  const cause = error instanceof Error ? error : new Error(String(error));
  if (isSqliteError(error)) {
    const failure = FAILURES[error.errcode & 0xff] ?? 'unavailable';
    const advice = ADVICE[failure];
    const detail = `${error.message} (SQLite code ${error.errcode})`;
    return new StorageFailedError(failure, `${path}: ${advice === undefined ? detail : `${advice}: ${detail}`}`, {
      cause,
    });
  }
  const code = 'code' in cause ? cause.code : undefined;
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return new StorageFailedError(full ? 'full' : 'unavailable', `${path}: ${cause.message}`, { cause });
}
