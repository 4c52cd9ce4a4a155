import { describe, expect, it } from 'vitest';
import { tenantFixture } from '../../../../test/env/tenant.ts';
import type { Condition, KubeObject } from '../../../apimachinery/object.ts';
import type { TenantControlPlaneStatus } from '../../api/tenant-control-plane-status.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';
import type { LiveDeployment, LiveService, TenantClusterReport, TenantFacts } from './facts.ts';
import { computeStatus, hostPort, rolloutComplete } from './status.ts';

const T0 = '2030-01-01T00:00:00Z';
const T1 = '2030-01-01T00:01:00Z';
const T2 = '2030-01-01T00:02:00Z';

type DeploymentStatus = NonNullable<LiveDeployment['status']>;

function deployment(
  replicas: number,
  status: DeploymentStatus = {},
  version = 'v1.36.1',
  generation = 1,
): LiveDeployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 't1', namespace: 'team-a', generation },
    spec: {
      replicas,
      template: {
        spec: {
          containers: [
            { name: 'sidecar', image: 'example.org/sidecar:v1.36.1' },
            { name: 'kube-apiserver', image: `registry.k8s.io/kube-apiserver:${version}` },
          ],
        },
      },
    },
    status,
  };
}

const serving = (replicas = 1, version = 'v1.36.1', generation = 1): LiveDeployment =>
  deployment(
    replicas,
    {
      observedGeneration: generation,
      replicas,
      updatedReplicas: replicas,
      readyReplicas: replicas,
      availableReplicas: replicas,
    },
    version,
    generation,
  );

const service: LiveService = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 't1', namespace: 'team-a' },
  spec: { type: 'ClusterIP', clusterIP: '10.96.0.77' },
  status: { loadBalancer: {} },
};

const inPlace: TenantClusterReport = {
  configured: true,
  reason: 'ObjectsInPlace',
  message: '',
  generation: 1,
  checksum: 'c1',
};

const secret = (name: string, checksum: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'team-a', annotations: { 'kamaji.io/checksum': checksum } },
});

const desired: readonly KubeObject[] = [
  secret('t1-ca', 'ca-1'),
  secret('t1-api-server-certificate', 'api-1'),
  secret('t1-admin-kubeconfig', 'admin-1'),
  secret('t1-datastore-config', 'config-1'),
  secret('t1-datastore-certificate', 'store-1'),
  secret('t1-konnectivity-certificate', 'tunnel-1'),
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 't1-kubeadmconfig', annotations: { 'kamaji.io/checksum': 'kubeadm-1' } },
  },
];

/** All steps done, the control plane up, the tenant configured. */
function facts(change: Partial<TenantFacts> = {}): TenantFacts {
  return {
    generation: 1,
    blocked: undefined,
    storage: { dataStoreName: 'default', driver: 'etcd', endpoints: ['etcd:2379'], schema: 's', username: 'u' },
    endpoint: { host: '10.96.0.77', port: 6443, clusterIp: '10.96.0.77' },
    desired,
    deployment: serving(),
    podTrouble: undefined,
    service,
    tenantCluster: inPlace,
    ...change,
  };
}

/** What a pass knows that had to wait at a step. */
const blockedAt = (step: NonNullable<TenantFacts['blocked']>['step'], change: Partial<TenantFacts> = {}): TenantFacts =>
  facts({
    blocked: { step, reason: 'SomeReason', message: `${step} has to wait` },
    storage: undefined,
    endpoint: undefined,
    desired: [],
    deployment: undefined,
    service: undefined,
    tenantCluster: undefined,
    ...change,
  });

const tenant = (spec: object = {}, status?: TenantControlPlaneStatus, generation = 1): TenantControlPlane => {
  const made = tenantFixture(spec);
  return { ...made, metadata: { ...made.metadata, generation }, ...(status === undefined ? {} : { status }) };
};
const replicas = (count: number): object => ({ controlPlane: { deployment: { replicas: count } } });
const version = (text: string): object => ({ kubernetes: { version: text } });

