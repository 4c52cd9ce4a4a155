import type { Condition, KubeObject } from '../../../apimachinery/object.ts';
import { formatTimestamp } from '../../../apimachinery/time.ts';
import type { Clock } from '../../../base/clock.ts';
import { isApiError, isConflict } from '../../../kubeclient/api-error.ts';
import type { Lister } from '../../../kubeclient/informer.ts';
import { splitKey } from '../../../kubeclient/store.ts';
import { setCondition } from '../../../reconcile/conditions.ts';
import type { ReconcileResult } from '../../../reconcile/controller.ts';
import { TerminalError } from '../../../reconcile/terminal-error.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';
import type { TenantControlPlaneStatus } from '../../api/tenant-control-plane-status.ts';
import { DataStoreError } from '../../provisioning/datastore/data-store-error.ts';
import { ANNOTATION_PAUSED, FINALIZER, tenantObjectNames } from '../../provisioning/names.ts';
import { ProvisioningError } from '../../provisioning/provisioning-error.ts';
import type { TenantInput, TenantStorage } from '../../provisioning/tenant-input.ts';
import { conditionMessage } from '../condition-message.ts';
import type { DataStoreRegistry } from '../data-store/registry.ts';
import type { TenantHandoffs } from '../tenant-cluster/handoff.ts';
import type { TenantReports } from '../tenant-cluster/reports.ts';
import type { Blocked, ConditionStep, LiveDeployment, LiveService, PodTrouble, TenantFacts } from './facts.ts';
import type { Provisioner } from './provision.ts';
import { computeStatus } from './status.ts';

/** While nobody has looked at the DataStore, and for a removal that does not say when to come again. */
const WAIT_MS = 2_000;
/** What stands in the way belongs to somebody else, and no watch of ours tells when it goes. */
const BLOCKED_MS = 30_000;
/** While the pods do not run: nothing tells us what they are doing. */
const STARTING_MS = 15_000;
/** Every tenant is looked at again this often, whatever happens; certificates that are due sooner come sooner. */
const RESYNC_MS = 10 * 60_000;

export interface TenantReconcilerDependencies {
  readonly tenants: Lister<TenantControlPlane>;
  readonly dataStores: DataStoreRegistry;
  dataStoreExists(name: string): boolean;
  readonly reports: TenantReports;
  readonly handoffs: TenantHandoffs;
  readonly provisioner: Provisioner;
  readonly clock: Clock;
  liveDeployment(namespace: string, name: string): LiveDeployment | undefined;
  /** Looks at the pods of a Deployment that should be available and is not; undefined when nothing is wrong with them. */
  findPodTrouble(deployment: LiveDeployment | undefined, signal: AbortSignal): Promise<PodTrouble | undefined>;
  addFinalizer(tenant: TenantControlPlane, finalizer: string, signal: AbortSignal): Promise<TenantControlPlane>;
  removeFinalizer(tenant: TenantControlPlane, finalizer: string, signal: AbortSignal): Promise<void>;
  /** Writes what `next` says when it differs from what is stored, and tells people about the conditions that turned. */
  commitStatus(
    tenant: TenantControlPlane,
    next: (current: TenantControlPlane) => TenantControlPlaneStatus,
    signal: AbortSignal,
  ): Promise<void>;
}

/** Thrown by a step that has to wait: not an error, but a sentence for the status. */
export class Waiting extends Error {
  override readonly name = 'Waiting';
  readonly blocked: Blocked;
  /** Undefined: a watch will tell. */
  readonly retryAfterMs: number | undefined;
  constructor(step: ConditionStep, reason: string, message: string, retryAfterMs?: number) {
    super(message);
    this.blocked = { step, reason, message };
    this.retryAfterMs = retryAfterMs;
  }
}

/** What the steps of one pass find out, each for those behind it. */
export interface Pass {
  tenant: TenantControlPlane;
  storage?: TenantStorage;
  service?: LiveService;
  endpoint?: TenantFacts['endpoint'];
  /** Everything that the descriptions need; there once the certificates are. */
  input?: TenantInput;
  desired: readonly KubeObject[];
  nextRenewal?: Date;
  step: ConditionStep;
}

/**
 * One tenant, one pass: act step by step until one has to wait, then compute the whole status from what was found and
 * write it once. What a step throws becomes the status, too, before it goes to the queue's backoff.
 */
