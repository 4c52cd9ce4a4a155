import { isAbsolute } from 'node:path';
import type { StorageDriverOptions } from '../drivers.ts';
import { SqliteStorage } from './sqlite-storage.ts';

/** Opens `sqlite:///absolute/path`. @throws TypeError for any other URL, StorageFailedError */
export async function openSqliteStorage(url: string, options: StorageDriverOptions): Promise<SqliteStorage> {
  return SqliteStorage.open({ ...options, path: databasePath(url) });
}

/** The file that a `sqlite:` URL names. @throws TypeError */
export function databasePath(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const path = parsed === undefined ? '' : decodeURIComponent(parsed.pathname);
  const plain = parsed !== undefined && parsed.host === '' && parsed.search === '' && parsed.hash === '';
  if (!plain || parsed.protocol !== 'sqlite:' || !isAbsolute(path) || path.endsWith('/') || path.includes('\0')) {
    throw new TypeError(`${JSON.stringify(url)} is not of the form sqlite:///absolute/path`);
  }
  return path;
}
