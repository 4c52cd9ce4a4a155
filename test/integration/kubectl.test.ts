/** kubectl and what is our own: defaults, names, permissions. Its verbs are judged beside a CRD's in test/clients. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApiServer, type ApiServerProcess } from '../env/api-server.ts';
import { eventually, run, runOk, type RunOptions, type RunResult } from '../env/run.ts';

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

describe('apply and get', () => {
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
