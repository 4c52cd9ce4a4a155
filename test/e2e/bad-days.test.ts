/** What happens when things are wrong: bad input through the whole stack, and a DataStore that does not answer. */
import { afterAll, describe, expect, it } from 'vitest';
import { applyYaml, kubectl, kubectlResult, tenantYaml } from './cluster.ts';
import { eventually } from '../env/run.ts';

describe('bad input is refused at once and nothing is stored', () => {
  const good = tenantYaml({ name: 'refused' });
  it.each([
    ['an unknown field', good.replace('kubelet: {}', 'kubelet: {}\n    colour: blue'), 'spec.kubernetes.colour'],
    ['a wrong type', good.replace('replicas: 1', 'replicas: many'), 'spec.controlPlane.deployment.replicas'],
    ['a version above the newest', tenantYaml({ name: 'refused', version: 'v1.99.0' }), 'spec.kubernetes.version'],
    ['a version that is none', tenantYaml({ name: 'refused', version: 'newest' }), 'spec.kubernetes.version'],
    ['an unknown DataStore', tenantYaml({ name: 'refused', dataStore: 'nowhere' }), 'nowhere'],
    [
      'a CIDR that is none',
      good.replace('networkProfile: {}', 'networkProfile: { podCidrs: [10.0.0.0/99] }'),
      'spec.networkProfile.podCidrs[0]',
    ],
  ])('%s', async (_what, yaml, named) => {
    const answer = await kubectlResult(['apply', '-f', '-'], { input: yaml });
    expect(answer.code).not.toBe(0);
    expect(answer.stderr).toContain(named);
    const stored = await kubectlResult(['get', 'tcp', 'refused']);
    expect(stored.stderr).toContain('NotFound');
  });
});

describe('a DataStore that does not answer', () => {
  const dataStore = (endpoint: string): string => `apiVersion: kamaji.io/v1alpha1
kind: DataStore
metadata: { name: broken }
spec:
  driver: etcd
  endpoints: ["${endpoint}"]
  tlsConfig:
    certificateAuthority:
      certificate: { secretReference: { name: etcd-root-client, namespace: kamaji-system, keyPath: ca.crt } }
      privateKey: { secretReference: { name: etcd-root-client, namespace: kamaji-system, keyPath: ca.key } }
    clientCertificate:
      certificate: { secretReference: { name: etcd-root-client, namespace: kamaji-system, keyPath: tls.crt } }
      privateKey: { secretReference: { name: etcd-root-client, namespace: kamaji-system, keyPath: tls.key } }
`;

  afterAll(async () => {
    await kubectlResult(['delete', 'tcp', 'waiting', '--ignore-not-found']);
    await kubectlResult(['delete', 'datastore', 'broken', '--ignore-not-found']);
  });

  it('makes the tenant wait with a condition that says so, and go on by itself', async () => {
    await applyYaml(dataStore('etcd.kamaji-system.svc:2999'));
    await applyYaml(tenantYaml({ name: 'waiting', dataStore: 'broken' }));
    const message = await eventually('the condition', async () => {
      const text = await kubectl([
        'get',
        'tcp',
        'waiting',
        '-o',
        'jsonpath={.status.conditions[?(@.type=="Ready")].message}',
      ]);
      return text.includes('broken') ? text : undefined;
    });
    expect(message).toContain('DataStore broken');
    await applyYaml(dataStore('etcd.kamaji-system.svc:2379'));
    await kubectl(['wait', 'tcp/waiting', '--for=condition=Ready', '--timeout=120s'], { timeoutMs: 130_000 });
  });
});

describe('many tenants at once', () => {
  const names = Array.from({ length: 40 }, (_, index) => `many-${index}`);

  it('are all accepted and all provisioned, and all go', async () => {
    await applyYaml(names.map((name) => tenantYaml({ name, replicas: 0 })).join('---\n'));
    await eventually('all Deployments', async () => {
      const found = await kubectl(['get', 'deployments', '-l', 'kamaji.io/project=kamaji', '-o', 'name']);
      return names.every((name) => found.includes(`deployment.apps/${name}\n`)) ? true : undefined;
    });
    const sleeping = await kubectl([
      'get',
      'tcp',
      'many-0',
      '-o',
      'jsonpath={.status.kubernetesResources.version.status}',
    ]);
    expect(sleeping).toBe('Sleeping');
    await kubectl(['delete', 'tcp', ...names, '--timeout=60s'], { timeoutMs: 70_000 });
    expect(await kubectl(['get', 'secrets,configmaps', '-l', 'kamaji.io/project=kamaji', '-o', 'name'])).not.toContain(
      '/many-',
    );
  });
});
