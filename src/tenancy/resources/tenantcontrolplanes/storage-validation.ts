import type { FieldError } from '../../../apimachinery/field-error.ts';
import { forbiddenValue, invalidValue } from '../../../apimachinery/field-error.ts';
import type { TenantControlPlane, TenantControlPlaneSpec } from '../../api/tenant-control-plane.ts';
import { tenantDataStoreNames } from '../../api/tenant-identity.ts';

/**
 * Names that stores or their usual other users have taken: the administrators, the databases that come with them, and the
 * key range of a Kubernetes cluster of one's own.
 */
const TAKEN: ReadonlySet<string> = new Set([
  'information_schema',
  'mysql',
  'performance_schema',
  'postgres',
  'registry',
  'root',
  'sys',
  'template0',
  'template1',
]);

/** Where the tenant's objects live. Whether the DataStores exist is for admission to find out. */
export function validateStorage(spec: TenantControlPlaneSpec): readonly FieldError[] {
  return [
    ...validateStoreName(spec.dataStoreSchema, 'spec.dataStoreSchema'),
    ...validateStoreName(spec.dataStoreUsername, 'spec.dataStoreUsername'),
    ...(spec.dataStoreOverrides ?? []).flatMap(({ resource }, index) =>
      /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?)?\/[a-z][a-z0-9]*$/.test(resource)
        ? []
        : [
            invalidValue(
              `spec.dataStoreOverrides[${index}].resource`,
              resource,
              'must be group/resource, such as /events or apps/deployments',
            ),
          ],
    ),
  ];
}

/** The name becomes a key prefix, a role and a user: a slash or dots alone would reach into other tenants' keys. */
function validateStoreName(name: string | undefined, path: string): readonly FieldError[] {
  if (!name) return [];
  if (!/^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9_])?$/.test(name)) {
    const why = 'must have 1 to 63 characters out of A-Z, a-z, 0-9, "_", "-" and ".", with no "-" or "." at its ends';
    return [invalidValue(path, name, why)];
  }
  return TAKEN.has(name.toLowerCase())
    ? [invalidValue(path, name, 'is a name that the data store keeps for itself')]
    : [];
}

/** Moving a running tenant to another key range or user would lose its objects. */
export function validateStorageChange(next: TenantControlPlane, old: TenantControlPlane): readonly FieldError[] {
  const [names, oldNames] = [tenantDataStoreNames(next), tenantDataStoreNames(old)];
  const errors: FieldError[] = [];
  if (old.spec.dataStore && !next.spec.dataStore) {
    errors.push(
      forbiddenValue('spec.dataStore', `cannot be unset, the objects of the tenant are in ${old.spec.dataStore}`),
    );
  }
  if (names.schema !== oldNames.schema) {
    errors.push(forbiddenValue('spec.dataStoreSchema', `cannot be changed, the tenant uses ${oldNames.schema}`));
  }
  if (names.username !== oldNames.username) {
    errors.push(forbiddenValue('spec.dataStoreUsername', `cannot be changed, the tenant uses ${oldNames.username}`));
  }
  return errors;
}
