import type { Condition } from '../../../apimachinery/object.ts';
import type { Clock } from '../../../base/clock.ts';
import { ApiError, ConnectionError } from '../../../kubeclient/api-error.ts';
import type { Lister } from '../../../kubeclient/informer.ts';
import { setCondition } from '../../../reconcile/conditions.ts';
import type { ReconcileResult } from '../../../reconcile/controller.ts';
import type { DataStore, DataStoreStatus } from '../../api/data-store.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';
import { dataStoreUsers } from '../../api/tenant-identity.ts';
import { DataStoreError } from '../../provisioning/datastore/data-store-error.ts';
import type { DataStoreConnection, DataStoreDriver } from '../../provisioning/datastore/driver.ts';
import { ANNOTATION_PAUSED } from '../../provisioning/names.ts';
import { conditionMessage } from '../condition-message.ts';
import type { DataStoreRegistry, DataStoreVerdict } from './registry.ts';

const UNREADABLE = 'SecretUnreadable';
/** How often a store is asked whether it still answers. */
const HEALTHY_CHECK_MS = 60_000;
const UNHEALTHY_CHECK_MS = 5_000;

/** Condition types; the first is the summary that `kubectl wait` looks for. */
export const CONDITION_READY = 'Ready';
export const CONDITION_DELETION_ALLOWED = 'DeletionAllowed';

export interface DataStoreReconcilerDependencies {
  readonly dataStores: Lister<DataStore>;
  readonly tenants: Lister<TenantControlPlane>;
  readonly registry: DataStoreRegistry;
  readonly clock: Clock;
  /** @throws DataStoreError */
  resolve(dataStore: DataStore): Promise<DataStoreConnection>;
  /** @throws DataStoreError */
  open(connection: DataStoreConnection): DataStoreDriver;
  forget(dataStoreName: string): void;
  /** Writes what `next` says when it differs from what is stored. */
  commitStatus(dataStore: DataStore, next: (current: DataStore) => DataStoreStatus, signal: AbortSignal): Promise<void>;
}

/** Looks whether a DataStore can be used, tells tenants through the registry and people through the status. */
export function createDataStoreReconciler(dependencies: DataStoreReconcilerDependencies) {
  const { dataStores, tenants, registry, clock } = dependencies;
  return async function reconcileDataStore(name: string, signal: AbortSignal): Promise<ReconcileResult> {
    const dataStore = dataStores.get('', name);
    if (dataStore === undefined) {
      registry.delete(name);
      dependencies.forget(name);
      return {};
    }
    const verdict = await examine(dependencies, dataStore, signal);
    registry.set(name, verdict);
    // Its tenants go on while it is paused, in the next process, too.
    if (dataStore.metadata.annotations?.[ANNOTATION_PAUSED] === undefined) {
      const users = dataStoreUsers(name, tenants.list());
      const nowMs = clock.now();
      await dependencies.commitStatus(dataStore, (current) => dataStoreStatus(current, verdict, users, nowMs), signal);
    }
    return { requeueAfterMs: verdict.healthy ? HEALTHY_CHECK_MS : UNHEALTHY_CHECK_MS };
  };
}

async function examine(
  dependencies: DataStoreReconcilerDependencies,
  dataStore: DataStore,
  signal: AbortSignal,
): Promise<DataStoreVerdict> {
  try {
    const connection = await dependencies.resolve(dataStore);
    const driver = dependencies.open(connection);
    const { healthy, reason, message } = await driver.check({ signal });
    return { healthy, reason, message, use: { connection, driver } };
  } catch (error) {
    if (error instanceof DataStoreError) {
      return { healthy: false, reason: error.code, message: error.message, use: undefined };
    }
    const isUnreadable = error instanceof ApiError || error instanceof ConnectionError;
    // What was found out before is still the best that is known.
    const known = dependencies.registry.get(dataStore.metadata.name ?? '');
    const isKnown = known !== undefined && known.reason !== UNREADABLE;
    if (signal.aborted || !isUnreadable || isKnown) throw error;
    return { healthy: false, reason: UNREADABLE, message: conditionMessage(error.message), use: undefined };
  }
}

/** The next status: a function of its arguments alone. */
export function dataStoreStatus(
  dataStore: DataStore,
  verdict: Pick<DataStoreVerdict, 'healthy' | 'reason' | 'message'>,
  users: readonly string[],
  nowMs: number,
): DataStoreStatus {
  const observedGeneration = dataStore.metadata.generation ?? 0;
  const ready: Condition = {
    type: CONDITION_READY,
    status: verdict.healthy ? 'True' : 'False',
    reason: verdict.reason,
    message: verdict.message,
    observedGeneration,
  };
  const deletion: Condition = {
    type: CONDITION_DELETION_ALLOWED,
    status: users.length === 0 ? 'True' : 'False',
    reason: users.length === 0 ? 'Unused' : 'InUse',
    message: users.length === 0 ? 'no tenant uses it' : `${users.length} tenant control planes use it`,
    observedGeneration,
  };
  const old = dataStore.status?.conditions ?? [];
  return {
    observedGeneration,
    ready: verdict.healthy,
    usedBy: users,
    conditions: [ready, deletion].reduce((conditions, next) => setCondition(conditions, next, nowMs), old),
  };
}
