import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { stringify } from 'yaml';
import type { JsonObject } from '../../../apimachinery/object.ts';
import type { Component } from '../../../reconcile/component.ts';
import { serverUrl } from '../kubeconfig.ts';
import { ANNOTATION_CHECKSUM } from '../names.ts';
import { BOOTSTRAPPERS, KUBE_SYSTEM, objectsOf, readersOf } from '../tenant-cluster/objects.ts';
import type { TenantClusterInput } from '../tenant-input.ts';
import { kubeProxyEnabled } from './enabled.ts';
import { imageName } from './image.ts';
import { imageVersion } from '../versions.ts';

const NAME = 'kube-proxy';
const SELECTOR = { 'k8s-app': NAME };
const FOLDER = '/var/lib/kube-proxy';
const CREDENTIALS = '/var/run/secrets/kubernetes.io/serviceaccount';
const objects = objectsOf(NAME);
const inKubeSystem = { name: NAME, namespace: KUBE_SYSTEM };

/** kube-proxy as kubeadm deploys it (cmd/kubeadm/app/phases/addons/proxy). */
export const kubeProxy: Component<TenantClusterInput> = {
  name: NAME,
  cluster: 'tenant',
  desired: (input) => {
    if (!kubeProxyEnabled(input.tenant)) return [];
    const files = { 'config.conf': configuration(input), 'kubeconfig.conf': kubeconfig(input) };
    return [
      objects.serviceAccount(inKubeSystem),
      objects.clusterRoleBinding('kubeadm:node-proxier', 'system:node-proxier', [
        { kind: 'ServiceAccount', ...inKubeSystem },
      ]),
      ...readersOf(objects, NAME, inKubeSystem, [BOOTSTRAPPERS]),
      objects.configMap({ ...inKubeSystem, labels: { app: NAME } }, files),
      objects.object(
        'apps/v1',
        'DaemonSet',
        { ...inKubeSystem, labels: SELECTOR },
        { spec: daemonSet(input, checksum(files)) },
      ),
    ];
  },
};

function configuration({ tenant }: TenantClusterInput): string {
  const { podCidrs } = tenant.spec.networkProfile;
  return toYaml({
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    bindAddress: isIPv6(podCidrs[0]?.split('/')[0] ?? '') ? '::' : '0.0.0.0',
    clientConnection: { kubeconfig: `${FOLDER}/kubeconfig.conf` },
    clusterCIDR: podCidrs.join(','),
    // Zero leaves nf_conntrack_max as it is. The machines are not ours to tune, and where a node is a container or a
    // network namespace kube-proxy may not set it, and would stop.
    conntrack: { maxPerCore: 0, min: 0 },
    // No mode: iptables, which is kubeadm's too. nftables needs a kernel of 5.13 on nodes that we know nothing about.
  });
}

function kubeconfig({ endpoint }: TenantClusterInput): string {
  return toYaml({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'default',
        cluster: {
          'certificate-authority': `${CREDENTIALS}/ca.crt`,
          server: serverUrl(endpoint.host, endpoint.port),
        },
      },
    ],
    contexts: [{ name: 'default', context: { cluster: 'default', namespace: 'default', user: 'default' } }],
    'current-context': 'default',
    users: [{ name: 'default', user: { tokenFile: `${CREDENTIALS}/token` } }],
  });
}

function daemonSet({ tenant }: TenantClusterInput, configurationChecksum: string): JsonObject {
  return {
    selector: { matchLabels: SELECTOR },
    updateStrategy: { type: 'RollingUpdate' },
    template: {
      // kube-proxy reads its configuration once: other content must mean other pods.
      metadata: { labels: SELECTOR, annotations: { [ANNOTATION_CHECKSUM]: configurationChecksum } },
      spec: {
        priorityClassName: 'system-node-critical',
        serviceAccountName: NAME,
        hostNetwork: true,
        nodeSelector: { 'kubernetes.io/os': 'linux' },
        tolerations: [{ operator: 'Exists' }],
        containers: [
          {
            name: NAME,
            image: imageName(tenant.spec.addons.kubeProxy, {
              name: NAME,
              tag: imageVersion(tenant.spec.kubernetes.version),
            }),
            imagePullPolicy: 'IfNotPresent',
            command: [
              '/usr/local/bin/kube-proxy',
              `--config=${FOLDER}/config.conf`,
              '--hostname-override=$(NODE_NAME)',
            ],
            env: [{ name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
            securityContext: { privileged: true },
            volumeMounts: [
              { name: NAME, mountPath: FOLDER },
              { name: 'xtables-lock', mountPath: '/run/xtables.lock' },
              { name: 'lib-modules', mountPath: '/lib/modules', readOnly: true },
            ],
          },
        ],
        volumes: [
          { name: NAME, configMap: { name: NAME } },
          { name: 'xtables-lock', hostPath: { path: '/run/xtables.lock', type: 'FileOrCreate' } },
          { name: 'lib-modules', hostPath: { path: '/lib/modules' } },
        ],
      },
    },
  };
}

function toYaml(value: JsonObject): string {
  return stringify(value, { lineWidth: 0, version: '1.1' });
}

function checksum(files: Readonly<Record<string, string>>): string {
  return createHash('sha256').update(JSON.stringify(files)).digest('hex');
}
