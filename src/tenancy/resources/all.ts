import type { ConnectSubresource, ResourceDefinition } from '../../apiserver/registry/definition.ts';
import type { TenantControlPlane } from '../api/tenant-control-plane.ts';
import { dataStores } from './datastores/definition.ts';
import { kubeconfigGenerators } from './kubeconfiggenerators/definition.ts';
import { tenantControlPlanes } from './tenantcontrolplanes/definition.ts';

/** What the parts need that only the running program has. */
export interface ResourceDependencies {
  readonly tenantControlPlaneConnect: readonly ConnectSubresource<TenantControlPlane>[];
}

/** Every resource of the API, one line each. */
export function allResources(dependencies: ResourceDependencies) {
  return [
    tenantControlPlanes(dependencies.tenantControlPlaneConnect),
    dataStores,
    kubeconfigGenerators,
  ] as const satisfies readonly ResourceDefinition[];
}
