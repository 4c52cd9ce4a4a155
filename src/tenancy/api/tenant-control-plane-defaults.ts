import { isJsonObject, valueAt, withValueAt } from '../../apimachinery/json.ts';
import type { Json } from '../../apimachinery/object.ts';
import { applyDefaults } from '../../apimachinery/schema/defaulting.ts';
import { addressAt, formatIp, networkFromText } from './ip-network.ts';
import { tenantControlPlane } from './tenant-control-plane.ts';
import type { TenantControlPlane } from './tenant-control-plane.ts';

export const DEFAULT_SERVICE_CIDR = '10.96.0.0/16';
export const DEFAULT_POD_CIDR = '10.244.0.0/16';

/** The object with all defaults, those of the schema and the computed ones. */
export function defaultTenantControlPlane(object: unknown): TenantControlPlane {
  return computeTenantDefaults(applyDefaults(tenantControlPlane, object as TenantControlPlane));
}

/**
 * Defaults that a schema cannot express: the networks given in the old single fields or not at all, and the addresses of the
 * cluster DNS. The object may still be invalid in any way; what cannot be computed is left out for validation to name.
 */
export function computeTenantDefaults<T extends object>(object: T): T {
  const profile = valueAt(object, ['spec', 'networkProfile']);
  if (!isJsonObject(profile)) return object;
  const computed: Record<string, Json> = {
    ...networks(profile['serviceCidrs'], profile['serviceCidr'], DEFAULT_SERVICE_CIDR, 'serviceCidrs', 'serviceCidr'),
    ...networks(profile['podCidrs'], profile['podCidr'], DEFAULT_POD_CIDR, 'podCidrs', 'podCidr'),
  };
  const addresses = profile['dnsServiceIPs'];
  if (addresses === undefined || (Array.isArray(addresses) && addresses.length === 0)) {
    computed['dnsServiceIPs'] = dnsServiceIps(computed['serviceCidrs'] ?? profile['serviceCidrs']);
  }
  if (Object.keys(computed).length === 0) return object;
  return withValueAt(object, ['spec', 'networkProfile'], { ...profile, ...computed }) as T;
}

function networks(
  list: Json | undefined,
  single: Json | undefined,
  fallback: string,
  listName: string,
  singleName: string,
): Record<string, Json> {
  const given = Array.isArray(list) && list.length > 0 ? (list as readonly Json[]) : undefined;
  const first = single === undefined || single === '' ? (given?.[0] ?? fallback) : single;
  return {
    ...(first === single ? {} : { [singleName]: first }),
    ...(given === undefined && (list === undefined || Array.isArray(list)) ? { [listName]: [first] } : {}),
  };
}

/** The tenth address of an IPv4 network and the sixteenth, `::10`, of an IPv6 one. */
function dnsServiceIps(serviceCidrs: Json | undefined): readonly string[] {
  if (!Array.isArray(serviceCidrs)) return [];
  return serviceCidrs.flatMap((cidr) => {
    const network = typeof cidr === 'string' ? networkFromText(cidr) : undefined;
    const address = network && addressAt(network, network.family === 4 ? 10n : 16n);
    return address === undefined ? [] : [formatIp(address)];
  });
}