const condition = (status: TenantControlPlaneStatus, type: string): Condition => {
  const found = status.conditions?.find((one) => one.type === type);
  if (found === undefined) throw new Error(`no condition ${type}`);
  return found;
};
const brief = (status: TenantControlPlaneStatus): Record<string, string> =>
  Object.fromEntries((status.conditions ?? []).map(({ type, status: value, reason }) => [type, `${value} ${reason}`]));
const phase = (status: TenantControlPlaneStatus): string | undefined => status.kubernetesResources?.version?.status;

describe('the conditions of a tenant', () => {
  it('are all true when everything is there', () => {
    const status = computeStatus(tenant(), facts(), T0);
    expect(brief(status)).toEqual({
      Ready: 'True Ready',
      DataStoreReady: 'True TenantSetUp',
      Exposed: 'True AddressKnown',
      CertificatesReady: 'True CertificatesValid',
      ControlPlaneAvailable: 'True DeploymentAvailable',
      TenantConfigured: 'True ObjectsInPlace',
    });
    expect(phase(status)).toBe('Ready');
    expect(status.observedGeneration).toBe(1);
  });

  const steps = ['DataStoreReady', 'Exposed', 'CertificatesReady', 'ControlPlaneAvailable'] as const;
  it.each(steps)('say at which step a new tenant waits: %s', (step) => {
    const status = computeStatus(tenant(), blockedAt(step), T0);
    expect(condition(status, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'SomeReason',
      message: `${step} has to wait`,
    });
    expect(condition(status, step)).toMatchObject({ status: 'False', reason: 'SomeReason' });
    for (const [index, other] of steps.entries()) {
      const at = steps.indexOf(step);
      if (index < at) expect(condition(status, other).status).toBe('True');
      if (index > at && other !== 'ControlPlaneAvailable') {
        expect(condition(status, other)).toMatchObject({ status: 'Unknown', message: `waits for ${step}` });
      }
    }
    expect(condition(status, 'TenantConfigured').status).toBe('False');
    expect(phase(status)).toBe('Provisioning');
    expect(status.observedGeneration).toBeUndefined();
  });

  it.each(steps.slice(0, 3))('keep what an earlier pass knew behind a step that is blocked now: %s', (step) => {
    const before = computeStatus(tenant(), facts(), T0);
    const after = computeStatus(tenant({}, before), blockedAt(step, { deployment: serving() }), T1);
    for (const type of steps) {
      if (type === step) continue;
      expect(condition(after, type)).toEqual(condition(before, type));
    }
    expect(condition(after, 'TenantConfigured')).toEqual(condition(before, 'TenantConfigured'));
    expect(condition(after, 'Ready')).toMatchObject({
      status: 'False',
      message: `${step} has to wait`,
      lastTransitionTime: T1,
    });
    const { conditions: _before, kubernetesResources: was, ...kept } = before;
    const { conditions: _after, kubernetesResources: is, ...now } = after;
    expect(now).toEqual(kept);
    expect(is).toEqual({ ...was, version: { status: 'NotReady', version: 'v1.36.1' } });
  });

  it('move their time only when they turn', () => {
    let status = computeStatus(tenant(), blockedAt('Exposed'), T0);
    expect(condition(status, 'Ready').lastTransitionTime).toBe(T0);
    const other = { step: 'Exposed', reason: 'AnotherReason', message: 'because' } as const;
    status = computeStatus(tenant({}, status), blockedAt('Exposed', { blocked: other }), T1);
    expect(condition(status, 'Ready')).toMatchObject({ reason: 'AnotherReason', lastTransitionTime: T0 });
    status = computeStatus(tenant({}, status), facts(), T2);
    expect(condition(status, 'Ready').lastTransitionTime).toBe(T2);
    expect(condition(status, 'DataStoreReady').lastTransitionTime).toBe(T0);
  });

  it('tell the generation that the pass acted on, not the one that was stored meanwhile', () => {
    // Somebody changed the spec while the pass ran, so the status is computed again over the newer object.
    const tenantCluster = { ...inPlace, generation: 4 };
    const status = computeStatus(tenant({}, undefined, 5), facts({ generation: 4, tenantCluster }), T0);
    expect(status.observedGeneration).toBe(4);
    expect(new Set(status.conditions?.map((one) => one.observedGeneration))).toEqual(new Set([4]));
  });

  it.each([
    [
      'while pods of the old one still serve',
      { deployment: deployment(2, { observedGeneration: 1, replicas: 3, updatedReplicas: 1, availableReplicas: 2 }) },
    ],
    ['before the Deployment controller has seen it', { deployment: serving(1, 'v1.36.1', 1) }],
    [
      "while the tenant's cluster holds what the old one asked for",
      { deployment: serving(1, 'v1.36.1', 2), tenantCluster: inPlace },
    ],
  ])('do not claim a generation %s', (_when, change) => {
    const before = computeStatus(tenant(), facts(), T0);
    const live =
      change.deployment.metadata.generation === 1
        ? { ...change.deployment, metadata: { ...change.deployment.metadata, generation: 2 } }
        : change.deployment;
    const next = facts({ generation: 2, tenantCluster: { ...inPlace, generation: 2 }, ...change, deployment: live });
    expect(computeStatus(tenant({}, before, 2), next, T1).observedGeneration).toBe(1);
  });

  it('claims a generation once all of it is in place', () => {
    const before = computeStatus(tenant(), facts(), T0);
    const next = facts({
      generation: 2,
      deployment: serving(1, 'v1.36.1', 2),
      tenantCluster: { ...inPlace, generation: 2 },
    });
    expect(computeStatus(tenant({}, before, 2), next, T1).observedGeneration).toBe(2);
  });

  it('do not claim a generation that a step kept from being put into place', () => {
    const before = computeStatus(tenant(), facts(), T0);
    const after = computeStatus(tenant({}, before, 2), blockedAt('CertificatesReady', { generation: 2 }), T1);
    expect(after.observedGeneration).toBe(1);
    expect(condition(after, 'Ready').observedGeneration).toBe(2);
  });
});

