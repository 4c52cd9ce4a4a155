import type { JsonObject } from '../../apimachinery/object.ts';
import { coreDnsEnabled, kubeProxyEnabled } from './addons/enabled.ts';
import { advertiseAddress } from './advertise-address.ts';
import { apiServerNames } from './api-server-names.ts';
import { serverUrl } from './kubeconfig.ts';
import type { TenantInput } from './tenant-input.ts';
import { imageVersion } from './versions.ts';

const API_VERSION = 'kubeadm.k8s.io/v1beta4';
/** Where upstream's programs look for certificates. */
export const CERTIFICATES_DIR = '/etc/kubernetes/pki';

/** kubeadm's ClusterConfiguration (cmd/kubeadm/app/apis/kubeadm/v1beta4) of a tenant. */
export function clusterConfiguration(input: Omit<TenantInput, 'pki'>): JsonObject {
  const { tenant, endpoint, storage } = input;
  const { networkProfile, kubernetes, controlPlane } = tenant.spec;
  const names = apiServerNames(input);
  return {
    apiVersion: API_VERSION,
    kind: 'ClusterConfiguration',
    clusterName: tenant.metadata.name ?? '',
    kubernetesVersion: imageVersion(kubernetes.version),
    controlPlaneEndpoint: hostPort(endpoint.host, endpoint.port),
    certificatesDir: CERTIFICATES_DIR,
    encryptionAlgorithm: kubernetes.encryptionAlgorithm,
    imageRepository: controlPlane.deployment.registrySettings.registry,
    networking: {
      dnsDomain: networkProfile.clusterDomain,
      podSubnet: networkProfile.podCidrs.join(','),
      serviceSubnet: networkProfile.serviceCidrs.join(','),
    },
    apiServer: { certSANs: [...names.dnsNames, ...names.ipAddresses] },
    etcd: {
      external: {
        endpoints: storage.endpoints.map((address) => `https://${address}`),
        caFile: `${CERTIFICATES_DIR}/etcd/ca.crt`,
        certFile: `${CERTIFICATES_DIR}/etcd/server.crt`,
        keyFile: `${CERTIFICATES_DIR}/etcd/server.key`,
      },
    },
    ...(coreDnsEnabled(tenant) ? {} : { dns: { disabled: true } }),
    ...(kubeProxyEnabled(tenant) ? {} : { proxy: { disabled: true } }),
  };
}

/** kubeadm's InitConfiguration of a tenant: where the API listens. It holds no token; those are minted when asked for. */
export function initConfiguration(input: TenantInput): JsonObject {
  const address = advertiseAddress(input);
  return {
    apiVersion: API_VERSION,
    kind: 'InitConfiguration',
    localAPIEndpoint: {
      ...(address === undefined ? {} : { advertiseAddress: address }),
      bindPort: input.tenant.spec.networkProfile.port,
    },
  };
}

function hostPort(host: string, port: number): string {
  return serverUrl(host, port).slice('https://'.length);
}
