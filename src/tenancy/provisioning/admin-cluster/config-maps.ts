import { stringify } from 'yaml';
import type { Component } from '../../../reconcile/component.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';
import { konnectivityEnabled } from '../addons/enabled.ts';
import { clusterConfiguration, initConfiguration } from '../kubeadm-configuration.ts';
import { ANNOTATION_CHECKSUM, tenantObjectNames } from '../names.ts';
import { contentChecksum, tenantMetadata } from '../object-metadata.ts';
import type { TenantInput } from '../tenant-input.ts';
import type { ConfigMap } from './objects.ts';
import { oncePerInput } from './once-per-input.ts';

/** Socket on which konnectivity-server listens for kube-apiserver, in a volume that both mount. */
export const KONNECTIVITY_SOCKET_DIR = '/run/konnectivity';
export const KONNECTIVITY_SOCKET = `${KONNECTIVITY_SOCKET_DIR}/konnectivity-server.socket`;
export const EGRESS_CONFIGURATION_KEY = 'egress-selector-configuration.yaml';

/** The tenant in the terms of kubeadm, as objects of its API in JSON. For people and tools; nothing of ours reads it. */
export const kubeadmConfigComponent: Component<TenantInput> = {
  name: 'kubeadm-config',
  cluster: 'admin',
  desired: oncePerInput((input) => [
    configMap(input.tenant, tenantObjectNames(input.tenant.metadata.name ?? '').kubeadmConfig, 'kubeadmconfig', {
      ClusterConfiguration: JSON.stringify(clusterConfiguration(input)),
      InitConfiguration: JSON.stringify(initConfiguration(input)),
    }),
  ]),
};

/** Tells kube-apiserver to reach nodes, pods and webhooks through konnectivity. */
export const konnectivityEgressComponent: Component<TenantInput> = {
  name: 'konnectivity-egress',
  cluster: 'admin',
  desired: oncePerInput(({ tenant }) =>
    konnectivityEnabled(tenant)
      ? [
          configMap(
            tenant,
            tenantObjectNames(tenant.metadata.name ?? '').konnectivityEgress,
            'konnectivity-egress-selector-configuration',
            { [EGRESS_CONFIGURATION_KEY]: stringify(EGRESS_CONFIGURATION) },
          ),
        ]
      : [],
  ),
};

const EGRESS_CONFIGURATION = {
  apiVersion: 'apiserver.k8s.io/v1beta1',
  kind: 'EgressSelectorConfiguration',
  egressSelections: [
    {
      name: 'cluster',
      connection: { proxyProtocol: 'GRPC', transport: { uds: { udsName: KONNECTIVITY_SOCKET } } },
    },
  ],
};

function configMap(
  tenant: TenantControlPlane,
  name: string,
  component: string,
  data: Readonly<Record<string, string>>,
): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: tenantMetadata(tenant, name, component, {
      annotations: { [ANNOTATION_CHECKSUM]: contentChecksum(data) },
    }),
    data,
  };
}
