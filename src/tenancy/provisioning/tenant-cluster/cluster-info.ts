import { stringify } from 'yaml';
import type { Component } from '../../../reconcile/component.ts';
import { serverUrl } from '../kubeconfig.ts';
import type { TenantClusterInput } from '../tenant-input.ts';
import { KUBE_PUBLIC, objectsOf, readersOf } from './objects.ts';

const NAME = 'cluster-info';
const objects = objectsOf(NAME);

/**
 * Where the API is and which CA it has, readable by anyone: the first thing that a joining node fetches. The tenant's
 * controller-manager adds a signature for every bootstrap token under keys of its own
 * (cmd/kubeadm/app/phases/bootstraptoken/clusterinfo).
 */
export const clusterInfo: Component<TenantClusterInput> = {
  name: NAME,
  cluster: 'tenant',
  desired: (input) => [
    objects.configMap({ name: 'cluster-info', namespace: KUBE_PUBLIC }, { kubeconfig: discoveryKubeconfig(input) }),
    ...readersOf(objects, 'cluster-info', { name: 'kubeadm:bootstrap-signer-clusterinfo', namespace: KUBE_PUBLIC }, [
      { kind: 'User', name: 'system:anonymous' },
    ]),
  ],
};

/** A kubeconfig of one cluster without a name, and of no user. */
function discoveryKubeconfig({ endpoint, pki }: TenantClusterInput): string {
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          cluster: {
            'certificate-authority-data': Buffer.from(pki.ca.certificate).toString('base64'),
            server: serverUrl(endpoint.host, endpoint.port),
          },
          name: '',
        },
      ],
      contexts: [],
      'current-context': '',
      preferences: {},
      users: [],
    },
    { lineWidth: 0, version: '1.1' },
  );
}
