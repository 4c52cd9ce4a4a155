/** The contract of a storage driver on real servers: etcd in the clear, etcd with TLS and users, and kine. */
import { afterAll, afterEach, beforeAll, describe, test } from 'vitest';
import { storageConformance, type ConformanceStore } from '../../src/apiserver/storage/conformance.ts';
import { sharedConformance } from '../../src/apiserver/storage/shared-conformance.ts';
import { EtcdStorage } from '../../src/apiserver/storage/etcd/etcd-storage.ts';
import { eventually } from '../env/run.ts';
import { startStoreServer, STORE_PREFIX, type StoreServer, type StoreServerKind } from '../env/store-server.ts';

const KINDS: readonly StoreServerKind[] = ['etcd', 'etcd-secure', 'kine'];

describe.each(KINDS)('%s', (kind) => {
  let server: StoreServer;
  let opened: EtcdStorage[] = [];
  let stores = 0;

  beforeAll(async () => {
    // Another database behind kine than SQLite, where one is at hand.
    const endpoint = process.env['KINE_ENDPOINT'];
    server = await startStoreServer(kind, endpoint === undefined ? {} : { endpoint });
  });
  afterEach(async () => {
    await Promise.all(opened.map((storage) => storage.close()));
    opened = [];
  });
  afterAll(() => server.remove());

  async function openStore(prefix: string): Promise<ConformanceStore> {
    const storage = await EtcdStorage.open({ client: await server.client(), prefix, compactMs: 0 });
    opened.push(storage);
    return {
      storage,
      compact: async () => {
        const administrator = await server.client('administrator');
        // kine compacts what its own poll of the database has seen, which may be a moment behind what it has acknowledged.
        const compactAll = () => storage.compact(administrator).then(() => true);
        await (kind === 'kine' ? eventually('kine to have seen its own writes', compactAll) : compactAll());
        administrator.close();
      },
      reopen: async () => {
        await storage.close();
        return openStore(prefix);
      },
    };
  }

  for (const { name, run } of storageConformance) {
    test(name, () => run({ open: () => openStore(`${STORE_PREFIX}/${++stores}`) }), 60_000);
  }

  describe('shared by several processes', () => {
    const openAll = async (count: number): Promise<readonly EtcdStorage[]> => {
      const prefix = `${STORE_PREFIX}/${++stores}`;
      const all = Array.from({ length: count }, async () => (await openStore(prefix)).storage as EtcdStorage);
      return Promise.all(all);
    };
    const lingers = { lingeringClaims: 'kine has no transactions over several keys' };
    const harness = { openAll, ...(kind === 'kine' && lingers) };
    for (const { name, run } of sharedConformance) test(name, () => run(harness), 60_000);
  });
});
