import { isNotFound } from '../../../kubeclient/api-error.ts';
import { commitStatus } from '../../../reconcile/committer.ts';
import { createController, type Controller } from '../../../reconcile/controller.ts';
import type { KubeObject } from '../../../apimachinery/object.ts';
import { objectKey } from '../../../kubeclient/store.ts';
import { resourceFor, SECRETS, SERVICES } from '../../../kubeclient/resources.ts';
import { ComponentApplier } from '../../../reconcile/apply-component.ts';
import { API_VERSION } from '../../api/group.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';
import type { TenantControlPlaneStatus } from '../../api/tenant-control-plane-status.ts';
import { TENANT_CONTROL_PLANES } from '../../api/resources.ts';
import { FIELD_MANAGER, LABEL_NAME, LABEL_PART, LABEL_PROJECT, PROJECT } from '../../provisioning/names.ts';
import type { LiveSecret } from '../../provisioning/existing-secrets.ts';
import type { ControllerContext } from '../all.ts';
import type { LiveDeployment } from './facts.ts';
import { turnedConditions } from './announce.ts';
import { findPodTrouble } from './pod-trouble.ts';
import { createProvisioner } from './provision.ts';
import { RecentWrites } from './recent.ts';
import { createTenantReconciler } from './reconcile.ts';

const CONCURRENCY = 8;
/** Objects of a list do not say what they are. */
const TENANT_TYPE = { apiVersion: API_VERSION, kind: 'TenantControlPlane' } as const;

