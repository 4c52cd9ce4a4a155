import { alternativeNames, type AlternativeNames } from '../../pki/subject.ts';
import { addressAt, formatIp, networkFromText } from '../api/ip-network.ts';
import { tenantObjectNames } from './names.ts';
import type { TenantInput } from './tenant-input.ts';

/**
 * Names in the serving certificate of a tenant's kube-apiserver: kubeadm's (cmd/kubeadm/app/util/pkiutil,
 * GetAPIServerAltNames), those of the Service in the admin cluster, and every way in that the spec names.
 */
export function apiServerNames({ tenant, endpoint }: Pick<TenantInput, 'tenant' | 'endpoint'>): AlternativeNames {
  const { networkProfile, controlPlane } = tenant.spec;
  const { clusterDomain } = networkProfile;
  const service = tenantObjectNames(tenant.metadata.name ?? '').service;
  const serviceHost = `${service}.${tenant.metadata.namespace ?? ''}.svc`;
  return alternativeNames([
    '127.0.0.1',
    'localhost',
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    `kubernetes.default.svc.${clusterDomain}`,
    ...networkProfile.serviceCidrs.map(firstServiceIp),
    service,
    `${service}.${tenant.metadata.namespace ?? ''}`,
    serviceHost,
    // The domain of the admin cluster is not ours to know: its usual one, and the tenant's own as they are often alike.
    `${serviceHost}.cluster.local`,
    `${serviceHost}.${clusterDomain}`,
    endpoint.host,
    endpoint.clusterIp === 'None' ? '' : endpoint.clusterIp,
    networkProfile.address ?? '',
    networkProfile.advertiseAddress ?? '',
    ...(networkProfile.certSANs ?? []),
    withoutPort(controlPlane.ingress?.hostname ?? ''),
    controlPlane.gateway?.hostname ?? '',
  ]);
}

/** What kube-apiserver takes for the `kubernetes` Service; empty for a text that is no CIDR. */
function firstServiceIp(cidr: string): string {
  const network = networkFromText(cidr);
  const address = network && addressAt(network, 1n);
  return address === undefined ? '' : formatIp(address);
}

function withoutPort(host: string): string {
  return host.replace(/:\d+$/, '');
}
