import { isIPv6 } from 'node:net';
import type { JsonObject, KubeObject } from '../../../apimachinery/object.ts';
import { ipBytes } from '../../../pki/subject.ts';
import type { Component } from '../../../reconcile/component.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';
import { KUBE_SYSTEM, objectsOf } from '../tenant-cluster/objects.ts';
import type { TenantClusterInput } from '../tenant-input.ts';
import { coreDnsEnabled } from './enabled.ts';
import { imageName } from './image.ts';
import { coreDnsTag, kubernetesMinor } from './versions.ts';

const NAME = 'coredns';
const SELECTOR = { 'k8s-app': 'kube-dns' };
const objects = objectsOf(NAME);
const inKubeSystem = { name: NAME, namespace: KUBE_SYSTEM };

/** Cluster DNS as kubeadm deploys it (cmd/kubeadm/app/phases/addons/dns), on the addresses that the kubelets are told. */
export const coreDns: Component<TenantClusterInput> = {
  name: NAME,
  cluster: 'tenant',
  desired: ({ tenant }) =>
    coreDnsEnabled(tenant)
      ? [
          objects.serviceAccount(inKubeSystem),
          objects.clusterRole('system:coredns', [
            { apiGroups: [''], resources: ['endpoints', 'services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
            { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
          ]),
          objects.clusterRoleBinding('system:coredns', 'system:coredns', [
            { kind: 'ServiceAccount', name: NAME, namespace: KUBE_SYSTEM },
          ]),
          objects.configMap(inKubeSystem, { Corefile: corefile(tenant.spec.networkProfile.clusterDomain) }),
          ...services(tenant.spec.networkProfile.dnsServiceIPs),
          objects.object('apps/v1', 'Deployment', { ...inKubeSystem, labels: SELECTOR }, { spec: deployment(tenant) }),
        ]
      : [],
};

function corefile(domain: string): string {
  return `.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes ${domain} in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30 {
       disable success ${domain}
       disable denial ${domain}
    }
    loop
    reload
    loadbalance
}
`;
}

/**
 * `kube-dns` has the first address of each IP family: a Service can have no more. Every further address gets a Service of its
 * own, because kubelets put all of them into the pods' resolv.conf.
 */
function services(addresses: readonly string[]): readonly KubeObject[] {
  const second = addresses.find((address) => isIPv6(address) !== isIPv6(addresses[0] ?? ''));
  const own = [addresses[0], second].filter((address) => address !== undefined);
  return [
    service('kube-dns', own),
    ...[...new Set(addresses)]
      .filter((address) => !own.includes(address))
      .map((address) => service(`kube-dns-${ipBytes(address).toString('hex')}`, [address])),
  ];
}

function service(name: string, addresses: readonly string[]): KubeObject {
  return objects.object(
    'v1',
    'Service',
    {
      name,
      namespace: KUBE_SYSTEM,
      labels: { ...SELECTOR, 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' },
      annotations: { 'prometheus.io/port': '9153', 'prometheus.io/scrape': 'true' },
    },
    {
      spec: {
        ...(addresses[0] !== undefined && {
          clusterIP: addresses[0],
          clusterIPs: addresses,
          ipFamilies: addresses.map((address) => (isIPv6(address) ? 'IPv6' : 'IPv4')),
          ipFamilyPolicy: addresses.length > 1 ? 'RequireDualStack' : 'SingleStack',
        }),
        ports: [
          { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
          { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
          { name: 'metrics', port: 9153, protocol: 'TCP', targetPort: 9153 },
        ],
        selector: SELECTOR,
      },
    },
  );
}

function deployment(tenant: TenantControlPlane): JsonObject {
  return {
    replicas: 2,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
    selector: { matchLabels: SELECTOR },
    template: {
      metadata: { labels: SELECTOR },
      spec: {
        priorityClassName: 'system-cluster-critical',
        serviceAccountName: NAME,
        affinity: {
          podAntiAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              {
                weight: 100,
                podAffinityTerm: {
                  labelSelector: { matchExpressions: [{ key: 'k8s-app', operator: 'In', values: ['kube-dns'] }] },
                  topologyKey: 'kubernetes.io/hostname',
                },
              },
            ],
          },
        },
        tolerations: [
          { key: 'CriticalAddonsOnly', operator: 'Exists' },
          { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' },
        ],
        nodeSelector: { 'kubernetes.io/os': 'linux' },
        dnsPolicy: 'Default',
        containers: [container(tenant)],
        volumes: [{ name: 'config-volume', configMap: { name: NAME, items: [{ key: 'Corefile', path: 'Corefile' }] } }],
      },
    },
  };
}

function container(tenant: TenantControlPlane): JsonObject {
  return {
    name: NAME,
    image: imageName(tenant.spec.addons.coreDNS, {
      name: NAME,
      folder: 'coredns',
      tag: coreDnsTag(kubernetesMinor(tenant)),
    }),
    imagePullPolicy: 'IfNotPresent',
    args: ['-conf', '/etc/coredns/Corefile'],
    resources: { limits: { memory: '170Mi' }, requests: { cpu: '100m', memory: '70Mi' } },
    ports: [
      { name: 'dns', containerPort: 53, protocol: 'UDP' },
      { name: 'dns-tcp', containerPort: 53, protocol: 'TCP' },
      { name: 'metrics', containerPort: 9153, protocol: 'TCP' },
      { name: 'liveness-probe', containerPort: 8080, protocol: 'TCP' },
      { name: 'readiness-probe', containerPort: 8181, protocol: 'TCP' },
    ],
    livenessProbe: {
      httpGet: { path: '/health', port: 'liveness-probe', scheme: 'HTTP' },
      initialDelaySeconds: 60,
      timeoutSeconds: 5,
      successThreshold: 1,
      failureThreshold: 5,
    },
    readinessProbe: { httpGet: { path: '/ready', port: 'readiness-probe', scheme: 'HTTP' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] },
      readOnlyRootFilesystem: true,
    },
    volumeMounts: [{ name: 'config-volume', mountPath: '/etc/coredns', readOnly: true }],
  };
}
