import type { Component } from '../../../reconcile/component.ts';
import type { TenantInput } from '../tenant-input.ts';
import { konnectivityEgressComponent, kubeadmConfigComponent } from './config-maps.ts';
import { deploymentComponent } from './deployment.ts';
import {
  certificateSecretsComponent,
  dataStoreSecretsComponent,
  konnectivitySecretsComponent,
  kubeconfigSecretsComponent,
  rootSecretsComponent,
} from './secrets.ts';
import { serviceComponent } from './service.ts';

/** What the Deployment mounts, in no order; all but the roots, which are created once and never applied over. */
export const mountedComponents: readonly Component<TenantInput>[] = [
  certificateSecretsComponent,
  kubeconfigSecretsComponent,
  dataStoreSecretsComponent,
  konnectivitySecretsComponent,
  konnectivityEgressComponent,
  kubeadmConfigComponent,
];

/** Everything of a tenant in the admin cluster, in the order of application. The Service comes first: its address is asked for by the others. */
export const adminClusterComponents: readonly Component<TenantInput>[] = [
  serviceComponent,
  rootSecretsComponent,
  ...mountedComponents,
  deploymentComponent,
];
