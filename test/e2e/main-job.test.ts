/**
 * The main job as a new user does it, on the cluster that `hack/up` made with its sample tenant `tenant-00`. The tests
 * build on each other and run in order.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, run, runOk } from '../env/run.ts';
import { etcdctl, kubectl, kubectlForTenant, kubectlResult, withFolder, type TenantKubectl } from './cluster.ts';

const TENANT = 'tenant-00';
const WORKER = 'worker-e2e';

interface JoinToken {
  readonly kind: string;
  readonly status: {
    readonly token: string;
    readonly expirationTimestamp: string;
    readonly caCertHashes: readonly string[];
    readonly endpoint: string;
    readonly joinCommand: string;
  };
}

describe('the main job, end to end', () => {
  let folder: Awaited<ReturnType<typeof withFolder>>;
  let tenant: TenantKubectl;

  beforeAll(async () => {
    folder = await withFolder();
    tenant = await kubectlForTenant(TENANT, folder.path);
  });
  afterAll(async () => {
    await run('hack/worker', ['rm', WORKER], { timeoutMs: 120_000 });
    await folder.remove();
  });

  it('shows the tenant in a table with version, status and endpoint', async () => {
    const table = await kubectl(['get', 'tcp']);
    expect(table).toMatch(/^NAME\s+VERSION\s+INSTALLED VERSION\s+STATUS\s+READY\s+CONTROL-PLANE ENDPOINT/m);
    expect(table).toMatch(/^tenant-00\s+v1\.36\.3\s+v1\.36\.3\s+Ready\s+True\s+10\.240\.0\.1:31443/m);
  });

  it('describes conditions and events', async () => {
    const text = await kubectl(['describe', 'tcp', TENANT]);
    expect(text).toMatch(/Type:\s+Ready/);
    expect(text).toMatch(/Events:\n\s+Type\s+Reason/);
    expect(text).not.toMatch(/PRIVATE KEY/);
  });

  it('mints a kubeconfig that works as it is', async () => {
    const namespaces = await tenant(['get', 'namespaces', '-o', 'name']);
    expect(namespaces).toContain('namespace/kube-system');
    const whoami = await tenant(['auth', 'whoami', '-o', 'json']);
    expect(whoami).toContain('kubeadm:cluster-admins');
    expect(whoami).not.toContain('system:masters');
  });

  it('shows no secret in the tables of the credential subresources', async () => {
    const kubeconfig = await kubectl(['get', 'tcp', TENANT, '--subresource=kubeconfig']);
    const join = await kubectl(['get', 'tcp', TENANT, '--subresource=join-token']);
    expect(kubeconfig).toContain(TENANT);
    expect(kubeconfig).not.toMatch(/[A-Za-z0-9+/]{60}/);
    expect(join).toContain('10.240.0.1:31443');
    expect(join).not.toMatch(/[a-z0-9]{6}\.[a-z0-9]{16}/);
  });

  it('mints through POST too', async () => {
    const path = `/apis/kamaji.io/v1alpha1/namespaces/default/tenantcontrolplanes/${TENANT}/kubeconfig`;
    const answer = JSON.parse(await kubectl(['create', '--raw', path, '-f', '/dev/null'])) as { kind: string };
    expect(answer.kind).toBe('Config');
  });

  it('refuses to mint for somebody who may only read everything', async () => {
    await kubectl([
      'create',
      'clusterrole',
      'read-everything',
      '--verb=get,list,watch',
      '--resource=*.kamaji.io,*.kamaji.io/kubeconfig,*.kamaji.io/join-token',
    ]);
    await kubectl([
      'create',
      'clusterrolebinding',
      'read-everything',
      '--clusterrole=read-everything',
      '--user=reader',
    ]);
    const read = await kubectlResult(['--as', 'reader', 'get', 'tcp', TENANT, '-o', 'name']);
    expect(read.code).toBe(0);
    for (const subresource of ['kubeconfig', 'join-token']) {
      const mint = await kubectlResult([
        '--as',
        'reader',
        'get',
        'tcp',
        TENANT,
        `--subresource=${subresource}`,
        '-o',
        'yaml',
      ]);
      expect(mint.code).not.toBe(0);
      expect(mint.stderr).toContain('Forbidden');
      expect(mint.stderr).toContain('create');
      expect(mint.stdout).toBe('');
    }
    await kubectl(['delete', 'clusterrolebinding/read-everything', 'clusterrole/read-everything']);
  });

  it('answers a join token with everything that kubeadm needs', async () => {
    const answer = JSON.parse(
      await kubectl(['get', 'tcp', TENANT, '--subresource=join-token', '-o', 'json']),
    ) as JoinToken;
    expect(answer.kind).toBe('JoinToken');
    expect(answer.status.token).toMatch(/^[a-z0-9]{6}\.[a-z0-9]{16}$/);
    expect(Date.parse(answer.status.expirationTimestamp)).toBeGreaterThan(Date.now());
    expect(answer.status.caCertHashes[0]).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(answer.status.joinCommand).toBe(
      `kubeadm join 10.240.0.1:31443 --token ${answer.status.token} --discovery-token-ca-cert-hash ${answer.status.caCertHashes[0]}`,
    );
    const again = JSON.parse(
      await kubectl(['get', 'tcp', TENANT, '--subresource=join-token', '-o', 'json']),
    ) as JoinToken;
    expect(again.status.token).not.toBe(answer.status.token);
  });

  it('joins a worker that becomes Ready', async () => {
    await runOk('hack/worker', ['add', WORKER, '--tenant', TENANT], { timeoutMs: 280_000 });
    await tenant(['wait', '--for=condition=Ready', `node/${WORKER}`, '--timeout=120s'], { timeoutMs: 130_000 });
  });

  it('runs a pod; logs and exec go through konnectivity', async () => {
    await tenant([
      'run',
      'shell',
      '--image=docker.io/library/busybox:1.36',
      '--',
      'sh',
      '-c',
      'echo hello from the pod; sleep 3600',
    ]);
    await tenant(['wait', '--for=condition=Ready', 'pod/shell', '--timeout=120s'], { timeoutMs: 130_000 });
    const log = await eventually('the log of the pod', async () => {
      const text = await tenant(['logs', 'shell']);
      return text === '' ? undefined : text;
    });
    expect(log).toContain('hello from the pod');
    expect(await tenant(['exec', 'shell', '--', 'echo', 'through the tunnel'])).toContain('through the tunnel');
  });

  it('resolves cluster names through CoreDNS', async () => {
    await tenant(['-n', 'kube-system', 'rollout', 'status', 'deployment/coredns', '--timeout=150s'], {
      timeoutMs: 160_000,
    });
    const answer = await eventually('cluster DNS', async () => {
      const text = await tenant(['exec', 'shell', '--', 'nslookup', 'kubernetes.default.svc.cluster.local']);
      return text.includes('10.96.0.1') ? text : undefined;
    });
    expect(answer).toContain('10.96.0.1');
  });

  it('keeps every tenant when the API server is killed', async () => {
    const before = await kubectl(['get', 'tcp', TENANT, '-o', 'jsonpath={.metadata.uid} {.metadata.generation}']);
    await kubectl([
      '-n',
      'kamaji-system',
      'delete',
      'pod',
      '-l',
      'app.kubernetes.io/name=kamaji',
      '--force',
      '--grace-period=0',
    ]);
    const after = await eventually(
      'the API server to come back',
      async () => {
        const answer = await kubectlResult([
          'get',
          'tcp',
          TENANT,
          '-o',
          'jsonpath={.metadata.uid} {.metadata.generation}',
        ]);
        return answer.code === 0 ? answer.stdout : undefined;
      },
      { timeoutMs: 120_000 },
    );
    expect(after).toBe(before);
    expect(await tenant(['get', 'nodes', '-o', 'name'])).toContain(WORKER);
  });

  it('refuses to delete a DataStore in use and names its users', async () => {
    const answer = await kubectlResult(['delete', 'datastore', 'default']);
    expect(answer.code).not.toBe(0);
    expect(answer.stderr).toContain(`default/${TENANT}`);
    expect(await kubectl(['get', 'datastore', 'default', '-o', 'jsonpath={.status.usedBy}'])).toContain(
      `default/${TENANT}`,
    );
  });

  it('leaves nothing of a deleted tenant, neither in the cluster nor in etcd', async () => {
    await runOk('hack/worker', ['rm', WORKER], { timeoutMs: 120_000 });
    const schema = await kubectl(['get', 'tcp', TENANT, '-o', 'jsonpath={.status.storage.setup.schema}']);
    const user = await kubectl(['get', 'tcp', TENANT, '-o', 'jsonpath={.status.storage.setup.user}']);
    expect(schema).not.toBe('');
    expect(await etcdctl(['get', `/${schema}/`, '--prefix', '--keys-only', '--limit=1'])).toContain(schema);
    expect(await etcdctl(['user', 'list'])).toContain(user);
    await kubectl(['delete', 'tcp', TENANT, '--timeout=60s'], { timeoutMs: 70_000 });
    expect((await etcdctl(['get', `/${schema}/`, '--prefix', '--keys-only', '--limit=1'])).trim()).toBe('');
    expect(await etcdctl(['user', 'list'])).not.toContain(user);
    expect(await etcdctl(['role', 'list'])).not.toContain(schema);
    await eventually('all objects of the tenant to be gone', async () => {
      const left = await kubectl([
        '-n',
        'default',
        'get',
        'deployments,services,secrets,configmaps,pods',
        '-l',
        `kamaji.io/name=${TENANT}`,
        '-o',
        'name',
      ]);
      return left.trim() === '' ? true : undefined;
    });
  });
});
