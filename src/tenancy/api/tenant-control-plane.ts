import { array, boolean, object, required, string } from '../../apimachinery/schema/builders.ts';
import { kind } from '../../apimachinery/schema/kind.ts';
import type { KubeObject } from '../../apimachinery/object.ts';
import type { Static } from '../../apimachinery/schema/typed.ts';
import { addons } from './addons.ts';
import { controlPlane } from './control-plane.ts';
import { kubernetes } from './kubernetes.ts';
import { networkProfile } from './network-profile.ts';
import { tenantControlPlaneStatus } from './tenant-control-plane-status.ts';
import type { TenantControlPlaneStatus } from './tenant-control-plane-status.ts';

export const tenantControlPlaneSpec = object(
  {
    dataStore: string({
      description: "Name of the DataStore that holds the objects of the tenant. The server's default when left out.",
      minLength: 1,
    }),
    dataStoreOverrides: array(
      object({
        resource: required(
          string({ description: 'Resource that goes elsewhere, as `group/resource`, such as `/events`.' }),
        ),
        dataStore: required(string({ description: 'Name of the DataStore for it.' })),
      }),
      { description: 'Resources that live in other DataStores.', listType: 'map', keys: ['resource'] },
    ),
    dataStoreSchema: string({
      description: 'Key range or database within the DataStore. Chosen when left out; cannot be changed once set.',
    }),
    dataStoreUsername: string({
      description: 'User within the DataStore. Chosen when left out; cannot be changed once set.',
    }),
    writePermissions: object(
      {
        blockCreation: boolean({ description: 'Refuse to create objects.' }),
        blockUpdate: boolean({ description: 'Refuse to change objects.' }),
        blockDeletion: boolean({ description: 'Refuse to delete objects.' }),
      },
      { description: "Writes that the tenant's API refuses." },
    ),
    controlPlane: required(controlPlane),
    kubernetes: required(kubernetes),
    networkProfile,
    addons,
  },
  { description: 'Desired state.' },
);
export type TenantControlPlaneSpec = Static<typeof tenantControlPlaneSpec>;

/** A Kubernetes cluster whose control plane runs as pods of the admin cluster. The type is that of a defaulted object. */
export interface TenantControlPlane extends KubeObject {
  readonly spec: TenantControlPlaneSpec;
  readonly status?: TenantControlPlaneStatus;
}

export const tenantControlPlane = kind<TenantControlPlane>({
  description: 'A Kubernetes cluster whose control plane runs as pods of the admin cluster.',
  spec: tenantControlPlaneSpec,
  status: tenantControlPlaneStatus,
});
