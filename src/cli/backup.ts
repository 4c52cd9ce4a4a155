import { randomUUID } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Writable } from 'node:stream';
import { StorageFailedError } from '../apiserver/storage/storage.ts';
import { backupDatabase } from '../apiserver/storage/sqlite/backup.ts';
import { databasePath } from '../apiserver/storage/sqlite/driver.ts';
import { restoreDatabase } from '../apiserver/storage/sqlite/restore.ts';
import { UsageError } from './usage-error.ts';

/** For node:util's parseArgs. */
export const BACKUP_OPTIONS = { storage: { type: 'string' }, to: { type: 'string' } } as const;
export const RESTORE_OPTIONS = { storage: { type: 'string' }, from: { type: 'string' } } as const;

const DEFAULT_STORAGE = 'sqlite:///var/lib/kamaji/kamaji.db';

export const BACKUP_USAGE = `flags of backup:
  --storage=${DEFAULT_STORAGE}
        what to copy; it may be in use
  --to=FILE
        a file that does not exist yet, or - for standard output

flags of restore:
  --storage=${DEFAULT_STORAGE}
        what to replace; it must not be in use
  --from=FILE
        a copy made by backup
`;

/**
 * Copies the store of a running or stopped server. `streams`: where `-` and the report go.
 * @throws UsageError, StorageFailedError; there is no half copy then
 */
export async function backup(
  values: { readonly storage?: string | undefined; readonly to?: string | undefined },
  streams: { readonly out: Writable; readonly report: Writable } = { out: process.stdout, report: process.stderr },
): Promise<number> {
  const { to = '' } = values;
  if (to === '') throw new UsageError('--to is missing: a file, or - for standard output');
  const path = pathOf(values.storage);
  // Opening a database makes one where there is none.
  if (!existsSync(path)) throw new StorageFailedError('unavailable', `${path}: there is no database`);
  if (to !== '-') {
    await backupDatabase(path, resolve(to));
    streams.report.write(`copied ${path} to ${to}\n`);
    return 0;
  }
  // Beside the database: the only place that a container with a read-only root can write to.
  const temporary = `${path}.backup-${randomUUID()}`;
  try {
    await backupDatabase(path, temporary);
    await pipeline(createReadStream(temporary), streams.out, { end: false });
  } finally {
    await rm(temporary, { force: true });
  }
  return 0;
}

/** Puts a copy in the place of the store of a stopped server. @throws UsageError, StorageFailedError; nothing is changed then */
export async function restore(
  values: { readonly storage?: string | undefined; readonly from?: string | undefined },
  report: Writable = process.stderr,
): Promise<number> {
  const { from = '' } = values;
  if (from === '') throw new UsageError('--from is missing: a file that backup has made');
  const path = pathOf(values.storage);
  const { revision, objects, previous } = await restoreDatabase(resolve(from), path);
  report.write(`${path} holds ${objects} objects; revisions go on after ${revision}\n`);
  if (previous !== undefined) report.write(`what was there before is ${previous}\n`);
  return 0;
}

function pathOf(url: string = DEFAULT_STORAGE): string {
  try {
    return databasePath(url);
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(`--storage: ${error.message}`);
    throw error;
  }
}
