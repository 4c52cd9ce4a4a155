import type { Strategy } from '../../../apiserver/registry/definition.ts';
import { computeTenantDefaults } from '../../api/tenant-control-plane-defaults.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';
import { tenantClaims } from './claims.ts';
import { validateTenantControlPlane, validateTenantControlPlaneUpdate } from './validation.ts';
import { tenantWarnings } from './warnings.ts';

/**
 * `nameRule`: the name becomes that of a Service and the value of a label, both of at most 63 characters; all other names are
 * made by appending to it and stay far below their limit of 253.
 */
export const tenantControlPlaneStrategy: Strategy<TenantControlPlane> = {
  nameRule: 'rfc1035Label',
  default: computeTenantDefaults,
  validateCreate: validateTenantControlPlane,
  validateUpdate: validateTenantControlPlaneUpdate,
  warnings: tenantWarnings,
  claims: tenantClaims,
};
