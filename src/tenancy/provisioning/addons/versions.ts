import { versionFromText } from '../../api/supported-versions.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';

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

/** The minor of Kubernetes 1 that the tenant asks for. Throws RangeError for a text that is no version, which admission refuses. */
export function kubernetesMinor(tenant: TenantControlPlane): number {
  const { version } = tenant.spec.kubernetes;
  const minor = versionFromText(version)?.minor;
  if (minor === undefined) throw new RangeError(`${JSON.stringify(version)} is not a Kubernetes version`);
  return minor;
}

/** Tag of the CoreDNS image for a minor of Kubernetes 1; the nearest known one for others. */
export function coreDnsTag(minor: number): string {
  const [oldest, newest] = [coreDnsMinors[0]!, coreDnsMinors.at(-1)!];
  return CORE_DNS_TAGS.get(Math.min(Math.max(minor, oldest), newest))!;
}

/** Minors with a known CoreDNS tag, without a gap. */
export const coreDnsMinors: readonly number[] = [...CORE_DNS_TAGS.keys()];
