import { isIP } from 'node:net';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';
import type { TenantEndpoint } from '../../provisioning/tenant-input.ts';
import type { LiveService } from './facts.ts';

export type Address =
  { readonly endpoint: TenantEndpoint } | { readonly missing: { readonly reason: string; readonly message: string } };

/**
 * Where the tenant's API is reached: what the spec says, or else what the Service was given. A load balancer that has a
 * host name alone is fine. A pure function.
 */
export function resolveAddress(tenant: TenantControlPlane, service: LiveService): Address {
  const { address, port } = tenant.spec.networkProfile;
  const clusterIp = service.spec.clusterIP ?? '';
  const found = (host: string): Address => ({ endpoint: { host, port, clusterIp } });
  if (address !== undefined && address !== '') return found(address);
  const name = service.metadata.name ?? '';
  switch (tenant.spec.controlPlane.service.serviceType) {
    case 'ClusterIP':
      if (isIP(clusterIp) !== 0) return found(clusterIp);
      return { missing: { reason: 'WaitingForClusterIP', message: `Service ${name} has no clusterIP yet` } };
    case 'LoadBalancer': {
      const ingress = service.status?.loadBalancer?.ingress?.[0];
      const host = [ingress?.ip, ingress?.hostname].find((text) => text !== undefined && text !== '');
      if (host !== undefined) return found(host);
      return {
        missing: {
          reason: 'WaitingForLoadBalancer',
          message: `Service ${name} has no load balancer address yet; does this cluster have a load balancer implementation?`,
        },
      };
    }
    case 'NodePort':
    default:
      return {
        missing: {
          reason: 'AddressRequired',
          message: 'spec.networkProfile.address is required with a NodePort Service',
        },
      };
  }
}
