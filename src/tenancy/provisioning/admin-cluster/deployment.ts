import type { Component } from '../../../reconcile/component.ts';
import type { DeploymentStrategy, TopologySpreadConstraint } from '../../api/core-types.generated.ts';
import { konnectivityEnabled } from '../addons/enabled.ts';
import { LABEL_NAME, tenantObjectNames } from '../names.ts';
import { tenantLabels, tenantMetadata } from '../object-metadata.ts';
import type { TenantInput } from '../tenant-input.ts';
import { apiServerContainer } from './api-server.ts';
import { controllerManagerContainer } from './controller-manager.ts';
import { deploymentReadiness } from './deployment-readiness.ts';
import { konnectivityServerContainer } from './konnectivity-server.ts';
import type { Deployment, PodSpec } from './objects.ts';
import { podHashes } from './pod-hashes.ts';
import { schedulerContainer } from './scheduler.ts';
import { podSecurityContext } from './security.ts';
import { controlPlaneVolumes } from './volumes.ts';

/** The control plane's pods, konnectivity's server included: one object, so one rollout for one change. */
export const deploymentComponent: Component<TenantInput> = {
  name: 'deployment',
  cluster: 'admin',
  desired: (input) => [deployment(input)],
  ready: ([live]) => deploymentReadiness(live),
};

function deployment(input: TenantInput): Deployment {
  const { tenant } = input;
  const settings = tenant.spec.controlPlane.deployment;
  const name = tenantObjectNames(tenant.metadata.name ?? '').deployment;
  const selector = { matchLabels: { [LABEL_NAME]: tenant.metadata.name ?? '' } };
  const hashes = podHashes(input);
  const { labels = {}, annotations = {} } = settings.podAdditionalMetadata ?? {};
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: tenantMetadata(tenant, name, 'deployment', { additional: settings.additionalMetadata }),
    spec: {
      replicas: settings.replicas,
      // Going back means changing the tenant, never an old ReplicaSet: one is kept for reading.
      revisionHistoryLimit: 1,
      selector,
      strategy: strategy(settings.strategy),
      template: {
        metadata: {
          labels: { ...labels, ...hashes.labels, ...tenantLabels(tenant, 'deployment') },
          annotations: {
            'kubectl.kubernetes.io/default-container': 'kube-apiserver',
            ...annotations,
            ...hashes.annotations,
          },
        },
        spec: podSpec(input, selector),
      },
    },
  };
}

function podSpec(input: TenantInput, selector: { readonly matchLabels: Readonly<Record<string, string>> }): PodSpec {
  const { tenant } = input;
  const settings = tenant.spec.controlPlane.deployment;
  const runtimeClassName = settings.runtimeClassName ?? '';
  const initContainers = settings.additionalInitContainers ?? [];
  const spread = settings.topologySpreadConstraints ?? [];
  return {
    // kube-apiserver first: the kubelet starts them in this order, one after the other, and all wait for it.
    containers: [
      apiServerContainer(input),
      ...(konnectivityEnabled(tenant) ? [konnectivityServerContainer(input)] : []),
      controllerManagerContainer(input),
      schedulerContainer(input),
      ...(settings.additionalContainers ?? []),
    ],
    ...(initContainers.length > 0 ? { initContainers } : {}),
    volumes: [...controlPlaneVolumes(input), ...(settings.additionalVolumes ?? [])],
    ...(settings.nodeSelector === undefined ? {} : { nodeSelector: settings.nodeSelector }),
    ...(runtimeClassName === '' ? {} : { runtimeClassName }),
    ...(settings.tolerations === undefined ? {} : { tolerations: settings.tolerations }),
    ...(settings.affinity === undefined ? {} : { affinity: settings.affinity }),
    ...(spread.length > 0
      ? {
          topologySpreadConstraints: spread.map((constraint): TopologySpreadConstraint => ({
            labelSelector: selector,
            ...constraint,
          })),
        }
      : {}),
    serviceAccountName: settings.serviceAccountName,
    // Nothing of ours talks to the admin cluster.
    automountServiceAccountToken: settings.automountServiceAccountToken ?? false,
    // One variable for each Service of a namespace full of tenants adds up, and tells tenants of each other.
    enableServiceLinks: false,
    securityContext: podSecurityContext(settings.podSecurityContext),
  };
}

/** All fields of a rolling update are told, so that they are ours to take away when the strategy becomes Recreate. */
function strategy(given: DeploymentStrategy): DeploymentStrategy {
  if (given.type === 'Recreate') return { type: 'Recreate' };
  return {
    type: 'RollingUpdate',
    rollingUpdate: {
      maxUnavailable: given.rollingUpdate?.maxUnavailable ?? 0,
      maxSurge: given.rollingUpdate?.maxSurge ?? '100%',
    },
  };
}
