import type { FieldError } from '../../../apimachinery/field-error.ts';
import { forbiddenValue } from '../../../apimachinery/field-error.ts';
import { deepEqual } from '../../../apimachinery/json.ts';
import type { TenantControlPlane, TenantControlPlaneSpec } from '../../api/tenant-control-plane.ts';
import { validateDeployment } from './deployment-validation.ts';
import { validateExposure } from './exposure-validation.ts';
import { validateAddons, validateKubernetes } from './kubernetes-validation.ts';
import { validateNetworkProfile } from './network-validation.ts';
import { validateStorage, validateStorageChange } from './storage-validation.ts';
import { validateVersion, validateVersionChange } from './version-validation.ts';

/** Rules that a schema cannot tell. The object has gone through defaulting and satisfies its schema. */
export function validateTenantControlPlane(tenant: TenantControlPlane): readonly FieldError[] {
  return [...validateVersion(tenant.spec.kubernetes.version), ...validateSpec(tenant.spec)];
}

/**
 * Rules for a changed object. An unchanged spec is not looked at again, and that of an object on its way out only for what
 * must never change: no rule may stand between an object and its deletion.
 */
export function validateTenantControlPlaneUpdate(
  next: TenantControlPlane,
  old: TenantControlPlane,
): readonly FieldError[] {
  if (deepEqual(next.spec, old.spec)) return [];
  const unchangeable = [...validateStorageChange(next, old), ...validateImmutable(next.spec, old.spec)];
  if (next.metadata.deletionTimestamp !== undefined) return unchangeable;
  return [...validateVersionChange(next, old), ...unchangeable, ...validateSpec(next.spec)];
}

function validateSpec(spec: TenantControlPlaneSpec): readonly FieldError[] {
  return [
    ...validateStorage(spec),
    ...validateDeployment(spec.controlPlane.deployment),
    ...validateExposure(spec),
    ...validateKubernetes(spec.kubernetes),
    ...validateNetworkProfile(spec),
    ...validateAddons(spec),
  ];
}

/** What nodes, pods and certificates of a running tenant were made with. */
function validateImmutable(next: TenantControlPlaneSpec, old: TenantControlPlaneSpec): readonly FieldError[] {
  const [profile, oldProfile] = [next.networkProfile, old.networkProfile];
  const fields: readonly (readonly [string, unknown, unknown])[] = [
    ['spec.networkProfile.serviceCidrs', profile.serviceCidrs, oldProfile.serviceCidrs],
    ['spec.networkProfile.serviceCidr', profile.serviceCidr, oldProfile.serviceCidr],
    ['spec.networkProfile.podCidrs', profile.podCidrs, oldProfile.podCidrs],
    ['spec.networkProfile.podCidr', profile.podCidr, oldProfile.podCidr],
    ['spec.networkProfile.clusterDomain', profile.clusterDomain, oldProfile.clusterDomain],
    ['spec.kubernetes.encryptionAlgorithm', next.kubernetes.encryptionAlgorithm, old.kubernetes.encryptionAlgorithm],
  ];
  const errors = fields
    .filter(([, value, oldValue]) => !deepEqual(value, oldValue))
    .map(([field, , oldValue]) => forbiddenValue(field, `cannot be changed, it is ${JSON.stringify(oldValue)}`));
  const staysLoadBalancer =
    next.controlPlane.service.serviceType === 'LoadBalancer' && old.controlPlane.service.serviceType === 'LoadBalancer';
  if (staysLoadBalancer && profile.loadBalancerClass !== oldProfile.loadBalancerClass) {
    const was = oldProfile.loadBalancerClass === undefined ? 'unset' : JSON.stringify(oldProfile.loadBalancerClass);
    const why = `cannot be changed while serviceType is LoadBalancer, it is ${was}`;
    errors.push(forbiddenValue('spec.networkProfile.loadBalancerClass', why));
  }
  return errors;
}
