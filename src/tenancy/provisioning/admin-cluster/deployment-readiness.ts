import type { Condition, KubeObject } from '../../../apimachinery/object.ts';
import type { DeploymentCondition, DeploymentStatus } from '../../api/core-types.generated.ts';

export type DeploymentReason =
  | 'Missing'
  | 'Sleeping'
  | 'PodsRefused'
  | 'Unschedulable'
  | 'ContainerFailing'
  | 'ContainersStarting'
  | 'Stuck'
  | 'Progressing'
  | 'Available';

/** What we read of a live Deployment. */
interface LiveDeployment extends KubeObject {
  readonly spec?: { readonly replicas?: number };
  readonly status?: DeploymentStatus;
}

/** What we read of a live Pod. */
export interface LivePod extends KubeObject {
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
    readonly initContainerStatuses?: readonly LiveContainer[];
    readonly containerStatuses?: readonly LiveContainer[];
  };
}

interface LiveContainer {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount?: number;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly terminated?: { readonly reason?: string; readonly exitCode?: number };
  };
  readonly lastState?: { readonly terminated?: { readonly reason?: string; readonly exitCode?: number } };
}

/**
 * Whether a control plane serves: True with at least one available pod, rollout or not. Otherwise False, with what is in
 * the way as far as the Deployment and its pods (leave them out where they are not known) tell it.
 */
export function deploymentReadiness(live: KubeObject | undefined, pods: readonly LivePod[] = []): Condition {
  if (live === undefined)
    return condition('False', 'Missing', 'the Deployment of the control plane does not exist yet');
  const { spec, status, metadata } = live as LiveDeployment;
  const wanted = spec?.replicas ?? 1;
  if (wanted === 0) return condition('False', 'Sleeping', 'the control plane sleeps: replicas is 0');
  const available = status?.availableReplicas ?? 0;
  const observed = (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
  if (available === 0) return notServing(status, pods, wanted);
  const updated = status?.updatedReplicas ?? 0;
  if (observed && updated >= wanted && (status?.replicas ?? 0) <= updated && available >= updated) {
    return condition('True', 'Available', `${available} of ${wanted} pods are available`);
  }
  const blocked = blockingPod(pods);
  const progress = `${available} pods are available, ${observed ? updated : 0} of ${wanted} are up to date`;
  return condition('True', 'Progressing', blocked === undefined ? progress : `${progress}; ${blocked.message}`);
}

function notServing(status: DeploymentStatus | undefined, pods: readonly LivePod[], wanted: number): Condition {
  const refused = find(status, 'ReplicaFailure', 'True');
  if (refused !== undefined)
    return condition('False', 'PodsRefused', `pods cannot be created: ${refused.message ?? ''}`);
  const blocked = blockingPod(pods);
  if (blocked !== undefined) return condition('False', blocked.reason, blocked.message);
  const stuck = find(status, 'Progressing', 'False');
  if (stuck !== undefined) return condition('False', 'Stuck', stuck.message ?? 'the Deployment makes no progress');
  return condition('False', 'Progressing', `0 of ${wanted} pods are available`);
}

/** The gravest thing that holds up a pod: one that will not go away by itself before one that will. */
function blockingPod(
  pods: readonly LivePod[],
): { readonly reason: DeploymentReason; readonly message: string } | undefined {
  const current = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined);
  for (const pod of current) {
    const scheduled = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
    if (scheduled?.status === 'False') {
      const why = scheduled.message ?? scheduled.reason ?? '';
      return { reason: 'Unschedulable', message: `pod ${pod.metadata.name ?? ''} finds no node: ${why}` };
    }
  }
  for (const pod of current) {
    for (const container of containers(pod)) {
      const trouble = failure(container);
      if (trouble !== undefined) {
        return {
          reason: 'ContainerFailing',
          message: `container ${container.name} of pod ${pod.metadata.name ?? ''} ${trouble}`,
        };
      }
    }
  }
  for (const pod of current) {
    const waiting = containers(pod).filter(({ ready, state }) => !ready && state?.terminated?.exitCode !== 0);
    if (waiting.length > 0) {
      const list = waiting.map(({ name }) => name).join(', ');
      return { reason: 'ContainersStarting', message: `pod ${pod.metadata.name ?? ''} waits for ${list}` };
    }
  }
  return undefined;
}

function containers(pod: LivePod): readonly LiveContainer[] {
  return [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
}

/** Waiting reasons of the kubelet that are part of an ordinary start (pkg/kubelet/kubelet_pods.go). */
const ORDINARY_WAITING: ReadonlySet<string> = new Set(['ContainerCreating', 'PodInitializing', '']);

function failure(container: LiveContainer): string | undefined {
  const { waiting, terminated } = container.state ?? {};
  const last = container.lastState?.terminated;
  const ended =
    last === undefined ? '' : `; it ended with ${last.reason ?? 'Error'} (exit code ${last.exitCode ?? '?'})`;
  if (waiting !== undefined && !ORDINARY_WAITING.has(waiting.reason ?? '')) {
    return `is in ${waiting.reason ?? ''}: ${waiting.message ?? 'no message'}${ended}`;
  }
  if (terminated !== undefined && terminated.exitCode !== 0) {
    return `ended with ${terminated.reason ?? 'Error'} (exit code ${terminated.exitCode ?? '?'})`;
  }
  return !container.ready && last !== undefined
    ? `was restarted ${container.restartCount ?? 1} times${ended}`
    : undefined;
}

function find(status: DeploymentStatus | undefined, type: string, value: string): DeploymentCondition | undefined {
  return status?.conditions?.find((entry) => entry.type === type && entry.status === value);
}

function condition(status: Condition['status'], reason: DeploymentReason, message: string): Condition {
  return { type: 'ControlPlaneAvailable', status, reason, message };
}
