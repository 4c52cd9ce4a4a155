import { formatVersion, versionFromText, type KubernetesVersion } from '../api/supported-versions.ts';

/** Minors for which a release of apiserver-network-proxy with its images is known; the newest last. */
const KONNECTIVITY_MINORS = [28, 29, 30, 31, 32, 33, 34, 36] as const;

/** `v1.36.1` for `v1.36.1` and for `1.36.1`. Throws RangeError for a text that is no version. */
export function imageVersion(kubernetesVersion: string): string {
  return formatVersion(parseVersion(kubernetesVersion));
}

/** Admission lets no other text through, so that a wrong one is a fault of ours. */
function parseVersion(text: string): KubernetesVersion {
  const version = versionFromText(text);
  if (version === undefined) throw new RangeError(`${JSON.stringify(text)} is not a Kubernetes version`);
  return version;
}

/**
 * Tag of konnectivity's server and agent for a Kubernetes version: `v0.<minor>.0`, or the nearest older one that is known
 * to be published, since its releases do not follow every minor. Server and agent must be alike, Kubernetes need not.
 */
export function konnectivityVersion(kubernetesVersion: string): string {
  const { minor } = parseVersion(kubernetesVersion);
  const known = KONNECTIVITY_MINORS.findLast((candidate) => candidate <= minor) ?? KONNECTIVITY_MINORS[0];
  return `v0.${known}.0`;
}