describe('the Deployment as a condition', () => {
  const rows: readonly [string, LiveDeployment | undefined, string, RegExp][] = [
    ['is not there', undefined, 'Provisioning', /does not exist yet/],
    ['has no status yet', deployment(2), 'Starting', /0 of 2 pods/],
    [
      'has pods that are not available',
      deployment(2, { replicas: 2, unavailableReplicas: 2 }),
      'Starting',
      /0 of 2 pods/,
    ],
    [
      'may not make pods',
      deployment(1, {
        conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'exceeded quota' }],
      }),
      'FailedCreate',
      /Deployment t1 makes no progress: exceeded quota/,
    ],
    [
      'gave up',
      deployment(1, {
        conditions: [
          { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'timed out' },
        ],
      }),
      'ProgressDeadlineExceeded',
      /makes no progress: timed out/,
    ],
    [
      'failed without a word',
      deployment(1, { conditions: [{ type: 'Progressing', status: 'False', reason: '' }] }),
      'DeploymentFailed',
      /makes no progress/,
    ],
  ];
  it.each(rows)('that %s', (_what, live, reason, message) => {
    const status = computeStatus(tenant(), facts({ deployment: live }), T0);
    expect(condition(status, 'ControlPlaneAvailable')).toMatchObject({ status: 'False', reason });
    expect(condition(status, 'ControlPlaneAvailable').message).toMatch(message);
    expect(condition(status, 'Ready')).toMatchObject({ status: 'False', reason });
  });

  it('tells what keeps the pods from running before what the Deployment makes of it', () => {
    const podTrouble = { reason: 'ContainerFailing', message: 'container kube-apiserver is in ImagePullBackOff' };
    const live = deployment(1, {
      conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }],
    });
    const status = computeStatus(tenant(), facts({ deployment: live, podTrouble }), T0);
    expect(condition(status, 'Ready')).toMatchObject({ status: 'False', ...podTrouble });
    const served = computeStatus(tenant(), facts({ podTrouble }), T0);
    expect(condition(served, 'Ready').status).toBe('True');
  });

  it('that still serves while a failed rollout is stuck', () => {
    const stuck = deployment(1, {
      availableReplicas: 1,
      conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }],
    });
    expect(condition(computeStatus(tenant(), facts({ deployment: stuck }), T0), 'ControlPlaneAvailable').status).toBe(
      'True',
    );
  });
});

