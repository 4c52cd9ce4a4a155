import type { ConnectSubresource, ResourceDefinition } from '../../../apiserver/registry/definition.ts';
import { GROUP, VERSION } from '../../api/group.ts';
import { tenantControlPlane } from '../../api/tenant-control-plane.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';
import { tenantControlPlaneStrategy } from './strategy.ts';

/** `connect`: the subresources that mint credentials; they need clients and are therefore handed in. */
export function tenantControlPlanes(
  connect: readonly ConnectSubresource<TenantControlPlane>[],
): ResourceDefinition<TenantControlPlane> {
  return {
    group: GROUP,
    version: VERSION,
    kind: 'TenantControlPlane',
    plural: 'tenantcontrolplanes',
    singular: 'tenantcontrolplane',
    shortNames: ['tcp'],
    categories: ['kamaji'],
    namespaced: true,
    schema: tenantControlPlane,
    strategy: tenantControlPlaneStrategy,
    printerColumns: [
      {
        name: 'Version',
        type: 'string',
        description: 'Kubernetes version asked for.',
        jsonPath: '.spec.kubernetes.version',
      },
      {
        name: 'Installed Version',
        type: 'string',
        description: 'Kubernetes version that runs.',
        jsonPath: '.status.kubernetesResources.version.version',
      },
      {
        name: 'Status',
        type: 'string',
        description: 'What the control plane is doing.',
        jsonPath: '.status.kubernetesResources.version.status',
      },
      {
        name: 'Ready',
        type: 'string',
        description: 'Whether the tenant can be used.',
        jsonPath: '.status.conditions[?(@.type=="Ready")].status',
      },
      {
        name: 'Control-Plane endpoint',
        type: 'string',
        description: 'Where the API is reached.',
        jsonPath: '.status.controlPlaneEndpoint',
      },
      {
        name: 'Kubeconfig',
        type: 'string',
        description: 'Secret that holds the kubeconfig of the administrators.',
        jsonPath: '.status.kubeconfig.admin.secretName',
      },
      {
        name: 'Datastore',
        type: 'string',
        description: 'DataStore that holds the objects of the tenant.',
        jsonPath: '.status.storage.dataStoreName',
      },
      { name: 'Age', type: 'date', description: 'Time since creation.', jsonPath: '.metadata.creationTimestamp' },
    ],
    subresources: {
      status: true,
      scale: {
        specReplicasPath: '.spec.controlPlane.deployment.replicas',
        statusReplicasPath: '.status.kubernetesResources.deployment.replicas',
        labelSelectorPath: '.status.kubernetesResources.deployment.selector',
      },
      connect,
    },
  };
}
