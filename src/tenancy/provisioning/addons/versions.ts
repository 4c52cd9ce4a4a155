import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';
import { formatVersion, versionFromText } from '../../api/supported-versions.ts';

/** CoreDNS as kubeadm of each minor deploys it (cmd/kubeadm/app/constants/constants.go, CoreDNSVersion). */
const CORE_DNS_TAGS: ReadonlyMap<number, string> = new Map([
  [30, 'v1.11.3'],
  [31, 'v1.11.3'],
  [32, 'v1.11.3'],
  [33, 'v1.12.0'],
  [34, 'v1.12.1'],
  [35, 'v1.13.1'],
  [36, 'v1.14.2'],
]);

export interface TenantVersion {
  readonly minor: number;
  /** `v1.36.3` */
  readonly tag: string;
}

/** The Kubernetes version that the tenant asks for. The API refuses text that is no version, so that one is a mistake here. */
export function tenantVersion(tenant: TenantControlPlane): TenantVersion {
  const version = versionFromText(tenant.spec.kubernetes.version);
  if (version === undefined) throw new TypeError(`${JSON.stringify(tenant.spec.kubernetes.version)} is no version`);
  return { minor: version.minor, tag: formatVersion(version) };
}

/** Tag of the CoreDNS image for a minor of Kubernetes 1; the newest known one for a minor that is newer still. */
export function coreDnsTag(minor: number): string {
  return CORE_DNS_TAGS.get(minor) ?? [...CORE_DNS_TAGS.values()].at(-1)!;
}

/** Minors with a CoreDNS tag of their own. */
export const coreDnsMinors: readonly number[] = [...CORE_DNS_TAGS.keys()];

/** Tag of the konnectivity images that were released with a minor of Kubernetes 1. */
export function konnectivityTag(minor: number): string {
  return `v0.${minor}.0`;
}
