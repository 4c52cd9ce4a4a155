import { commitStatus } from '../../../reconcile/committer.ts';
import { createController, type Controller } from '../../../reconcile/controller.ts';
import { SECRETS } from '../../../kubeclient/resources.ts';
import type { DataStore } from '../../api/data-store.ts';
import { DATA_STORES } from '../../api/resources.ts';
import { DataStorePool } from '../../provisioning/datastore/pool.ts';
import { resolveDataStore } from '../../provisioning/datastore/resolve-data-store.ts';
import type { ControllerContext } from '../all.ts';
import { createDataStoreReconciler } from './reconcile.ts';

/** Several tenants that come and go at once are one change of `usedBy`. */
const USERS_SETTLE_MS = 1_000;

export function createDataStoreController(context: ControllerContext): Controller {
  const { adminClient, kamajiClient, dataStoreCache, tenants, dataStores, clock, log } = context;
  const pool = new DataStorePool();
  const reconcile = createDataStoreReconciler({
    dataStores: dataStoreCache,
    tenants,
    registry: dataStores,
    clock,
    resolve: (dataStore) =>
      resolveDataStore(
        dataStore,
        (namespace, name) => adminClient.find(SECRETS, namespace, name),
        new Date(clock.now()),
      ),
    open: (connection) => pool.open(connection),
    forget: (name) => pool.forget(name),
    async commitStatus(dataStore, next, signal) {
      await commitStatus({ client: kamajiClient, resource: DATA_STORES, object: dataStore, next, signal });
    },
  });
  const controller = createController({
    name: 'data-store',
    reconcile,
    caches: [dataStoreCache, tenants],
    backoff: { initialMs: 500, maxMs: 30_000, jitter: 0.2 },
    clock,
    log,
    metrics: context.metrics,
  });
  const enqueue = (dataStore: DataStore): void => controller.enqueue(dataStore.metadata.name ?? '');
  dataStoreCache.onChange({
    add: enqueue,
    // Our own status is not news.
    update: (old, next) => {
      if (old.metadata.generation !== next.metadata.generation || !sameAnnotations(old, next)) enqueue(next);
    },
    delete: enqueue,
  });
  const usersChanged = (name: string | undefined): void => {
    if (name !== undefined && name !== '') controller.enqueueAfter(name, USERS_SETTLE_MS);
  };
  tenants.onChange({
    add: (tenant) => usersChanged(tenant.spec.dataStore),
    delete: (tenant) => usersChanged(tenant.spec.dataStore),
  });
  return {
    name: controller.name,
    queue: controller.queue,
    enqueue: (key) => controller.enqueue(key),
    enqueueAfter: (key, delayMs) => controller.enqueueAfter(key, delayMs),
    async run(signal) {
      try {
        await controller.run(signal);
      } finally {
        // Open connections would keep the process alive.
        pool.close();
      }
    },
  };
}

function sameAnnotations(a: DataStore, b: DataStore): boolean {
  return JSON.stringify(a.metadata.annotations ?? {}) === JSON.stringify(b.metadata.annotations ?? {});
}
