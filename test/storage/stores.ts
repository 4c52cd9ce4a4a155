import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteStorage } from '../../src/apiserver/storage/sqlite/sqlite-storage.ts';
import type { Storage } from '../../src/apiserver/storage/storage.ts';

/** A fresh and empty store of one driver. */
export interface TestStore {
  readonly storage: Storage;
  /** Forgets all history up to and including `revision`, which stays readable itself; the same path that does it by itself. */
  compact(revision: number): Promise<void>;
  /** Closes the storage and removes what it kept. */
  remove(): Promise<void>;
}

async function openSqlite(): Promise<TestStore> {
  const folder = await mkdtemp(join(tmpdir(), 'storage-test-'));
  let keep = Number.MAX_SAFE_INTEGER;
  const storage = await SqliteStorage.open({
    path: join(folder, 'test.db'),
    historyMs: 3_600_000,
    compactMs: 0,
    // Read anew at each compaction.
    get historyWrites() {
      return keep;
    },
  });
  return {
    storage,
    compact: async (revision) => {
      keep = (await storage.currentRevision()) - revision;
      await storage.compact();
      keep = Number.MAX_SAFE_INTEGER;
    },
    remove: async () => {
      await storage.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** By the name of the storage driver. */
export const openTestStore: Readonly<Record<string, () => Promise<TestStore>>> = {
  sqlite: openSqlite,
};