describe('the phase of a tenant', () => {
  const installed = (): TenantControlPlaneStatus => computeStatus(tenant(), facts(), T0);

  it('is Provisioning until every pod has run', () => {
    expect(phase(computeStatus(tenant(), facts({ deployment: undefined }), T0))).toBe('Provisioning');
    const half = deployment(2, { observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 1 });
    const status = computeStatus(tenant(replicas(2)), facts({ deployment: half }), T0);
    expect(phase(status)).toBe('Provisioning');
    expect(status.kubernetesResources?.version?.version).toBeUndefined();
  });

  it('is NotReady when what has run does not', () => {
    const down = computeStatus(tenant({}, installed()), facts({ deployment: deployment(1, { replicas: 1 }) }), T1);
    expect(phase(down)).toBe('NotReady');
    expect(down.kubernetesResources?.version?.version).toBe('v1.36.1');
    const refused: TenantClusterReport = { ...inPlace, configured: false, reason: 'TenantRefused', message: 'no' };
    expect(phase(computeStatus(tenant({}, installed()), facts({ tenantCluster: refused }), T1))).toBe('NotReady');
  });

  it('is Upgrading until every pod runs the version asked for', () => {
    const asked = tenant(version('v1.36.2'), installed(), 2);
    const rolling = deployment(
      1,
      { observedGeneration: 2, replicas: 2, updatedReplicas: 1, availableReplicas: 1 },
      'v1.36.2',
      2,
    );
    const during = computeStatus(asked, facts({ generation: 2, deployment: rolling }), T1);
    expect(phase(during)).toBe('Upgrading');
    expect(during.kubernetesResources?.version?.version).toBe('v1.36.1');
    const after = computeStatus(
      { ...asked, status: during },
      facts({ generation: 2, deployment: serving(1, 'v1.36.2', 2) }),
      T2,
    );
    expect(after.kubernetesResources?.version).toEqual({ status: 'Ready', version: 'v1.36.2' });
  });

  it('is Upgrading before the Deployment has been changed at all', () => {
    const asked = tenant(version('v1.36.2'), installed(), 2);
    expect(computeStatus(asked, facts({ generation: 2 }), T1).kubernetesResources?.version).toEqual({
      status: 'Upgrading',
      version: 'v1.36.1',
    });
  });

  it('does not take a version for another that begins like it', () => {
    // v1.36.10 never came up and was taken back; its pods are still there.
    const status = computeStatus(tenant(version('v1.36.1')), facts({ deployment: serving(1, 'v1.36.10') }), T0);
    expect(status.kubernetesResources?.version?.version).toBeUndefined();
  });

  it.each(['v1.36.1', 'v1.36.1-eks', 'v1.36.1@sha256:00'])('knows the version of image tag %s', (tag) => {
    const status = computeStatus(tenant(), facts({ deployment: serving(1, tag) }), T0);
    expect(status.kubernetesResources?.version?.version).toBe('v1.36.1');
  });

  it('is Sleeping at 0 replicas, whatever still runs', () => {
    for (const live of [undefined, serving(1), deployment(0, { observedGeneration: 2 }, 'v1.36.1', 2)]) {
      const status = computeStatus(tenant(replicas(0), installed()), facts({ deployment: live }), T1);
      expect(phase(status)).toBe('Sleeping');
      expect(condition(status, 'Ready')).toMatchObject({ status: 'False', reason: 'Sleeping' });
      expect(status.kubernetesResources?.version?.version).toBe('v1.36.1');
    }
  });

  it('is NotReady, not Ready, from waking up until the Deployment is available', () => {
    const asleep = computeStatus(tenant(replicas(0), installed()), facts({ deployment: deployment(0) }), T1);
    const woken = computeStatus(tenant({}, asleep), facts({ deployment: deployment(1) }), T2);
    expect(phase(woken)).toBe('NotReady');
    expect(condition(woken, 'Ready')).toMatchObject({ status: 'False', reason: 'Starting' });
    expect(phase(computeStatus(tenant({}, woken), facts(), T2))).toBe('Ready');
  });

  it('is not Ready from waking up to another version until that one runs', () => {
    const asleep = computeStatus(
      tenant({ ...replicas(0), ...version('v1.36.2') }, installed()),
      facts({ deployment: deployment(0) }),
      T1,
    );
    expect(asleep.kubernetesResources?.version).toEqual({ status: 'Sleeping', version: 'v1.36.1' });
    const woken = computeStatus(
      tenant(version('v1.36.2'), asleep),
      facts({ deployment: deployment(1, {}, 'v1.36.2') }),
      T2,
    );
    expect(phase(woken)).toBe('NotReady');
  });
});

