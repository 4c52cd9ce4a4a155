import { stringify } from 'yaml';
import type { Component } from '../../../reconcile/component.ts';
import type { TenantClusterInput } from '../tenant-input.ts';
import { kubeletConfiguration } from './kubelet-configuration.ts';
import { BOOTSTRAPPERS, KUBE_SYSTEM, NODES, objectsOf, readersOf } from './objects.ts';

const NAME = 'kubelet-config';
const objects = objectsOf(NAME);

/** The configuration that `kubeadm join` writes to a node (cmd/kubeadm/app/phases/kubelet, CreateConfigMap). */
export const kubeletConfig: Component<TenantClusterInput> = {
  name: NAME,
  cluster: 'tenant',
  /** Throws ProvisioningError KubeletPatchFailed. */
  desired: ({ tenant }) => [
    objects.configMap(
      { name: 'kubelet-config', namespace: KUBE_SYSTEM },
      { kubelet: stringify(kubeletConfiguration(tenant), { lineWidth: 0, version: '1.1', sortMapEntries: true }) },
    ),
    ...readersOf(objects, 'kubelet-config', { name: 'kubeadm:kubelet-config', namespace: KUBE_SYSTEM }, [
      NODES,
      BOOTSTRAPPERS,
    ]),
  ],
};
