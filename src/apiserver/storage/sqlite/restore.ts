import { existsSync } from 'node:fs';
import { chmod, copyFile, link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StorageFailedError } from '../storage.ts';
import { lockFile } from './file-lock.ts';
import { openWriter } from './schema.ts';
import { toStorageFailure } from './sqlite-error.ts';

/**
 * More than the writes of months: revisions that clients got after the backup was made must not be given out again, and nobody
 * knows how many there were.
 */
const REVISION_LEAP = 1_000_000_000;

export interface Restored {
  readonly revision: number;
  readonly objects: number;
  /** Where the database is that was in this place; undefined when there was none. */
  readonly previous: string | undefined;
}

/**
 * Puts a copy of the backup `source` in the place of the database `path`, which nobody may be using. Revisions go on above all that
 * were ever given out, and history begins anew, so that clients list again instead of waiting for what will never come. The place
 * holds a whole database at every moment. @throws StorageFailedError; the database is then as it was
 */
export async function restoreDatabase(source: string, path: string): Promise<Restored> {
  if (!existsSync(source)) throw new StorageFailedError('unavailable', `${source}: there is no such file`);
  const partial = `${path}.partial`;
  let lock: { release(): void } | undefined;
  try {
    lock = lockFile(path);
    await discard(partial);
    await copyFile(source, partial);
    await chmod(partial, 0o600);
    const { revision, objects } = prepare(partial, revisionOf(path));
    await flush(partial);
    const previous = await setAside(path);
    await rename(partial, path);
    await flush(dirname(path));
    return { revision, objects, previous };
  } catch (error) {
    await discard(partial);
    throw toStorageFailure(error, path);
  } finally {
    lock?.release();
  }
}

/** Checks the copy and lets its revisions go on above `floor`. */
function prepare(file: string, floor: number): { readonly revision: number; readonly objects: number } {
  const db = openWriter(file);
  try {
    const own = Number(db.prepare('SELECT revision FROM state').get()?.['revision']);
    const revision = Math.max(own, floor) + REVISION_LEAP;
    db.exec('BEGIN IMMEDIATE; DELETE FROM history;');
    db.prepare('UPDATE state SET revision = ?, compacted = ?').run(revision, revision);
    // One file again: a log beside it would have to move with it.
    db.exec('COMMIT; PRAGMA journal_mode = DELETE;');
    return { revision, objects: Number(db.prepare('SELECT count(*) AS n FROM current').get()?.['n']) };
  } finally {
    db.close();
  }
}

/** The newest revision of the database that is to be replaced; 0 where it cannot be read, which is why it is replaced. */
function revisionOf(path: string): number {
  if (!existsSync(path)) return 0;
  try {
    const db = openWriter(path);
    try {
      return Number(db.prepare('SELECT revision FROM state').get()?.['revision']);
    } finally {
      db.close();
    }
  } catch {
    return 0;
  }
}

/** Keeps what is at `path` under another name too; its log, if any, goes with it, because it must not be applied to its successor. */
async function setAside(path: string): Promise<string | undefined> {
  if (!existsSync(path)) return undefined;
  let number = 1;
  while (existsSync(`${path}.before-restore-${number}`)) number++;
  const aside = `${path}.before-restore-${number}`;
  await link(path, aside);
  if (existsSync(`${path}-wal`)) await rename(`${path}-wal`, `${aside}-wal`);
  await rm(`${path}-shm`, { force: true });
  return aside;
}

async function discard(file: string): Promise<void> {
  await Promise.all(['', '-wal', '-shm', '-journal'].map((suffix) => rm(`${file}${suffix}`, { force: true })));
}

async function flush(path: string): Promise<void> {
  const handle = await open(path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
