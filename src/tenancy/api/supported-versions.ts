/** Kubernetes versions: how they are written, compared, and which of them tenants may have. */

export interface KubernetesVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** Identifiers of a pre-release such as rc.1; empty for a release. */
  readonly preRelease: readonly string[];
}

/** Minors of Kubernetes 1 that a tenant may have. */
export const OLDEST_SUPPORTED_MINOR = 30;
export const NEWEST_SUPPORTED_MINOR = 36;

/**
 * Semantic version with or without a `v` in front; undefined for other text. Build metadata is refused, because the
 * version becomes an image tag, which cannot hold a `+`.
 */
export function versionFromText(text: string): KubernetesVersion | undefined {
  const number = '(0|[1-9]\\d{0,8})';
  const match = new RegExp(`^v?${number}\\.${number}\\.${number}(?:-([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?$`).exec(
    text,
  );
  if (match === null) return undefined;
  const preRelease = match[4]?.split('.') ?? [];
  if (preRelease.some((part) => /^0\d+$/.test(part))) return undefined;
  return { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3]), preRelease };
}

/** With the `v` in front. */
export function formatVersion(version: KubernetesVersion): string {
  const release = `v${version.major}.${version.minor}.${version.patch}`;
  return version.preRelease.length === 0 ? release : `${release}-${version.preRelease.join('.')}`;
}

/** Negative when `a` is older; the order of semver.org 2.0.0, section 11. */
export function compareVersions(a: KubernetesVersion, b: KubernetesVersion): number {
  const byNumber = a.major - b.major || a.minor - b.minor || a.patch - b.patch;
  if (byNumber !== 0) return byNumber;
  if (a.preRelease.length === 0 || b.preRelease.length === 0) return b.preRelease.length - a.preRelease.length;
  for (const [index, part] of a.preRelease.entries()) {
    const other = b.preRelease[index];
    if (other === undefined) return 1;
    const order = compareIdentifiers(part, other);
    if (order !== 0) return order;
  }
  return a.preRelease.length - b.preRelease.length;
}

function compareIdentifiers(a: string, b: string): number {
  const [numericA, numericB] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (numericA && numericB) return Number(a) - Number(b);
  if (numericA !== numericB) return numericA ? -1 : 1;
  return a < b ? -1 : Number(a > b);
}
