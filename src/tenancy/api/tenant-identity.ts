import type { TenantControlPlane } from './tenant-control-plane.ts';

/** Under which names a tenant lives in its DataStore. They never change while the tenant exists. */
export interface TenantDataStoreNames {
  /** Key range or database. */
  readonly schema: string;
  readonly username: string;
}

/** What the spec says, else the UID of the object, which is never given to another one. */
export function tenantDataStoreNames(tenant: TenantControlPlane): TenantDataStoreNames {
  const uid = tenant.metadata.uid ?? '';
  return { schema: tenant.spec.dataStoreSchema || uid, username: tenant.spec.dataStoreUsername || uid };
}

/** Every DataStore that holds objects of the tenant, each once; the main one first. */
export function tenantDataStores(tenant: TenantControlPlane): readonly string[] {
  const { dataStore, dataStoreOverrides = [] } = tenant.spec;
  const names = [dataStore, ...dataStoreOverrides.map((override) => override.dataStore)];
  return [...new Set(names.filter((name) => name !== undefined && name !== ''))] as readonly string[];
}

/** `namespace/name` of every tenant that has objects in the DataStore or is to have, sorted. Those being deleted count. */
export function dataStoreUsers(dataStore: string, tenants: readonly TenantControlPlane[]): readonly string[] {
  return tenants
    .filter(
      (tenant) => tenantDataStores(tenant).includes(dataStore) || tenant.status?.storage?.dataStoreName === dataStore,
    )
    .map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`)
    .sort();
}
