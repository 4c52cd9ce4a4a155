import { canonicalIp } from '../../pki/subject.ts';
import type { TenantInput } from './tenant-input.ts';

/**
 * The IP address under which the tenant's `kubernetes` Service leads to the API. kube-apiserver takes addresses alone, so
 * where the API is reached by a host name (a load balancer without an address, say) it is the clusterIP of the Service in
 * the admin cluster; undefined when that has none.
 */
export function advertiseAddress({ tenant, endpoint }: Pick<TenantInput, 'tenant' | 'endpoint'>): string | undefined {
  const wanted = tenant.spec.networkProfile.advertiseAddress ?? '';
  return [wanted, endpoint.host, endpoint.clusterIp].map(canonicalIp).find((address) => address !== undefined);
}
