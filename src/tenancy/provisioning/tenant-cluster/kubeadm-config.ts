import { stringify } from 'yaml';
import type { JsonObject } from '../../../apimachinery/object.ts';
import type { Component } from '../../../reconcile/component.ts';
import { kubernetesMinor } from '../addons/versions.ts';
import { clusterConfiguration } from '../kubeadm-configuration.ts';
import type { TenantClusterInput } from '../tenant-input.ts';
import { BOOTSTRAPPERS, KUBE_SYSTEM, NODES, objectsOf, readersOf } from './objects.ts';

const NAME = 'kubeadm-config';
const objects = objectsOf(NAME);

/** The ClusterConfiguration that `kubeadm join` and `kubeadm upgrade node` read (cmd/kubeadm/app/phases/uploadconfig). */
export const kubeadmConfig: Component<TenantClusterInput> = {
  name: NAME,
  cluster: 'tenant',
  desired: (input) => [
    objects.configMap(
      { name: 'kubeadm-config', namespace: KUBE_SYSTEM },
      { ClusterConfiguration: stringify(forNodes(input), { lineWidth: 0, version: '1.1' }) },
    ),
    ...readersOf(objects, 'kubeadm-config', { name: 'kubeadm:nodes-kubeadm-config', namespace: KUBE_SYSTEM }, [
      BOOTSTRAPPERS,
      NODES,
    ]),
  ],
};

/** Every node and every holder of a bootstrap token can read this, so it does not tell about the admin cluster. */
function forNodes(input: TenantClusterInput): JsonObject {
  const { encryptionAlgorithm, dns, proxy, ...configuration } = clusterConfiguration(input);
  const { certSANs } = input.tenant.spec.networkProfile;
  // v1beta4 came with 1.31; older kubeadms refuse it, and with it what only it knows.
  const isBeta4 = kubernetesMinor(input.tenant) >= 31;
  return {
    ...configuration,
    apiVersion: isBeta4 ? 'kubeadm.k8s.io/v1beta4' : 'kubeadm.k8s.io/v1beta3',
    ...(isBeta4 && { encryptionAlgorithm, ...(dns !== undefined && { dns }), ...(proxy !== undefined && { proxy }) }),
    apiServer: certSANs?.length ? { certSANs } : {},
    // "Not on the nodes" is all that a node has to know; kubeadm insists on an endpoint. kubeadm insists on an endpoint.
    etcd: { external: { endpoints: ['https://127.0.0.1:2379'], caFile: '', certFile: '', keyFile: '' } },
    imageRepository: 'registry.k8s.io',
  };
}