/** Joins the steps of a tenant's life with the clients and caches that they work on. */
export function createTenantController(context: ControllerContext): Controller {
  const { adminClient, kamajiClient, admin, tenants, dataStores, reports, handoffs, events, access, clock, log } =
    context;
  const applier = new ComponentApplier({
    client: adminClient,
    fieldManager: FIELD_MANAGER,
    componentLabel: LABEL_PART,
    caches: admin.all,
    clock,
    log,
    metrics: context.metrics,
  });
  const secrets = new RecentWrites<LiveSecret>(admin.secrets, clock);
  const deployments = new RecentWrites<KubeObject>(admin.deployments, clock);
  const services = new RecentWrites<KubeObject>(admin.services, clock);
  const recent: Readonly<Record<string, RecentWrites<KubeObject>>> = {
    Secret: secrets,
    Deployment: deployments,
    Service: services,
  };
  /** Answers the object as a whole: what was not sent may come with its metadata alone. */
  const remember = (object: KubeObject): KubeObject => {
    const { namespace = '', name = '' } = object.metadata;
    recent[object.kind]?.remember(object);
    return recent[object.kind]?.get(namespace, name) ?? object;
  };
  const scope = (owner: TenantControlPlane, signal: AbortSignal) => ({
    owner,
    sameCluster: true,
    labels: { [LABEL_PROJECT]: PROJECT, [LABEL_NAME]: owner.metadata.name ?? '' },
    signal,
  });
  admin.secrets.onChange({ delete: (object) => secrets.forget(object) });
  admin.deployments.onChange({ delete: (object) => deployments.forget(object) });
  admin.services.onChange({ delete: (object) => services.forget(object) });

  const forget = (uid: string): void => {
    applier.forget(uid);
    access.forget(uid);
    handoffs.delete(uid);
  };

  const provisioner = createProvisioner({
    dataStores,
    clock,
    renewBeforeMs: context.renewBeforeMs,
    liveSecret: (namespace, name) => secrets.get(namespace, name),
    readSecret: (namespace, name, signal) => adminClient.find(SECRETS, namespace, name, { signal }),
    findService: async (namespace, name, signal) =>
      services.get(namespace, name) ?? (await adminClient.find(SERVICES, namespace, name, { signal })),
    async createOwned(tenant, object, signal) {
      const { apiVersion, kind } = TENANT_TYPE;
      const { name = '', uid = '' } = tenant.metadata;
      const owner = { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
      const owned = { ...object, metadata: { ...object.metadata, ownerReferences: [owner] } };
      const live = await adminClient.create(resourceFor(owned), owned, { signal });
      return remember(live);
    },
    async apply(tenant, component, input, signal) {
      const { live } = await applier.apply(component, input, scope(tenant, signal));
      return live.map(remember);
    },
    async removeAll(tenant, signal) {
      const uid = tenant.metadata.uid ?? '';
      for (const { cache, object } of admin.ownedBy(uid)) {
        const { namespace = '', name = '', uid: objectUid = '' } = object.metadata;
        await adminClient.delete(cache.resource, namespace, name, {
          uid: objectUid,
          propagationPolicy: 'Background',
          signal,
        });
      }
      forget(uid);
    },
  });

  const reconcile = createTenantReconciler({
    tenants,
    dataStores,
    dataStoreExists: (name) => context.dataStoreCache.get('', name) !== undefined,
    reports,
    handoffs,
    provisioner,
    clock,
    liveDeployment: (namespace, name) => deployments.get(namespace, name) as LiveDeployment | undefined,
    findPodTrouble: (deployment, signal) => findPodTrouble(adminClient, deployment, clock, signal),
    addFinalizer(tenant, finalizer, signal) {
      const finalizers = [...(tenant.metadata.finalizers ?? []), finalizer];
      return patchFinalizers(tenant, finalizers, signal);
    },
    async removeFinalizer(tenant, finalizer, signal) {
      try {
        await patchFinalizers(
          tenant,
          (tenant.metadata.finalizers ?? []).filter((other) => other !== finalizer),
          signal,
        );
      } catch (error) {
        // A pass on a cache that lags: it is gone already.
        if (!isNotFound(error)) throw error;
      }
    },
    async commitStatus(tenant, next, signal) {
      // Our cache may lag behind our own last write: what turned is told by the object that the write was based on.
      let base = tenant;
      const nextOf = (current: TenantControlPlane): TenantControlPlaneStatus => next((base = current));
      const committed = await commitStatus({
        client: kamajiClient,
        resource: TENANT_CONTROL_PLANES,
        object: tenant,
        next: nextOf,
        signal,
      });
      if (committed?.status !== undefined) announce(base, committed.status);
    },
  });

  function patchFinalizers(tenant: TenantControlPlane, finalizers: readonly string[], signal: AbortSignal) {
    const { namespace = '', name = '', resourceVersion, uid } = tenant.metadata;
    const patch = { metadata: { finalizers, resourceVersion, uid } };
    return kamajiClient.mergePatch(TENANT_CONTROL_PLANES, namespace, name, patch, { signal });
  }

  function announce(tenant: TenantControlPlane, status: TenantControlPlaneStatus): void {
    for (const { type, reason, message } of turnedConditions(tenant.status?.conditions, status.conditions)) {
      events.event({ ...tenant, ...TENANT_TYPE }, type, reason, message);
    }
  }

  const controller = createController({
    name: 'tenant-control-plane',
    reconcile,
    concurrency: CONCURRENCY,
    caches: [tenants, context.dataStoreCache, ...admin.all],
    backoff: { initialMs: 200, maxMs: 60_000, jitter: 0.2 },
    clock,
    log,
    metrics: context.metrics,
  });
  const enqueue = (key: string): void => controller.enqueue(key);
  tenants.onChange({
    add: (tenant) => enqueue(objectKey(tenant)),
    update: (_old, tenant) => enqueue(objectKey(tenant)),
    // Once more, for one whose finalizer somebody took away.
    delete: (tenant) => {
      const { uid = '' } = tenant.metadata;
      forget(uid);
      provisioner.forget(uid);
      reports.delete(uid);
    },
  });
  admin.onChange(enqueue);
  reports.onChange(enqueue);
  dataStores.onChange((name) => {
    for (const tenant of tenants.list()) if (tenant.spec.dataStore === name) enqueue(objectKey(tenant));
  });
  return controller;
}
