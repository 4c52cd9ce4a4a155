import { stringify } from 'yaml';
import type { JsonObject } from '../../../apimachinery/object.ts';
import type { Component } from '../../../reconcile/component.ts';
import { coreDnsEnabled, kubeProxyEnabled } from '../addons/enabled.ts';
import { tenantVersion } from '../addons/versions.ts';
import type { TenantInput } from '../tenant-input.ts';
import { BOOTSTRAPPERS, KUBE_SYSTEM, NODES, objectsOf, readersOf } from './objects.ts';

const NAME = 'kubeadm-config';
const objects = objectsOf(NAME);

/** The ClusterConfiguration that `kubeadm join` and `kubeadm upgrade node` read (cmd/kubeadm/app/phases/uploadconfig). */
export const kubeadmConfig: Component<TenantInput> = {
  name: NAME,
  cluster: 'tenant',
  desired: (input) => [
    objects.configMap(
      { name: 'kubeadm-config', namespace: KUBE_SYSTEM },
      { ClusterConfiguration: stringify(clusterConfiguration(input), { lineWidth: 0, version: '1.1' }) },
    ),
    ...readersOf(objects, 'kubeadm-config', { name: 'kubeadm:nodes-kubeadm-config', namespace: KUBE_SYSTEM }, [
      BOOTSTRAPPERS,
      NODES,
    ]),
  ],
};

function clusterConfiguration({ tenant, endpoint }: TenantInput): JsonObject {
  const { networkProfile, kubernetes } = tenant.spec;
  const version = tenantVersion(tenant);
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
  // v1beta4 came with 1.31; older kubeadms refuse it, and with it what only it knows.
  const beta4 = version.minor >= 31;
  return {
    apiVersion: beta4 ? 'kubeadm.k8s.io/v1beta4' : 'kubeadm.k8s.io/v1beta3',
    kind: 'ClusterConfiguration',
    apiServer: networkProfile.certSANs?.length ? { certSANs: networkProfile.certSANs } : {},
    certificatesDir: '/etc/kubernetes/pki',
    clusterName: tenant.metadata.name,
    controlPlaneEndpoint: `${host}:${endpoint.port}`,
    controllerManager: {},
    dns: beta4 && !coreDnsEnabled(tenant) ? { disabled: true } : {},
    ...(beta4 && {
      encryptionAlgorithm: kubernetes.encryptionAlgorithm,
      proxy: kubeProxyEnabled(tenant) ? {} : { disabled: true },
    }),
    // "Not on the nodes" is all that nodes have to know: every holder of a bootstrap token can read this.
    etcd: { external: { endpoints: [], caFile: '', certFile: '', keyFile: '' } },
    imageRepository: 'registry.k8s.io',
    kubernetesVersion: version.tag,
    networking: {
      dnsDomain: networkProfile.clusterDomain,
      podSubnet: networkProfile.podCidrs.join(','),
      serviceSubnet: networkProfile.serviceCidrs.join(','),
    },
    scheduler: {},
  };
}
