import type { KubeClient } from '../../../kubeclient/client.ts';
import {
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  CONFIG_MAPS,
  DAEMON_SETS,
  DEPLOYMENTS,
  ROLE_BINDINGS,
  ROLES,
  SERVICE_ACCOUNTS,
  SERVICES,
} from '../../../kubeclient/resources.ts';
import { objectKey } from '../../../kubeclient/store.ts';
import { ComponentApplier } from '../../../reconcile/apply-component.ts';
import { createController, type Controller } from '../../../reconcile/controller.ts';
import { FIELD_MANAGER, LABEL_COMPONENT, LABEL_PROJECT, PROJECT } from '../../provisioning/names.ts';
import type { ControllerContext } from '../all.ts';
import { DRIFT_MS, createTenantClusterReconciler } from './reconcile.ts';

const CONCURRENCY = 16;
/** A tenant that says nothing for so long holds its place no longer, so that those who answer get theirs. */
const PROBE_MS = 5_000;

/** Every kind that goes into a tenant's cluster; where leftovers of an earlier configuration are looked for. */
const TENANT_RESOURCES = [
  CONFIG_MAPS,
  SERVICE_ACCOUNTS,
  SERVICES,
  ROLES,
  ROLE_BINDINGS,
  CLUSTER_ROLES,
  CLUSTER_ROLE_BINDINGS,
  DEPLOYMENTS,
  DAEMON_SETS,
];

export function createTenantClusterController(context: ControllerContext): Controller {
  const { tenants, handoffs, reports, access, clock, log } = context;
  /** What an applier remembers is true of one cluster; it goes when the client does. */
  const appliers = new WeakMap<KubeClient, ComponentApplier>();
  const applierFor = (client: KubeClient): ComponentApplier => {
    const known = appliers.get(client);
    if (known !== undefined) return known;
    const applier = new ComponentApplier({
      client,
      fieldManager: FIELD_MANAGER,
      componentLabel: LABEL_COMPONENT,
      pruneResources: TENANT_RESOURCES,
      // A little less than the time between two looks, so that each of them applies.
      trustMs: DRIFT_MS - 10_000,
      concurrency: 4,
      clock,
      log,
      metrics: context.metrics,
    });
    appliers.set(client, applier);
    return applier;
  };
  const controller = createController({
    name: 'tenant-cluster',
    reconcile: createTenantClusterReconciler({
      tenants,
      handoffs,
      reports,
      clock,
      async clientFor(tenant, signal) {
        const client = await access.clientFor(tenant, signal);
        await client?.request('GET', '/readyz', { signal, timeoutMs: PROBE_MS });
        return client;
      },
      async apply(client, component, input, signal) {
        const labels = { [LABEL_PROJECT]: PROJECT };
        await applierFor(client).apply(component, input, { owner: input.tenant, sameCluster: false, labels, signal });
      },
    }),
    concurrency: CONCURRENCY,
    timeoutMs: 30_000,
    backoff: { initialMs: 150, maxMs: 15_000, jitter: 0.2 },
    caches: [tenants],
    clock,
    log,
    metrics: context.metrics,
  });
  handoffs.onChange((key) => controller.enqueue(key));
  tenants.onChange({ delete: (tenant) => controller.enqueue(objectKey(tenant)) });
  return controller;
}
