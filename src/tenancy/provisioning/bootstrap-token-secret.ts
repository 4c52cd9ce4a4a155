import type { KubeObject } from '../../apimachinery/object.ts';
import { formatTimestamp } from '../../apimachinery/time.ts';
import type { BootstrapToken } from '../../pki/bootstrap-token.ts';
import { BOOTSTRAPPERS, KUBE_SYSTEM } from './tenant-cluster/objects.ts';

/**
 * The Secret of a bootstrap token for `kubeadm join` (k8s.io/cluster-bootstrap/token/api/types.go). The token cleaner of the
 * tenant removes it when it has expired.
 */
export function bootstrapTokenSecret(token: BootstrapToken, expiresAt: Date): KubeObject & { readonly data: object } {
  const data: Readonly<Record<string, string>> = {
    'token-id': token.id,
    'token-secret': token.secret,
    expiration: formatTimestamp(expiresAt.getTime()),
    'usage-bootstrap-signing': 'true',
    'usage-bootstrap-authentication': 'true',
    'auth-extra-groups': BOOTSTRAPPERS.name,
    description: 'Minted through the join-token subresource.',
  };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: `bootstrap-token-${token.id}`, namespace: KUBE_SYSTEM },
    type: 'bootstrap.kubernetes.io/token',
    data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
  } as KubeObject & { readonly data: object };
}
