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

/** Everything of a tenant in the admin cluster, in the order of application. The Service comes first: its address is asked for by the others. */
export const adminClusterComponents: readonly Component<TenantInput>[] = [
  serviceComponent,
  rootSecretsComponent,
  certificateSecretsComponent,
  kubeconfigSecretsComponent,
  dataStoreSecretsComponent,
  konnectivitySecretsComponent,
  konnectivityEgressComponent,
  kubeadmConfigComponent,
  deploymentComponent,
];
