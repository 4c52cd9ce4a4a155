import type { Component } from '../../../reconcile/component.ts';
import { addonComponents } from '../addons/all.ts';
import type { TenantClusterInput } from '../tenant-input.ts';
import { clusterAdmins } from './cluster-admins.ts';
import { clusterInfo } from './cluster-info.ts';
import { kubeadmConfig } from './kubeadm-config.ts';
import { kubeletConfig } from './kubelet-config.ts';
import { nodeBootstrap } from './node-bootstrap.ts';

/** Everything that we put into a tenant's cluster, in the order of applying: access first, then joining, then add-ons. */
export const tenantClusterComponents: readonly Component<TenantClusterInput>[] = [
  clusterAdmins,
  clusterInfo,
  nodeBootstrap,
  kubeadmConfig,
  kubeletConfig,
  ...addonComponents,
];
