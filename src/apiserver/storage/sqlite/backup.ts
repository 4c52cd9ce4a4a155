import { existsSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { StorageFailedError } from '../storage.ts';
import { toStorageFailure } from './sqlite-error.ts';

/**
 * Writes a consistent copy of the database at `path` to the new file `target` (mode 0600) while the database is in use, in a thread
 * of its own. The file appears complete or not at all. @throws StorageFailedError
 */
export async function backupDatabase(path: string, target: string): Promise<void> {
  if (existsSync(target)) {
    throw new StorageFailedError('unavailable', `${target}: the file exists already`);
  }
  const partial = `${target}.partial`;
  try {
    await rm(partial, { force: true });
    const file = await open(partial, 'wx', 0o600);
    try {
      await copyInThread(path, partial);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, target);
    const directory = await open(dirname(target));
    await directory.sync();
    await directory.close();
  } catch (error) {
    await rm(partial, { force: true });
    throw toStorageFailure(error, target);
  }
}

function copyInThread(path: string, target: string): Promise<void> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const worker = new Worker(new URL(`./backup-thread.${extension}`, import.meta.url), {
    workerData: { path, target },
    execArgv: [],
  });
  return new Promise((resolve, reject) => {
    let done = false;
    worker.on('message', () => (done = true));
    worker.on('error', reject);
    worker.on('exit', () => (done ? resolve() : reject(new Error('the copying thread ended early'))));
  });
}
