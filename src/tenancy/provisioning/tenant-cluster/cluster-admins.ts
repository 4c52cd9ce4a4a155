import type { Component } from '../../../reconcile/component.ts';
import type { TenantClusterInput } from '../tenant-input.ts';
import { objectsOf } from './objects.ts';

const NAME = 'cluster-admins';
const objects = objectsOf(NAME);

/**
 * What lets the tenant's admin.conf do anything and kube-apiserver reach kubelets
 * (cmd/kubeadm/app/phases/kubeconfig, EnsureAdminClusterRoleBindingImpl; phases/bootstraptoken/node,
 * AllowAPIServerToAccessKubeletAPI).
 */
export const clusterAdmins: Component<TenantClusterInput> = {
  name: NAME,
  cluster: 'tenant',
  desired: () => [
    objects.clusterRoleBinding('kubeadm:cluster-admins', 'cluster-admin', [
      { kind: 'Group', name: 'kubeadm:cluster-admins' },
    ]),
    objects.clusterRoleBinding('kubeadm:apiserver-kubelet-client', 'system:kubelet-api-admin', [
      { kind: 'User', name: 'kube-apiserver-kubelet-client' },
    ]),
  ],
};
