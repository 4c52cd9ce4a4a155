import type { Component } from '../../../reconcile/component.ts';
import type { TenantClusterInput } from '../tenant-input.ts';
import { BOOTSTRAPPERS, NODES, objectsOf } from './objects.ts';

const NAME = 'node-bootstrap';
const CSR = 'system:certificates.k8s.io:certificatesigningrequests';
const objects = objectsOf(NAME);

/**
 * What lets whoever holds a bootstrap token become a node: ask for a certificate, have it approved, and later renewed
 * (cmd/kubeadm/app/phases/bootstraptoken/node/tlsbootstrap.go).
 */
export const nodeBootstrap: Component<TenantClusterInput> = {
  name: NAME,
  cluster: 'tenant',
  desired: () => [
    objects.clusterRoleBinding('kubeadm:kubelet-bootstrap', 'system:node-bootstrapper', [BOOTSTRAPPERS]),
    // kubeadm join looks whether there is a node of that name already.
    objects.clusterRole('kubeadm:get-nodes', [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }]),
    objects.clusterRoleBinding('kubeadm:get-nodes', 'kubeadm:get-nodes', [BOOTSTRAPPERS]),
    objects.clusterRoleBinding('kubeadm:node-autoapprove-bootstrap', `${CSR}:nodeclient`, [BOOTSTRAPPERS]),
    objects.clusterRoleBinding('kubeadm:node-autoapprove-certificate-rotation', `${CSR}:selfnodeclient`, [NODES]),
  ],
};
