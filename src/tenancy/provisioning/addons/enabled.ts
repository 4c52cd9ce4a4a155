import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';

/** CoreDNS is installed when its field is there, unless that says otherwise. */
export function coreDnsEnabled(tenant: TenantControlPlane): boolean {
  const settings = tenant.spec.addons.coreDNS;
  return settings !== undefined && settings.enabled;
}

/** kube-proxy is installed when its field is there, unless that says otherwise. */
export function kubeProxyEnabled(tenant: TenantControlPlane): boolean {
  const settings = tenant.spec.addons.kubeProxy;
  return settings !== undefined && settings.enabled;
}

/** konnectivity is installed unless switched off. */
export function konnectivityEnabled(tenant: TenantControlPlane): boolean {
  return tenant.spec.addons.konnectivity.enabled;
}
