import type { Volume, VolumeProjection } from '../../api/core-types.generated.ts';
import { konnectivityEnabled } from '../addons/enabled.ts';
import { tenantObjectNames } from '../names.ts';
import type { TenantInput } from '../tenant-input.ts';
import { EGRESS_CONFIGURATION_KEY } from './config-maps.ts';

/** Where every container finds its files. */
export const FILES_DIR = '/etc/kubernetes';
export const EGRESS_CONFIGURATION_FILE = `${FILES_DIR}/konnectivity/configurations/${EGRESS_CONFIGURATION_KEY}`;

/** Names of the volumes: one of files for each container, and the socket's directory. */
export const VOLUMES = {
  apiServer: 'kube-apiserver-files',
  controllerManager: 'kube-controller-manager-files',
  scheduler: 'kube-scheduler-files',
  konnectivityServer: 'konnectivity-server-files',
  konnectivitySocket: 'konnectivity-uds',
} as const;

/** Readable by owner and group; the group is the pod's fsGroup. */
const FILE_MODE = 0o440;

/**
 * Every container gets the files that it reads and no others: the CA's private key goes to kube-controller-manager alone,
 * which signs certificates with it, the front proxy's to none. Paths are those of kubeadm.
 */
export function controlPlaneVolumes({ tenant }: Pick<TenantInput, 'tenant'>): readonly Volume[] {
  const names = tenantObjectNames(tenant.metadata.name ?? '');
  const ca = files(names.ca, { 'ca.crt': 'pki/ca.crt' });
  const frontProxyCa = files(names.frontProxyCa, { 'front-proxy-ca.crt': 'pki/front-proxy-ca.crt' });
  const apiServer = files(names.apiServer, {
    'apiserver.crt': 'pki/apiserver.crt',
    'apiserver.key': 'pki/apiserver.key',
  });
  const konnectivity = konnectivityEnabled(tenant);
  return [
    volume(VOLUMES.apiServer, [
      ca,
      frontProxyCa,
      apiServer,
      files(names.apiServerKubeletClient, {
        'apiserver-kubelet-client.crt': 'pki/apiserver-kubelet-client.crt',
        'apiserver-kubelet-client.key': 'pki/apiserver-kubelet-client.key',
      }),
      files(names.frontProxyClient, {
        'front-proxy-client.crt': 'pki/front-proxy-client.crt',
        'front-proxy-client.key': 'pki/front-proxy-client.key',
      }),
      files(names.serviceAccountKeys, { 'sa.pub': 'pki/sa.pub', 'sa.key': 'pki/sa.key' }),
      files(names.dataStoreCertificate, {
        'ca.crt': 'pki/etcd/ca.crt',
        'server.crt': 'pki/etcd/server.crt',
        'server.key': 'pki/etcd/server.key',
      }),
      ...(konnectivity
        ? [
            {
              configMap: {
                name: names.konnectivityEgress,
                items: [{ key: EGRESS_CONFIGURATION_KEY, path: EGRESS_CONFIGURATION_FILE.slice(FILES_DIR.length + 1) }],
              },
            },
          ]
        : []),
    ]),
    volume(VOLUMES.controllerManager, [
      files(names.controllerManagerKubeconfig, { 'controller-manager.conf': 'controller-manager.conf' }),
      files(names.ca, { 'ca.crt': 'pki/ca.crt', 'ca.key': 'pki/ca.key' }),
      frontProxyCa,
      files(names.serviceAccountKeys, { 'sa.key': 'pki/sa.key' }),
    ]),
    volume(VOLUMES.scheduler, [
      files(names.schedulerKubeconfig, { 'scheduler.conf': 'scheduler.conf' }),
      ca,
      frontProxyCa,
    ]),
    ...(konnectivity
      ? [
          volume(VOLUMES.konnectivityServer, [
            files(names.konnectivityKubeconfig, { 'konnectivity-server.conf': 'konnectivity-server.conf' }),
            apiServer,
          ]),
          { name: VOLUMES.konnectivitySocket, emptyDir: { medium: 'Memory' } },
        ]
      : []),
  ];
}

function volume(name: string, sources: readonly VolumeProjection[]): Volume {
  return { name, projected: { defaultMode: FILE_MODE, sources } };
}

function files(secretName: string, paths: Readonly<Record<string, string>>): VolumeProjection {
  return { secret: { name: secretName, items: Object.entries(paths).map(([key, path]) => ({ key, path })) } };
}
