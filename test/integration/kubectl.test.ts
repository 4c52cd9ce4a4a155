/** kubectl against our API behind a real kube-apiserver: each verb a user has. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApiServer, type ApiServerProcess } from '../env/api-server.ts';
import { eventually, follow, run, runOk, type RunOptions, type RunResult } from '../env/run.ts';

const kubectl = (args: readonly string[], options?: RunOptions): Promise<string> =>
  runOk('hack/kubectl', args, options);
const kubectlResult = (args: readonly string[], options?: RunOptions): Promise<RunResult> =>
  run('hack/kubectl', args, options);
const apply = (yaml: string): Promise<string> => kubectl(['apply', '-f', '-'], { input: yaml });

const dataStore = `apiVersion: kamaji.io/v1alpha1
kind: DataStore
metadata: { name: default }
spec:
  driver: etcd
  endpoints: ["etcd.kamaji-system.svc:2379"]
  tlsConfig:
    certificateAuthority:
      certificate: { secretReference: { name: etcd, namespace: kamaji-system, keyPath: ca.crt } }
      privateKey: { secretReference: { name: etcd, namespace: kamaji-system, keyPath: ca.key } }
    clientCertificate:
      certificate: { secretReference: { name: etcd, namespace: kamaji-system, keyPath: tls.crt } }
      privateKey: { secretReference: { name: etcd, namespace: kamaji-system, keyPath: tls.key } }
`;

const tenant = (name: string, extra: { namespace?: string; labels?: string; version?: string } = {}): string =>
  `apiVersion: kamaji.io/v1alpha1
kind: TenantControlPlane
metadata: { name: ${name}, namespace: ${extra.namespace ?? 'default'}, labels: { ${extra.labels ?? 'team: a'} } }
spec:
  dataStore: default
  controlPlane:
    deployment: { replicas: 1 }
    service: { serviceType: ClusterIP }
  kubernetes: { version: ${extra.version ?? 'v1.36.3'}, kubelet: {} }
`;

let server: ApiServerProcess;
beforeAll(async () => {
  server = await startApiServer();
  await apply(dataStore);
});
afterAll(async () => {
  await server?.remove();
});

describe('discovery and documentation', () => {
  it('lists our resources with short names, scope and verbs', async () => {
    const text = await kubectl(['api-resources', '--api-group=kamaji.io', '-o', 'wide']);
    expect(text).toMatch(
      /^tenantcontrolplanes\s+tcp\s+kamaji\.io\/v1alpha1\s+true\s+TenantControlPlane\s+\S*create\S*.*kamaji/m,
    );
    expect(text).toMatch(/^datastores\s+kamaji\.io\/v1alpha1\s+false\s+DataStore/m);
    expect(text).toMatch(/^kubeconfiggenerators\s+kc\s+kamaji\.io\/v1alpha1\s+false\s+KubeconfigGenerator/m);
  });

  it('serves the subresources in the legacy resource list', async () => {
    const list = JSON.parse(await kubectl(['get', '--raw', '/apis/kamaji.io/v1alpha1'])) as {
      resources: { name: string }[];
    };
    expect(list.resources.map((r) => r.name)).toEqual(
      expect.arrayContaining([
        'tenantcontrolplanes',
        'tenantcontrolplanes/status',
        'tenantcontrolplanes/scale',
        'tenantcontrolplanes/kubeconfig',
        'tenantcontrolplanes/join-token',
        'datastores/status',
        'kubeconfiggenerators/status',
      ]),
    );
  });

  it('explains fields, those of embedded core types too', async () => {
    expect(await kubectl(['explain', 'tcp.spec.kubernetes.version'])).toContain('VERSION:    v1alpha1');
    const text = await eventually('the merged OpenAPI to hold our kinds', async () => {
      const answer = await kubectlResult(['explain', 'tcp.spec.controlPlane.deployment.additionalContainers.image']);
      return answer.code === 0 ? answer.stdout : undefined;
    });
    expect(text).toContain('FIELD: image <string>');
  });

  it('does not poison the OpenAPI document of the cluster', async () => {
    await eventually(
      'our definitions in the merged v2 document',
      async () => {
        const text = await kubectl(['get', '--raw', '/openapi/v2']);
        return text.includes('TenantControlPlane') ? true : undefined;
      },
      { timeoutMs: 90_000, intervalMs: 2_000 },
    );
    // The protobuf form is what kubectl and controllers ask for; one bad definition makes it 503 for everybody.
    const proto = await run('hack/kubectl', ['apply', '--dry-run=client', '--validate=strict', '-f', '-'], {
      input: tenant('proto'),
    });
    expect(proto.code).toBe(0);
  }, 120_000);
});

describe('the verbs', () => {
  it('apply creates with defaults, is unchanged the second time, and configures the third', async () => {
    expect(await apply(tenant('verbs'))).toContain('created');
    expect(await apply(tenant('verbs'))).toContain('unchanged');
    expect(await apply(tenant('verbs', { labels: 'team: b' }))).toContain('configured');
    const read = (path: string): Promise<string> => kubectl(['get', 'tcp', 'verbs', '-o', `jsonpath=${path}`]);
    expect(await read('{.spec.networkProfile.port}')).toBe('6443');
    expect(await read('{.spec.networkProfile.serviceCidrs}')).toBe('["10.96.0.0/16"]');
    expect(await read('{.spec.networkProfile.dnsServiceIPs}')).toBe('["10.96.0.10"]');
    expect(await read('{.spec.kubernetes.encryptionAlgorithm}')).toBe('ECDSA-P256');
    expect(await read('{.metadata.generation}')).toBe('1');
  });

  it('get prints the table, by short name, category and selector', async () => {
    expect(await kubectl(['get', 'tcp', '-l', 'team=b'])).toMatch(/^NAME\s+VERSION.*\nverbs\s+v1\.36\.3/);
    expect(await kubectl(['get', 'kamaji', '-A', '-o', 'name'])).toContain('verbs');
    expect(await kubectl(['get', 'tcp', '-l', 'team=nobody', '-o', 'name'])).toBe('');
    expect(await kubectl(['get', 'tcp', '--field-selector=metadata.name=verbs', '-o', 'name'])).toContain('verbs');
  });

  it('patches by merge and JSON patch, and says 415 to a strategic one', async () => {
    await kubectl([
      'patch',
      'tcp',
      'verbs',
      '--type=merge',
      '-p',
      '{"spec":{"controlPlane":{"deployment":{"replicas":3}}}}',
    ]);
    await kubectl([
      'patch',
      'tcp',
      'verbs',
      '--type=json',
      '-p',
      '[{"op":"add","path":"/metadata/annotations/x","value":"y"}]',
    ]);
    expect(
      await kubectl([
        'get',
        'tcp',
        'verbs',
        '-o',
        'jsonpath={.spec.controlPlane.deployment.replicas} {.metadata.annotations.x}',
      ]),
    ).toBe('3 y');
    const strategic = await kubectlResult(['patch', 'tcp', 'verbs', '--type=strategic', '-p', '{}']);
    expect(strategic.stderr).toContain(
      'accepted media types include: application/json-patch+json, application/merge-patch+json',
    );
  });

  it('labels, annotates and scales', async () => {
    await kubectl(['label', 'tcp', 'verbs', 'tier=gold']);
    await kubectl(['annotate', 'tcp', 'verbs', 'note=hello']);
    await kubectl(['scale', 'tcp', 'verbs', '--replicas=0']);
    await kubectl(['scale', 'tcp', 'verbs', '--current-replicas=0', '--replicas=2']);
    expect(
      await kubectl([
        'get',
        'tcp',
        'verbs',
        '-o',
        'jsonpath={.metadata.labels.tier} {.metadata.annotations.note} {.spec.controlPlane.deployment.replicas}',
      ]),
    ).toBe('gold hello 2');
  });

  it('edits', async () => {
    const answer = await kubectl(['edit', 'tcp', 'verbs'], { env: { KUBE_EDITOR: 'sed -i s/gold/silver/' } });
    expect(answer).toContain('edited');
  });

  it('refuses a replace with a stale resourceVersion', async () => {
    const old = await kubectl(['get', 'tcp', 'verbs', '-o', 'json']);
    await kubectl(['annotate', 'tcp', 'verbs', 'note=newer', '--overwrite']);
    const answer = await kubectlResult(['replace', '-f', '-'], { input: old });
    expect(answer.stderr).toContain('Conflict');
    expect(answer.stderr).toContain('the object has been modified');
  });

  it('dry run stores nothing', async () => {
    expect(await kubectl(['apply', '--dry-run=server', '-f', '-'], { input: tenant('dry') })).toContain('dry run');
    expect((await kubectlResult(['get', 'tcp', 'dry'])).stderr).toContain('NotFound');
  });

  it('waits for a condition written through the status subresource', async () => {
    const patch = {
      status: {
        conditions: [
          { type: 'Ready', status: 'True', reason: 'Test', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' },
        ],
      },
    };
    const waiting = kubectl(['wait', 'tcp/verbs', '--for=condition=Ready', '--timeout=20s']);
    await kubectl(['patch', 'tcp', 'verbs', '--subresource=status', '--type=merge', '-p', JSON.stringify(patch)]);
    expect(await waiting).toContain('condition met');
    const generation = await kubectl(['get', 'tcp', 'verbs', '-o', 'jsonpath={.metadata.generation}']);
    await kubectl(['patch', 'tcp', 'verbs', '--type=merge', '-p', '{"status":{"controlPlaneEndpoint":"evil:1"}}']);
    expect(
      await kubectl(['get', 'tcp', 'verbs', '-o', 'jsonpath={.metadata.generation}{.status.controlPlaneEndpoint}']),
    ).toBe(generation);
  });

  it('watches', async () => {
    const watching = follow('hack/kubectl', ['get', 'tcp', '--watch', '--output-watch-events', '-o', 'json']);
    /** One event a line; the last may be cut off still. */
    const typesOf = (name: string): readonly string[] =>
      watching
        .output()
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as { type: string; object: { metadata: { name: string } } })
        .filter((event) => event.object.metadata.name === name)
        .map((event) => event.type);
    try {
      // What is there comes first, so that the watch is known to run.
      await eventually('the object that is there', async () => (typesOf('verbs').length > 0 ? true : undefined));
      await apply(tenant('seen'));
      await kubectl(['delete', 'tcp', 'seen']);
      await eventually('both events', async () => (typesOf('seen').length > 1 ? true : undefined));
      expect(typesOf('seen')).toEqual(['ADDED', 'DELETED']);
    } finally {
      await watching.stop();
    }
  });

  it('deletes only once the last finalizer is gone', async () => {
    await apply(tenant('finalized'));
    await kubectl([
      'patch',
      'tcp',
      'finalized',
      '--type=merge',
      '-p',
      '{"metadata":{"finalizers":["example.com/hold"]}}',
    ]);
    await kubectl(['delete', 'tcp', 'finalized', '--wait=false']);
    expect(await kubectl(['get', 'tcp', 'finalized', '-o', 'jsonpath={.metadata.deletionTimestamp}'])).toMatch(/^20/);
    await kubectl(['patch', 'tcp', 'finalized', '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
    expect((await kubectlResult(['get', 'tcp', 'finalized'])).stderr).toContain('NotFound');
  });

  it('goes with its namespace', async () => {
    await kubectl(['create', 'namespace', 'passing']);
    await apply(tenant('inside', { namespace: 'passing' }));
    await kubectl(['delete', 'namespace', 'passing', '--timeout=50s']);
    expect((await kubectlResult(['-n', 'passing', 'get', 'tcp', '-o', 'name'])).stdout).toBe('');
  });
});

describe('who may do what', () => {
  it('asks kube-apiserver, and tells a stranger why not', async () => {
    const answer = await kubectlResult(['--as', 'stranger', 'get', 'tcp']);
    expect(answer.stderr).toContain('User "stranger" cannot list resource "tenantcontrolplanes"');
  });

  it('asks for create besides get on the credential subresources', async () => {
    await kubectl([
      'create',
      'clusterrole',
      'getter',
      '--verb=get',
      '--resource=tenantcontrolplanes.kamaji.io/kubeconfig',
    ]);
    await kubectl(['create', 'clusterrolebinding', 'getter', '--clusterrole=getter', '--user=getter']);
    const answer = await eventually('the binding to be known', async () => {
      const result = await kubectlResult([
        '--as',
        'getter',
        'get',
        'tcp',
        'verbs',
        '--subresource=kubeconfig',
        '-o',
        'yaml',
      ]);
      return result.stderr.includes('create') ? result : undefined;
    });
    expect(answer.code).not.toBe(0);
    expect(answer.stderr).toContain('Forbidden');
  });
});
