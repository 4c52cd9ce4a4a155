import type { Claim } from '../../../apiserver/registry/definition.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';
import { tenantDataStoreNames, tenantDataStores } from '../../api/tenant-identity.ts';
import { ipFromText, formatIp } from '../../api/ip-network.ts';
import { hostAndPort } from '../host-validation.ts';

/**
 * What only one tenant may have at a time. Key range and user in every DataStore, whether they were chosen or follow from
 * the UID: another tenant that named them would get at the objects. The ways in, because the second Service, Ingress or
 * route would take the traffic of the first or none at all.
 */
export function tenantClaims(tenant: TenantControlPlane): readonly Claim[] {
  return [...storageClaims(tenant), ...endpointClaims(tenant), ...hostnameClaims(tenant)];
}

function storageClaims(tenant: TenantControlPlane): readonly Claim[] {
  const { schema, username } = tenantDataStoreNames(tenant);
  return tenantDataStores(tenant).flatMap((dataStore) => [
    { key: claimKey('schema', dataStore, schema), field: 'spec.dataStoreSchema', value: schema },
    { key: claimKey('username', dataStore, username), field: 'spec.dataStoreUsername', value: username },
  ]);
}

function endpointClaims({ spec }: TenantControlPlane): readonly Claim[] {
  const { serviceType } = spec.controlPlane.service;
  if (serviceType === 'ClusterIP') return [];
  const { address, port } = spec.networkProfile;
  const ports = [{ field: 'spec.networkProfile.port', port }];
  const { enabled, server } = spec.addons.konnectivity;
  if (enabled) ports.push({ field: 'spec.addons.konnectivity.server.port', port: server.port });
  return ports.flatMap(({ field, port }) => [
    ...(address
      ? [{ key: claimKey('endpoint', canonicalHost(address), port), field, value: `${address}:${port}` }]
      : []),
    ...(serviceType === 'NodePort' ? [{ key: claimKey('nodeport', port), field, value: String(port) }] : []),
  ]);
}

function hostnameClaims({ spec }: TenantControlPlane): readonly Claim[] {
  const { ingress, gateway } = spec.controlPlane;
  const claims: Claim[] = [];
  const ingressHost = ingress?.hostname === undefined ? undefined : hostAndPort(ingress.hostname)?.host;
  if (ingress !== undefined && ingressHost !== undefined) {
    const key = claimKey('hostname', ingressHost, ingress.ingressClassName ?? '');
    claims.push({ key, field: 'spec.controlPlane.ingress.hostname', value: ingressHost });
  }
  if (gateway?.hostname !== undefined) {
    const key = claimKey('route', gateway.hostname);
    claims.push({ key, field: 'spec.controlPlane.gateway.hostname', value: gateway.hostname });
  }
  return claims;
}

/** One text for one address. */
function canonicalHost(host: string): string {
  const ip = ipFromText(host);
  return ip === undefined ? host : formatIp(ip);
}

function claimKey(what: string, ...parts: readonly (string | number)[]): string {
  return [what, ...parts.map((part) => encodeURIComponent(part))].join('/');
}