export function createTenantReconciler(dependencies: TenantReconcilerDependencies) {
  const { tenants, provisioner, reports, clock } = dependencies;

  return async function reconcileTenant(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const { namespace, name } = splitKey(key);
    const stored = tenants.get(namespace, name);
    if (stored === undefined) return {};
    if (stored.metadata.annotations?.[ANNOTATION_PAUSED] !== undefined) return {};
    if (stored.metadata.deletionTimestamp !== undefined) return tearDown(dependencies, stored, signal);

    const pass: Pass = { tenant: stored, desired: [], step: 'DataStoreReady' };
    const outcome = await act(dependencies, pass, signal);
    if (outcome.kind === 'unknown') return { requeueAfterMs: outcome.retryAfterMs };

    const deployment = dependencies.liveDeployment(namespace, tenantObjectNames(name).deployment);
    const facts: TenantFacts = {
      generation: pass.tenant.metadata.generation ?? 0,
      blocked: outcome.kind === 'done' ? undefined : outcome.blocked,
      storage: pass.storage,
      endpoint: pass.endpoint,
      desired: pass.desired,
      deployment,
      podTrouble: await dependencies.findPodTrouble(deployment, signal),
      service: pass.service,
      tenantCluster: reports.get(pass.tenant.metadata.uid ?? ''),
    };
    const now = formatTimestamp(clock.now());
    await dependencies.commitStatus(pass.tenant, (current) => computeStatus(current, facts, now), signal);
    handOff(pass, (deployment?.status?.availableReplicas ?? 0) > 0, key);
    if (outcome.kind === 'failed') throw outcome.error;
    if (outcome.kind === 'waiting') return { requeueAfterMs: outcome.retryAfterMs ?? RESYNC_MS };
    const untilRenewal = (pass.nextRenewal?.getTime() ?? Number.POSITIVE_INFINITY) - clock.now();
    const resyncMs = isStarting(deployment) ? STARTING_MS : RESYNC_MS;
    return { requeueAfterMs: Math.max(1_000, Math.min(resyncMs, untilRenewal)) };
  };

  function handOff(pass: Pass, available: boolean, key: string): void {
    const { tenant, input } = pass;
    // Gone meanwhile: nobody would take the handoff back.
    const isThere = tenants.get(tenant.metadata.namespace ?? '', tenant.metadata.name ?? '') !== undefined;
    if (input === undefined || !isThere) return;
    const pki = { ca: { certificate: input.pki.ca.certificate } };
    dependencies.handoffs.offer(tenant.metadata.uid ?? '', key, { ...input, pki }, available);
  }

  type Outcome =
    | { readonly kind: 'done' }
    | { readonly kind: 'waiting'; readonly blocked: Blocked; readonly retryAfterMs: number | undefined }
    | { readonly kind: 'failed'; readonly blocked: Blocked; readonly error: unknown }
    /** Nobody has looked at the DataStore yet: no reason to write anything. */
    | { readonly kind: 'unknown'; readonly retryAfterMs: number };

  async function act(deps: TenantReconcilerDependencies, pass: Pass, signal: AbortSignal): Promise<Outcome> {
    try {
      const { dataStore = '' } = pass.tenant.spec;
      if (deps.dataStores.get(dataStore) === undefined && deps.dataStoreExists(dataStore)) {
        return { kind: 'unknown', retryAfterMs: WAIT_MS };
      }
      if (!(pass.tenant.metadata.finalizers ?? []).includes(FINALIZER)) {
        pass.tenant = await deps.addFinalizer(pass.tenant, FINALIZER, signal);
      }
      for (const [step, run] of provisioner.steps) {
        pass.step = step;
        await run(pass, signal);
      }
      return { kind: 'done' };
    } catch (error) {
      // A lost race is the ordinary way of the world: the next pass reads what the other one wrote.
      if (signal.aborted || isConflict(error)) throw error;
      if (error instanceof Waiting)
        return { kind: 'waiting', blocked: error.blocked, retryAfterMs: error.retryAfterMs };
      if (error instanceof TerminalError) {
        const blocked = { step: pass.step, reason: error.reason, message: conditionMessage(error.message) };
        return { kind: 'waiting', blocked, retryAfterMs: BLOCKED_MS };
      }
      return { kind: 'failed', blocked: explain(pass.step, error), error };
    }
  }
}

/** Pods are wanted and none is available. */
export function isStarting(deployment: LiveDeployment | undefined): boolean {
  return (deployment?.spec.replicas ?? 0) > 0 && (deployment?.status?.availableReplicas ?? 0) === 0;
}

/** The words for the status. Messages of our own errors name objects and fields, never what is in them. */
function explain(step: ConditionStep, error: unknown): Blocked {
  if (error instanceof DataStoreError || error instanceof ProvisioningError) {
    return { step, reason: error.code, message: conditionMessage(error.message) };
  }
  if (isApiError(error)) {
    return {
      step,
      reason: error.reason === '' ? 'ApiError' : error.reason,
      message: conditionMessage(`the admin cluster refused: ${error.message}`),
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { step, reason: 'Failed', message: conditionMessage(`will be tried again: ${message}`) };
}

async function tearDown(
  dependencies: TenantReconcilerDependencies,
  tenant: TenantControlPlane,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  if (!(tenant.metadata.finalizers ?? []).includes(FINALIZER)) return {};
  try {
    await dependencies.provisioner.remove(tenant, signal);
  } catch (error) {
    if (signal.aborted || isConflict(error)) throw error;
    const blocked = error instanceof Waiting ? error.blocked : explain('DataStoreReady', error);
    const nowMs = dependencies.clock.now();
    await dependencies.commitStatus(tenant, (current) => stuckStatus(current, blocked, nowMs), signal);
    if (error instanceof Waiting) return { requeueAfterMs: error.retryAfterMs ?? WAIT_MS };
    throw error;
  }
  dependencies.reports.delete(tenant.metadata.uid ?? '');
  await dependencies.removeFinalizer(tenant, FINALIZER, signal);
  return {};
}

/** The status of a tenant that cannot go yet: the last one, with a Ready that says why. */
function stuckStatus(tenant: TenantControlPlane, blocked: Blocked, nowMs: number): TenantControlPlaneStatus {
  const ready: Condition = {
    type: 'Ready',
    status: 'False',
    reason: blocked.reason,
    message: `cannot be deleted yet: ${blocked.message}`,
    observedGeneration: tenant.metadata.generation ?? 0,
  };
  return { ...tenant.status, conditions: setCondition(tenant.status?.conditions, ready, nowMs) };
}