describe('what the tenant-cluster controller reports', () => {
  it('is waited for at first', () => {
    const status = computeStatus(tenant(), facts({ tenantCluster: undefined }), T0);
    expect(condition(status, 'Ready')).toMatchObject({ status: 'False', reason: 'Waiting' });
    expect(status.kubeadmPhase).toBeUndefined();
    expect(status.addons).toBeUndefined();
  });

  it('is told in its words', () => {
    const report: TenantClusterReport = {
      ...inPlace,
      configured: false,
      reason: 'TenantUnreachable',
      message: 'no route',
    };
    const status = computeStatus(tenant(), facts({ tenantCluster: report }), T0);
    expect(condition(status, 'TenantConfigured')).toMatchObject({
      status: 'False',
      reason: 'TenantUnreachable',
      message: 'no route',
    });
    expect(condition(status, 'Ready')).toMatchObject({ reason: 'TenantUnreachable', message: 'no route' });
  });

  it('is what an earlier process knew until this one has looked', () => {
    const before = computeStatus(tenant(), facts(), T0);
    const after = computeStatus(tenant({}, before), facts({ tenantCluster: undefined }), T1);
    expect(after).toEqual(before);
  });

  it('shows in the add-ons that are on and off', () => {
    const on = computeStatus(tenant({ addons: { coreDNS: {}, kubeProxy: {} } }), facts(), T0);
    expect(on.addons).toMatchObject({
      coreDNS: { enabled: true, lastUpdate: T0 },
      kubeProxy: { enabled: true },
      konnectivity: { enabled: true, certificate: { secretName: 't1-konnectivity-certificate', checksum: 'tunnel-1' } },
    });
    const off = computeStatus(tenant({ addons: { coreDNS: {}, konnectivity: { enabled: false } } }, on), facts(), T1);
    expect(off.addons).toEqual({
      coreDNS: { enabled: true, lastUpdate: T0 },
      kubeProxy: { enabled: false, lastUpdate: T1 },
      konnectivity: { enabled: false },
    });
  });
});

