import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EtcdStorage } from '../../src/apiserver/storage/etcd/etcd-storage.ts';
import { SqliteStorage } from '../../src/apiserver/storage/sqlite/sqlite-storage.ts';
import type { Storage } from '../../src/apiserver/storage/storage.ts';
import { EtcdClient } from '../../src/etcdclient/client.ts';
import { startEtcd } from '../env/etcd.ts';

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

async function openEtcd(): Promise<TestStore> {
  const etcd = await startEtcd({ auth: false });
  const { tls } = etcd.connection;
  const [host = '', port] = etcd.endpoint.split(':');
  const client = new EtcdClient({
    servers: [{ address: { host, port: Number(port) }, secure: true }],
    credentials: { tls: { ca: tls?.caCertificate, certificate: tls?.client?.certificate, key: tls?.client?.key } },
  });
  const storage = await EtcdStorage.open({ client, prefix: '/registry', compactMs: 0 });
  return {
    storage,
    compact: (revision) => storage.compact(client, revision),
    remove: async () => {
      await storage.close();
      await etcd.remove();
    },
  };
}

/** By the name of the storage driver. */
export const openTestStore: Readonly<Record<string, () => Promise<TestStore>>> = {
  sqlite: openSqlite,
  etcd: openEtcd,
};
