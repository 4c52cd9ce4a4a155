import { isNotFound } from '../kubeclient/api-error.ts';
import type { KubeClient } from '../kubeclient/client.ts';

/** Whether the admin cluster serves TLSRoute of the Gateway API. @throws ApiError, ConnectionError */
export async function hasTlsRoute(adminClient: KubeClient): Promise<boolean> {
  try {
    const { body } = await adminClient.request('GET', '/apis/gateway.networking.k8s.io/v1');
    const { resources = [] } = JSON.parse(body) as { readonly resources?: readonly { readonly name: string }[] };
    return resources.some(({ name }) => name === 'tlsroutes');
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
