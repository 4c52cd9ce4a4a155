import { createHash } from 'node:crypto';
import type { Clock } from '../../../base/clock.ts';
import type { KubeClient } from '../../../kubeclient/client.ts';
import { ApiError, ConnectionError } from '../../../kubeclient/api-error.ts';
import type { Lister } from '../../../kubeclient/informer.ts';
import { splitKey } from '../../../kubeclient/store.ts';
import type { Component } from '../../../reconcile/component.ts';
import type { ReconcileResult } from '../../../reconcile/controller.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';
import { ANNOTATION_PAUSED } from '../../provisioning/names.ts';
import { tenantClusterComponents } from '../../provisioning/tenant-cluster/all.ts';
import type { TenantClusterInput } from '../../provisioning/tenant-input.ts';
import { conditionMessage } from '../condition-message.ts';
import type { TenantHandoffs } from './handoff.ts';
import type { TenantReports } from './reports.ts';

/** How often everything is applied again, so that what somebody deleted in the tenant comes back. */
export const DRIFT_MS = 5 * 60_000;

export interface TenantClusterDependencies {
  readonly tenants: Lister<TenantControlPlane>;
  readonly handoffs: TenantHandoffs;
  readonly reports: TenantReports;
  readonly clock: Clock;
  /** A client with all rights in the tenant; undefined while there is no CA. */
  clientFor(tenant: TenantControlPlane, signal: AbortSignal): Promise<KubeClient | undefined>;
  /** Applies one component in the tenant and prunes what it no longer describes. */
  apply(
    client: KubeClient,
    component: Component<TenantClusterInput>,
    input: TenantClusterInput,
    signal: AbortSignal,
  ): Promise<void>;
}

/**
 * Puts into a tenant's cluster what `kubeadm init` would have put there, and the add-ons. Reports to the tenant controller,
 * which owns the status. Runs apart from it, so that a tenant that hangs holds up nobody else.
 */
export function createTenantClusterReconciler(dependencies: TenantClusterDependencies) {
  const { tenants, handoffs, reports, clock } = dependencies;
  /** Key to what is in place and since when. */
  const inPlace = new Map<string, { readonly uid: string; readonly checksum: string; readonly atMs: number }>();

  return async function reconcileTenantCluster(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const { namespace, name } = splitKey(key);
    const tenant = tenants.get(namespace, name);
    if (tenant === undefined || tenant.metadata.deletionTimestamp !== undefined) {
      inPlace.delete(key);
      return {};
    }
    if (tenant.metadata.annotations?.[ANNOTATION_PAUSED] !== undefined) return {};
    const uid = tenant.metadata.uid ?? '';
    const handoff = handoffs.get(uid);
    if (handoff === undefined || !handoff.available) return {};
    const { input } = handoff;
    const generation = input.tenant.metadata.generation ?? 0;
    const checksum = contentOf(input);
    const remembered = inPlace.get(key);
    const known = remembered?.uid === uid ? remembered : undefined;
    const dueInMs = known?.checksum === checksum ? known.atMs + DRIFT_MS - clock.now() : 0;
    const configured = { configured: true, reason: 'ObjectsInPlace', message: '', generation, checksum };
    if (dueInMs > 0) {
      // A new generation that asks for nothing new here.
      reports.set(uid, key, configured);
      return { requeueAfterMs: dueInMs };
    }
    try {
      const client = await dependencies.clientFor(input.tenant, signal);
      if (client === undefined) return { requeueAfterMs: 1_000 };
      for (const component of tenantClusterComponents) await dependencies.apply(client, component, input, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      // A report of a tenant that went meanwhile would be kept for ever.
      const isThere = tenants.get(namespace, name)?.metadata.uid === uid;
      if (known === undefined && isThere)
        reports.set(uid, key, { configured: false, ...explain(error), generation, checksum });
      throw error;
    }
    if (tenants.get(namespace, name)?.metadata.uid !== uid) return {};
    inPlace.set(key, { uid, checksum, atMs: clock.now() });
    reports.set(uid, key, configured);
    return { requeueAfterMs: DRIFT_MS };
  };
}

function contentOf(input: TenantClusterInput): string {
  const hash = createHash('sha256');
  for (const component of tenantClusterComponents) hash.update(JSON.stringify(component.desired(input)));
  return hash.digest('hex');
}

function explain(error: unknown): { readonly reason: string; readonly message: string } {
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof ApiError) {
    return { reason: 'TenantRefused', message: conditionMessage(`the tenant's API refused: ${text}`) };
  }
  if (error instanceof ConnectionError) {
    return { reason: 'TenantUnreachable', message: conditionMessage(`the tenant's API does not answer yet: ${text}`) };
  }
  return { reason: 'Failed', message: conditionMessage(text) };
}
