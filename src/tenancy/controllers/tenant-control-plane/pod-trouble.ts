import type { Clock } from '../../../base/clock.ts';
import { ConnectionError, isApiError } from '../../../kubeclient/api-error.ts';
import type { KubeClient } from '../../../kubeclient/client.ts';
import { defineResource } from '../../../kubeclient/resources.ts';
import { deploymentReadiness, type LivePod } from '../../provisioning/admin-cluster/deployment-readiness.ts';
import { LABEL_NAME } from '../../provisioning/names.ts';
import { conditionMessage } from '../condition-message.ts';
import type { LiveDeployment, PodTrouble } from './facts.ts';
import { isStarting } from './reconcile.ts';

const PODS = defineResource<LivePod>('v1', 'pods', 'Pod', 'Namespaced');
/** An ordinary start is over by then; before, there is nothing to look for. */
const GRACE_MS = 10_000;
/** What does not go away by itself. */
const TROUBLES: ReadonlySet<string> = new Set(['Unschedulable', 'ContainerFailing']);

/**
 * Why the pods of a control plane do not run: no node, a bad image, a container that ends again and again. Asked only for
 * Deployments that should be available and are not. Undefined also when the pods may not be read: that must not hold up the tenant.
 */
export async function findPodTrouble(
  adminClient: KubeClient,
  deployment: LiveDeployment | undefined,
  clock: Clock,
  signal: AbortSignal,
): Promise<PodTrouble | undefined> {
  if (deployment === undefined || !isStarting(deployment)) return undefined;
  const { namespace = '', name = '', creationTimestamp = '' } = deployment.metadata;
  if (clock.now() - Date.parse(creationTimestamp) < GRACE_MS) return undefined;
  try {
    const pods = await adminClient.list(PODS, namespace, { labelSelector: `${LABEL_NAME}=${name}`, signal });
    const { reason, message } = deploymentReadiness(deployment, pods.items);
    return TROUBLES.has(reason) ? { reason, message: conditionMessage(message) } : undefined;
  } catch (error) {
    if (isApiError(error) || error instanceof ConnectionError) return undefined;
    throw error;
  }
}
