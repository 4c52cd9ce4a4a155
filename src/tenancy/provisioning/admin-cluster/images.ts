import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';
import { imageVersion, konnectivityVersion } from '../versions.ts';

/**
 * Tags of releases never move, so that an image on the node is the right one. Kamaji's `Always` asks the registry at every
 * start of a pod, which costs time, and stops tenants from starting while the registry is away.
 */
export const PULL_POLICY = 'IfNotPresent';

/** `<registry>/<image>:<version><suffix>`. */
export function controlPlaneImage(
  tenant: TenantControlPlane,
  image: 'apiServerImage' | 'controllerManagerImage' | 'schedulerImage',
): string {
  const settings = tenant.spec.controlPlane.deployment.registrySettings;
  return `${settings.registry}/${settings[image]}:${imageVersion(tenant.spec.kubernetes.version)}${settings.tagSuffix ?? ''}`;
}

export function konnectivityServerImage(tenant: TenantControlPlane): string {
  const { image, version } = tenant.spec.addons.konnectivity.server;
  return `${image}:${version ?? konnectivityVersion(tenant.spec.kubernetes.version)}`;
}
