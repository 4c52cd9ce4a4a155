import { isIP } from 'node:net';
import type { JsonObject, KubeObject } from '../../../apimachinery/object.ts';
import type { Component } from '../../../reconcile/component.ts';
import { KUBE_SYSTEM, objectsOf } from '../tenant-cluster/objects.ts';
import type { TenantClusterInput } from '../tenant-input.ts';
import { konnectivityEnabled } from './enabled.ts';
import { konnectivityVersion } from '../versions.ts';

const NAME = 'konnectivity-agent';
const SELECTOR = { 'k8s-app': NAME };
const ADMIN_PORT = 8133;
const HEALTH_PORT = 8134;
const TOKENS = '/var/run/secrets/tokens';
const objects = objectsOf(NAME);
const inKubeSystem = { name: NAME, namespace: KUBE_SYSTEM };

/**
 * The tenant's end of the tunnel by which its control plane reaches nodes, pods and webhooks
 * (sigs.k8s.io/apiserver-network-proxy, examples/kubernetes).
 */
export const konnectivityAgent: Component<TenantClusterInput> = {
  name: NAME,
  cluster: 'tenant',
  desired: (input) =>
    konnectivityEnabled(input.tenant)
      ? [
          objects.serviceAccount(inKubeSystem),
          // The server asks the tenant's API whether an agent's token is good.
          objects.clusterRoleBinding('system:konnectivity-server', 'system:auth-delegator', [
            { kind: 'User', name: 'system:konnectivity-server' },
          ]),
          workload(input),
        ]
      : [],
};

function workload(input: TenantClusterInput): KubeObject {
  const { mode, replicas } = input.tenant.spec.addons.konnectivity.agent;
  const template = { metadata: { labels: SELECTOR }, spec: pod(input) };
  const place = { ...inKubeSystem, labels: SELECTOR };
  if (mode === 'DaemonSet') {
    const spec = { selector: { matchLabels: SELECTOR }, updateStrategy: { type: 'RollingUpdate' }, template };
    return objects.object('apps/v1', 'DaemonSet', place, { spec });
  }
  const spec = {
    // Left out when the tenant does not say: then it may be scaled from within.
    ...(replicas !== undefined && { replicas }),
    selector: { matchLabels: SELECTOR },
    template,
  };
  return objects.object('apps/v1', 'Deployment', place, { spec });
}

function pod(input: TenantClusterInput): JsonObject {
  const { tenant, endpoint } = input;
  const { agent } = tenant.spec.addons.konnectivity;
  return {
    priorityClassName: 'system-cluster-critical',
    serviceAccountName: NAME,
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    // A node that is not ready needs the tunnel most: without it neither the logs of what keeps it so can be read nor
    // can the webhooks run that its network add-on may wait for.
    tolerations: [
      ...agent.tolerations.map((one) => ({ ...one })),
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists' },
    ],
    ...(agent.hostNetwork && { hostNetwork: true }),
    // A name must resolve while cluster DNS, whose logs go through here, does not work.
    ...(isIP(endpoint.host) === 0 && { dnsPolicy: 'Default' }),
    containers: [
      {
        name: NAME,
        image: `${agent.image}:${agent.version || konnectivityVersion(tenant.spec.kubernetes.version)}`,
        imagePullPolicy: 'IfNotPresent',
        command: ['/proxy-agent'],
        args: args(input),
        livenessProbe: {
          httpGet: { path: '/healthz', port: HEALTH_PORT, scheme: 'HTTP' },
          initialDelaySeconds: 15,
          timeoutSeconds: 15,
        },
        readinessProbe: { httpGet: { path: '/readyz', port: HEALTH_PORT, scheme: 'HTTP' }, periodSeconds: 5 },
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
          readOnlyRootFilesystem: true,
        },
        volumeMounts: [{ name: 'konnectivity-agent-token', mountPath: TOKENS, readOnly: true }],
      },
    ],
    volumes: [
      {
        name: 'konnectivity-agent-token',
        projected: {
          sources: [
            {
              serviceAccountToken: {
                audience: 'system:konnectivity-server',
                expirationSeconds: 3600,
                path: 'konnectivity-agent-token',
              },
            },
          ],
        },
      },
    ],
  };
}

function args({ tenant, endpoint }: TenantClusterInput): readonly string[] {
  const { agent, server } = tenant.spec.addons.konnectivity;
  const own = [
    `--admin-server-port=${ADMIN_PORT}`,
    '--ca-cert=/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
    `--health-server-port=${HEALTH_PORT}`,
    '--logtostderr=true',
    `--proxy-server-host=${endpoint.host}`,
    `--proxy-server-port=${server.port}`,
    `--service-account-token-path=${TOKENS}/konnectivity-agent-token`,
    '--v=2',
  ];
  const extra = agent.extraArgs ?? [];
  const replaced = new Set(extra.map(flagName));
  return [...own.filter((flag) => !replaced.has(flagName(flag))), ...extra];
}

/** `v` for `-v=4`, `--v=4` and `--v`. */
function flagName(argument: string): string {
  return argument.replace(/^--?/, '').split('=', 1)[0] ?? '';
}
