import { defineResource } from '../../kubeclient/resources.ts';
import type { DataStore } from './data-store.ts';
import { API_VERSION } from './group.ts';
import type { TenantControlPlane } from './tenant-control-plane.ts';

/** Our resources as clients address them. */
export const TENANT_CONTROL_PLANES = defineResource<TenantControlPlane>(
  API_VERSION,
  'tenantcontrolplanes',
  'TenantControlPlane',
  'Namespaced',
);
export const DATA_STORES = defineResource<DataStore>(API_VERSION, 'datastores', 'DataStore', 'Cluster');
