import type { FieldError } from '../../../apimachinery/field-error.ts';
import { forbiddenValue, invalidValue } from '../../../apimachinery/field-error.ts';
import {
  compareVersions,
  formatVersion,
  NEWEST_SUPPORTED_MINOR,
  OLDEST_SUPPORTED_MINOR,
  versionFromText,
} from '../../api/supported-versions.ts';
import type { KubernetesVersion } from '../../api/supported-versions.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';

const PATH = 'spec.kubernetes.version';

/** A version that we can run. */
export function validateVersion(text: string): readonly FieldError[] {
  const version = versionFromText(text);
  if (version === undefined) return [invalidValue(PATH, text, 'must be a version such as v1.36.1')];
  if (version.major > 1 || (version.major === 1 && version.minor > NEWEST_SUPPORTED_MINOR)) {
    return [invalidValue(PATH, text, `the newest supported version is v1.${NEWEST_SUPPORTED_MINOR}`)];
  }
  if (version.major < 1 || version.minor < OLDEST_SUPPORTED_MINOR) {
    return [invalidValue(PATH, text, `the oldest supported version is v1.${OLDEST_SUPPORTED_MINOR}`)];
  }
  return [];
}

/**
 * What kube-apiserver allows over the same data: up by one minor at a time, never down. What counts as the present version
 * is both the one asked for and the one that is installed. A patch that never got installed may be taken back to one that
 * is not older than the installed one, so that a version whose image does not exist can be mended.
 */
export function validateVersionChange(next: TenantControlPlane, old: TenantControlPlane): readonly FieldError[] {
  const [text, oldText] = [next.spec.kubernetes.version, old.spec.kubernetes.version];
  if (text === oldText) return [];
  const errors = validateVersion(text);
  const version = versionFromText(text);
  const oldVersion = versionFromText(oldText);
  if (errors.length > 0 || version === undefined || oldVersion === undefined) return errors;
  const installed = versionFromText(old.status?.kubernetesResources?.version?.version ?? '');
  const down = downgradeFrom(version, oldVersion, installed);
  if (down !== undefined) {
    return [
      forbiddenValue(PATH, `going down from ${formatVersion(down)} to ${formatVersion(version)} is not possible`),
    ];
  }
  const base = installed !== undefined && compareVersions(installed, oldVersion) < 0 ? installed : oldVersion;
  if (version.minor > base.minor + 1) {
    const why = 'minor versions cannot be skipped';
    const step = `v1.${base.minor + 1} comes first`;
    return [
      forbiddenValue(
        PATH,
        `going up from ${formatVersion(base)} to ${formatVersion(version)} is not possible: ${why}, ${step}`,
      ),
    ];
  }
  return [];
}

/** The version that this one is too old for; undefined when it is not. */
function downgradeFrom(
  version: KubernetesVersion,
  asked: KubernetesVersion,
  installed: KubernetesVersion | undefined,
): KubernetesVersion | undefined {
  if (installed !== undefined && compareVersions(version, installed) < 0) return installed;
  if (compareVersions(version, asked) >= 0) return undefined;
  const mends = installed !== undefined && compareVersions(installed, asked) < 0 && version.minor === asked.minor;
  return mends ? undefined : asked;
}