describe('the rest of the status', () => {
  it('names Secrets with their checksum and the time of the last change', () => {
    const first = computeStatus(tenant(), facts(), T0);
    expect(first.certificates?.ca).toEqual({ secretName: 't1-ca', checksum: 'ca-1', lastUpdate: T0 });
    expect(first.storage).toMatchObject({
      driver: 'etcd',
      dataStoreName: 'default',
      config: { secretName: 't1-datastore-config', checksum: 'config-1' },
      setup: { schema: 's', user: 'u', checksum: 'config-1', lastUpdate: T0 },
      certificate: { secretName: 't1-datastore-certificate', checksum: 'store-1', lastUpdate: T0 },
    });
    const renewed = desired.map((object) =>
      object.metadata.name === 't1-api-server-certificate' ? secret('t1-api-server-certificate', 'api-2') : object,
    );
    const second = computeStatus(tenant({}, first), facts({ desired: renewed }), T1);
    expect(second.certificates?.ca?.lastUpdate).toBe(T0);
    expect(second.certificates?.apiServer).toEqual({
      secretName: 't1-api-server-certificate',
      checksum: 'api-2',
      lastUpdate: T1,
    });
  });

  it('holds what a pass that waits for certificates has found, and no half-known Secret', () => {
    const { storage, endpoint } = facts();
    const status = computeStatus(tenant(), blockedAt('CertificatesReady', { storage, endpoint, service }), T0);
    expect(status.controlPlaneEndpoint).toBe('10.96.0.77:6443');
    expect(status.storage).toMatchObject({ dataStoreName: 'default', setup: { schema: 's', user: 'u' } });
    expect(status.storage).not.toHaveProperty('config');
    expect(status.storage).not.toHaveProperty('certificate');
    expect(status.certificates).toEqual({});
  });

  it('writes addresses as clients do', () => {
    expect(hostPort('10.0.0.1', 6443)).toBe('10.0.0.1:6443');
    expect(hostPort('a.example', 443)).toBe('a.example:443');
    expect(hostPort('fd00::1', 6443)).toBe('[fd00::1]:6443');
  });

  it('tells a load balancer by the parts of its address that people need', () => {
    const balanced: LiveService = {
      ...service,
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }, { hostname: 'lb.example' }] } },
    };
    expect(
      computeStatus(tenant(), facts({ service: balanced }), T0).kubernetesResources?.service?.loadBalancer,
    ).toEqual({
      ingress: [{ ip: '192.0.2.1' }, { hostname: 'lb.example' }],
    });
  });

  const situations: readonly [string, object, TenantFacts][] = [
    ['all done', { addons: { coreDNS: {}, kubeProxy: {} } }, facts()],
    ['no report', {}, facts({ tenantCluster: undefined })],
    ['no Deployment', {}, facts({ deployment: undefined, tenantCluster: undefined })],
    ['asleep', replicas(0), facts({ deployment: deployment(0) })],
    [
      'rolling',
      version('v1.36.2'),
      facts({ deployment: deployment(1, { availableReplicas: 1, updatedReplicas: 1, replicas: 2 }) }),
    ],
    ['failed', {}, facts({ deployment: deployment(1, { conditions: [{ type: 'Progressing', status: 'False' }] }) })],
    ...(['DataStoreReady', 'Exposed', 'CertificatesReady', 'ControlPlaneAvailable'] as const).map(
      (step): [string, object, TenantFacts] => [`blocked at ${step}`, {}, blockedAt(step)],
    ),
    [
      'blocked with half of it known',
      {},
      blockedAt('CertificatesReady', { storage: facts().storage, endpoint: facts().endpoint, service }),
    ],
  ];
  it.each(situations)('does not change by itself: %s', (_what, spec, found) => {
    const first = computeStatus(tenant(spec), found, T0);
    const second = computeStatus(
      tenant(spec, JSON.parse(JSON.stringify(first)) as TenantControlPlaneStatus),
      found,
      T1,
    );
    // As JSON, for that is what is stored and compared.
    expect(JSON.parse(JSON.stringify(second))).toEqual(JSON.parse(JSON.stringify(first)));
    expect(computeStatus(tenant(spec, second), found, T2)).toEqual(second);
  });
});

describe('rolloutComplete', () => {
  const full: DeploymentStatus = { observedGeneration: 3, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
  const rows: readonly [string, LiveDeployment | undefined, boolean][] = [
    ['no Deployment', undefined, false],
    ['everything', deployment(2, full, 'v1.36.1', 3), true],
    ['a spec not looked at yet', deployment(2, full, 'v1.36.1', 4), false],
    ['an old pod left', deployment(2, { ...full, replicas: 3 }, 'v1.36.1', 3), false],
    ['a pod not updated', deployment(2, { ...full, updatedReplicas: 1 }, 'v1.36.1', 3), false],
    ['a pod not available', deployment(2, { ...full, availableReplicas: 1 }, 'v1.36.1', 3), false],
  ];
  it.each(rows)('%s', (_what, live, complete) => {
    expect(rolloutComplete(live)).toBe(complete);
  });
});
