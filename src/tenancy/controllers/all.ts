import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { KubeClient } from '../../kubeclient/client.ts';
import { createInformer, type Informer } from '../../kubeclient/informer.ts';
import type { Controller } from '../../reconcile/controller.ts';
import { createEventRecorder, type EventRecorder } from '../../reconcile/events.ts';
import type { DataStore } from '../api/data-store.ts';
import { DATA_STORES, TENANT_CONTROL_PLANES } from '../api/resources.ts';
import type { TenantControlPlane } from '../api/tenant-control-plane.ts';
import type { TenantAccess } from '../provisioning/tenant-access.ts';
import { createAdminCaches, type AdminCaches } from './admin-caches.ts';
import { createDataStoreController } from './data-store/controller.ts';
import { DataStoreRegistry } from './data-store/registry.ts';
import { createTenantClusterController } from './tenant-cluster/controller.ts';
import { TenantHandoffs } from './tenant-cluster/handoff.ts';
import { TenantReports } from './tenant-cluster/reports.ts';
import { createTenantController } from './tenant-control-plane/controller.ts';

/** What every controller may use. */
export interface ControllerContext {
  /** The admin cluster. */
  readonly adminClient: KubeClient;
  /** Our own API. */
  readonly kamajiClient: KubeClient;
  readonly access: TenantAccess;
  readonly admin: AdminCaches;
  readonly tenants: Informer<TenantControlPlane>;
  readonly dataStoreCache: Informer<DataStore>;
  readonly dataStores: DataStoreRegistry;
  readonly reports: TenantReports;
  readonly handoffs: TenantHandoffs;
  readonly events: EventRecorder;
  /** Renew certificates when less than this is left; a third of their lifetime when undefined. */
  readonly renewBeforeMs: number | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** Every controller, one line each. */
const CONTROLLERS: readonly ((context: ControllerContext) => Controller)[] = [
  createDataStoreController,
  createTenantController,
  createTenantClusterController,
];

export interface ControllersOptions extends Pick<
  ControllerContext,
  'adminClient' | 'kamajiClient' | 'access' | 'renewBeforeMs' | 'clock' | 'log' | 'metrics'
> {
  /** Of this process, for Events. */
  readonly instance: string;
}

/** Runs all controllers with the caches that they share, until `signal` aborts. */
export async function runControllers(options: ControllersOptions, signal: AbortSignal): Promise<void> {
  const { adminClient, kamajiClient, clock, log } = options;
  const context: ControllerContext = {
    ...options,
    admin: createAdminCaches(adminClient, clock, log),
    tenants: createInformer({ client: kamajiClient, resource: TENANT_CONTROL_PLANES, clock, log }),
    dataStoreCache: createInformer({ client: kamajiClient, resource: DATA_STORES, clock, log }),
    dataStores: new DataStoreRegistry(),
    reports: new TenantReports(),
    handoffs: new TenantHandoffs(),
    events: createEventRecorder({ client: adminClient, component: 'kamaji', instance: options.instance, log, clock }),
  };
  const controllers = CONTROLLERS.map((create) => create(context));
  await Promise.all([
    context.admin.run(signal),
    context.tenants.run(signal),
    context.dataStoreCache.run(signal),
    context.events.run(signal),
    ...controllers.map((controller) => controller.run(signal)),
  ]);
}
