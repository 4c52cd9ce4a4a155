/**
 * The descriptions of a tenant's control plane, run by upstream's own programs: with our certificates, our arguments, the
 * files of our volumes and nothing else. The tenant's API server then serves as an admin cluster that our objects are
 * applied to.
 */
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../src/apimachinery/object.ts';
import type { KubeClient } from '../../src/kubeclient/client.ts';
import { createTenantClient } from '../../src/kubeclient/rest-client.ts';
import {
  DEPLOYMENTS,
  LEASES,
  NAMESPACES,
  NODES,
  resourceFor,
  SERVICE_ACCOUNTS,
  SERVICES,
} from '../../src/kubeclient/resources.ts';
import type { CertificateAndKey } from '../../src/pki/certificate-and-key.ts';
import { isCovered } from '../../src/reconcile/covered.ts';
import { adminClusterComponents } from '../../src/tenancy/provisioning/admin-cluster/all.ts';
import { deploymentComponent } from '../../src/tenancy/provisioning/admin-cluster/deployment.ts';
import type { Deployment, Service } from '../../src/tenancy/provisioning/admin-cluster/objects.ts';
import { serviceComponent } from '../../src/tenancy/provisioning/admin-cluster/service.ts';
import { etcdDriver } from '../../src/tenancy/provisioning/datastore/etcd/driver.ts';
import { clusterConfiguration, initConfiguration } from '../../src/tenancy/provisioning/kubeadm-configuration.ts';
import { kubeconfigText, newKubeconfig } from '../../src/tenancy/provisioning/kubeconfig.ts';
import type { TenantInput } from '../../src/tenancy/provisioning/tenant-input.ts';
import { planLeaves, planRoots } from '../../src/tenancy/provisioning/tenant-pki.ts';
import { builtProgram, startEtcd, type EtcdProcess } from '../env/etcd.ts';
import { eventually, runOk } from '../env/run.ts';
import { createTenantPod, type ContainerName, type ContainerProcess, type TenantPod } from '../env/tenant-pod.ts';
import { tenantFixture, tenantInputFixture } from '../env/tenant.ts';

const CONTAINERS: readonly ContainerName[] = [
  'kube-apiserver',
  'konnectivity-server',
  'kube-controller-manager',
  'kube-scheduler',
];

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}

/** What a client without a library sees. */
async function call(
  port: number,
  path: string,
  options: {
    readonly ca?: string;
    readonly client?: CertificateAndKey;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: object;
  } = {},
): Promise<{
  readonly status: number;
  readonly body: Record<string, unknown> & { status?: { userInfo?: { username?: string } } };
}> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method: options.body === undefined ? 'GET' : 'POST',
        ...(options.ca === undefined ? { rejectUnauthorized: false } : { ca: options.ca }),
        ...(options.client && { cert: options.client.certificate, key: options.client.key }),
        headers: { 'content-type': 'application/json', ...options.headers },
        agent: false,
      },
      (incoming) => {
        let text = '';
        incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        incoming.on('end', () => {
          const isJson = incoming.headers['content-type']?.includes('json') === true;
          resolve({
            status: incoming.statusCode ?? 0,
            body: (isJson ? JSON.parse(text) : { text }) as never,
          });
        });
      },
    );
    outgoing.on('error', reject).end(options.body === undefined ? undefined : JSON.stringify(options.body));
  });
}

describe.each(['ECDSA-P256', 'RSA-2048'] as const)('a control plane with %s keys', (encryptionAlgorithm) => {
  let etcd: EtcdProcess;
  let input: TenantInput;
  let pod: TenantPod;
  let port: number;
  let folder: string;
  const processes = new Map<ContainerName, ContainerProcess>();
  let adminClient: KubeClient;
  const extra = new Map<ContainerName, readonly string[]>();

  const start = async (name: ContainerName): Promise<void> => {
    processes.set(name, await pod.start(name, extra.get(name)));
  };
  const untilReady = (): Promise<unknown> =>
    eventually(
      'the API server to be ready',
      async () => {
        const process = processes.get('kube-apiserver');
        if (process?.exitCode() !== undefined)
          throw new Error(`kube-apiserver ended: ${(await process.log()).slice(-2000)}`);
        return (await call(port, '/readyz', { ca: input.pki.ca.certificate })).status === 200 ? true : undefined;
      },
      { timeoutMs: 60_000, intervalMs: 50 },
    );

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kamaji-control-plane-'));
    etcd = await startEtcd();
    port = await freePort();
    const tenant = tenantFixture({
      kubernetes: { version: 'v1.36.3', encryptionAlgorithm },
      networkProfile: { port, advertiseAddress: '192.0.2.10' },
    });
    const endpoint = { host: '127.0.0.1', port, clusterIp: '10.96.178.108' };
    const storage = {
      dataStoreName: 'test',
      driver: 'etcd',
      endpoints: [etcd.endpoint],
      schema: 'tenant',
      username: 'tenant',
    } as const;
    const driver = etcdDriver.open(etcd.connection);
    await driver.ensureTenant(storage);
    driver.close();
    const now = new Date();
    const { roots } = await planRoots(tenant, new Map(), now);
    const question = { tenant, endpoint, storage, roots, existing: new Map(), dataStoreCa: etcd.ca, now };
    input = { tenant, endpoint, storage, pki: (await planLeaves(question)).pki };
    pod = await createTenantPod(input);
    // On loopback, and on ports of their own: other control planes run on this machine.
    extra.set('kube-apiserver', ['--bind-address=127.0.0.1']);
    for (const name of ['kube-controller-manager', 'kube-scheduler'] as const) {
      extra.set(name, [`--secure-port=${await freePort()}`, '--bind-address=127.0.0.1']);
    }
    extra.set('konnectivity-server', [
      `--agent-port=${await freePort()}`,
      `--admin-port=${await freePort()}`,
      `--health-port=${await freePort()}`,
      '--agent-bind-address=127.0.0.1',
      '--health-bind-address=127.0.0.1',
    ]);
    for (const name of CONTAINERS) await start(name);
    await untilReady();
    adminClient = createTenantClient({
      server: `https://127.0.0.1:${port}`,
      ca: input.pki.ca.certificate,
      certificate: input.pki.superAdmin.certificate,
      key: input.pki.superAdmin.key,
    });
  });

  afterAll(async () => {
    adminClient?.close();
    await pod?.remove();
    await etcd?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  const whoAmI = (options: Parameters<typeof call>[2]) =>
    call(port, '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      ca: input.pki.ca.certificate,
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
      ...options,
    });

  it('knows its users by their certificates, and nobody else', async () => {
    const name = async (options: Parameters<typeof call>[2]) => (await whoAmI(options)).body.status?.userInfo?.username;
    expect(await name({ client: input.pki.admin })).toBe('kubernetes-admin');
    expect(await name({ client: input.pki.scheduler })).toBe('system:kube-scheduler');
    expect(await name({ client: input.pki.controllerManager })).toBe('system:kube-controller-manager');
    expect(await name({ client: input.pki.konnectivityServer ?? input.pki.admin })).toBe('system:konnectivity-server');
    const jane = { 'x-remote-user': 'jane', 'x-remote-group': 'system:authenticated' };
    expect(await name({ client: input.pki.frontProxyClient, headers: jane })).toBe('jane');
    expect(await name({ client: input.pki.admin, headers: jane })).toBe('kubernetes-admin');
    expect((await call(port, '/api/v1/namespaces', { client: input.pki.superAdmin })).status).toBe(200);
    expect(
      (await call(port, '/api/v1/namespaces', { client: input.pki.konnectivityServer ?? input.pki.admin })).status,
    ).toBe(403);
    expect((await call(port, '/api/v1/namespaces')).status).toBe(403);
    // Signed by another authority: the DataStore's.
    expect((await whoAmI({ client: input.pki.dataStoreClient })).status).toBe(401);
  });

  it('runs controllers: a service account appears, its token is signed with our key and accepted', async () => {
    await eventually('the default service account', () => adminClient.find(SERVICE_ACCOUNTS, 'default', 'default'));
    const answer = await adminClient.request('POST', '/api/v1/namespaces/default/serviceaccounts/default/token', {
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 600 } },
    });
    const { status } = JSON.parse(answer.body) as { status: { token: string } };
    const [header = '', claims = ''] = status.token.split('.').map((part) => Buffer.from(part, 'base64url').toString());
    expect(JSON.parse(header)).toMatchObject({ alg: encryptionAlgorithm === 'RSA-2048' ? 'RS256' : 'ES256' });
    expect(JSON.parse(claims)).toMatchObject({ iss: 'https://kubernetes.default.svc.cluster.local' });
    const me = await whoAmI({ headers: { authorization: `Bearer ${status.token}` } });
    expect(me.body.status?.userInfo?.username).toBe('system:serviceaccount:default:default');
  });

  it('signs certificates of nodes with the CA that only kube-controller-manager holds', async () => {
    const key = join(folder, 'node.key');
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeFile(key, privateKey.export({ type: 'sec1', format: 'pem' }));
    const csr = await runOk('openssl', ['req', '-new', '-key', key, '-subj', '/O=system:nodes/CN=system:node:n1']);
    const path = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
    const created = await adminClient.request('POST', path, {
      body: {
        apiVersion: 'certificates.k8s.io/v1',
        kind: 'CertificateSigningRequest',
        metadata: { name: 'n1' },
        spec: {
          request: Buffer.from(csr).toString('base64'),
          signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
          usages: ['digital signature', 'client auth'],
        },
      },
    });
    const object = JSON.parse(created.body) as { status: object };
    object.status = { conditions: [{ type: 'Approved', status: 'True', reason: 'Test', message: 'approved' }] };
    const approved = await adminClient.request('PUT', `${path}/n1/approval`, { body: object });
    expect(approved.status).toBe(200);
    const certificate = await eventually('the certificate', async () => {
      const { status } = JSON.parse((await adminClient.request('GET', `${path}/n1`)).body) as {
        status: { certificate?: string };
      };
      return status.certificate;
    });
    const issued = new X509Certificate(Buffer.from(certificate, 'base64'));
    expect(issued.verify(new X509Certificate(input.pki.ca.certificate).publicKey)).toBe(true);
    const client = {
      certificate: Buffer.from(certificate, 'base64').toString(),
      key: privateKey.export({ type: 'sec1', format: 'pem' }),
    };
    expect((await whoAmI({ client })).body.status?.userInfo?.username).toBe('system:node:n1');
  });

  it('sends what is for the nodes to konnectivity, over the socket that both share', async () => {
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } };
    await adminClient.create(NODES, node);
    const status = { addresses: [{ type: 'InternalIP', address: '192.0.2.20' }] };
    // The node controllers write to a new node, too, so no resourceVersion.
    await adminClient.mergePatch(NODES, '', 'n1', { status }, { subresource: 'status' });
    const answer = await call(port, '/api/v1/nodes/n1/proxy/healthz', {
      ca: input.pki.ca.certificate,
      client: input.pki.superAdmin,
    });
    // konnectivity's own words: it was reached, and has nobody to pass this on to.
    expect(JSON.stringify(answer.body)).toContain('No agent available');
  });

  it('has leaders and no container that ended', async () => {
    for (const name of ['kube-controller-manager', 'kube-scheduler']) {
      await eventually(`the lease of ${name}`, async () => {
        const lease = await adminClient.find(LEASES, 'kube-system', name);
        return lease?.spec?.holderIdentity;
      });
    }
    for (const [name, process] of processes)
      expect(process.exitCode(), `${name}: ${(await process.log()).slice(-500)}`).toBeUndefined();
  });

  it('outlives a restart of its API server: the others wait for it', async () => {
    await processes.get('kube-apiserver')?.stop();
    await new Promise((wake) => {
      setTimeout(wake, 5_000);
    });
    for (const name of CONTAINERS.slice(1)) expect(processes.get(name)?.exitCode(), name).toBeUndefined();
    await start('kube-apiserver');
    await untilReady();
    expect(await adminClient.find(NAMESPACES, '', 'kube-system')).toBeDefined();
  });

  it('has kubeconfigs that kubectl takes, and configuration that kubeadm takes', async () => {
    const kubeconfig = join(folder, 'kubeconfig');
    const parts = { clusterName: 't1', server: `https://127.0.0.1:${port}`, caCertificate: input.pki.ca.certificate };
    await writeFile(
      kubeconfig,
      kubeconfigText(newKubeconfig({ ...parts, userName: 'x', client: input.pki.superAdmin })),
    );
    const kubectl = await builtProgram('kubectl');
    expect(await runOk(kubectl, ['--kubeconfig', kubeconfig, 'get', 'namespaces', '-o', 'name'])).toContain(
      'namespace/kube-system',
    );
    const configuration = join(folder, 'kubeadm.yaml');
    await writeFile(
      configuration,
      [clusterConfiguration(input), initConfiguration(input)].map((part) => JSON.stringify(part)).join('\n---\n'),
    );
    expect(await runOk(await builtProgram('kubeadm'), ['config', 'validate', '--config', configuration])).toContain(
      'ok',
    );
  });

  // Once is enough: keys make no difference to it.
  if (encryptionAlgorithm !== 'ECDSA-P256') return;

  describe('as an admin cluster', () => {
    const apply = <T extends KubeObject>(object: T): Promise<T> =>
      adminClient.apply(resourceFor(object), object, { fieldManager: 'kamaji' }) as Promise<T>;

    beforeAll(async () => {
      const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
      const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team-a', labels } };
      await adminClient.create(NAMESPACES, namespace);
    });

    it('every object is applied as it is described, and a second time changes nothing', async () => {
      const objects = adminClusterComponents.flatMap((component) => component.desired(tenantInputFixture()));
      for (const object of objects) {
        const what = `${object.kind} ${object.metadata.name}`;
        const { namespace = '', name = '' } = object.metadata;
        const strict = await adminClient.request(
          'POST',
          `${object.apiVersion === 'v1' ? '/api' : '/apis'}/${object.apiVersion}/namespaces/${namespace}/${resourceFor(object).plural}?fieldValidation=Strict&dryRun=All`,
          { body: object },
        );
        expect(strict.status, `${what}: ${strict.body}`).toBe(201);
        const first = await apply(object);
        expect(isCovered(object, first), `${what} reads as it was written`).toBe(true);
        const second = await apply(object);
        expect(second.metadata.resourceVersion, `${what} is left alone`).toBe(first.metadata.resourceVersion);
        expect(await adminClient.find(resourceFor(object), namespace, name)).toBeDefined();
      }
    });

    it('its pods are allowed where the Pod Security Standard restricted is enforced', async () => {
      const [deployment] = deploymentComponent.desired(tenantInputFixture()) as readonly Deployment[];
      const { metadata, spec } = deployment?.spec.template ?? {};
      await eventually('the service account', () => adminClient.find(SERVICE_ACCOUNTS, 'team-a', 'default'));
      const answer = await adminClient.request(
        'POST',
        '/api/v1/namespaces/team-a/pods?dryRun=All&fieldValidation=Strict',
        {
          body: { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'x' }, spec },
        },
      );
      expect(answer.status, answer.body).toBe(201);
    });

    it('a Service gives back what its spec no longer names', async () => {
      const change = async (spec: object): Promise<Service['spec'] & { clusterIP?: string }> => {
        const [object] = serviceComponent.desired(tenantInputFixture(spec)) as readonly Service[];
        if (object === undefined) throw new Error('no Service');
        await apply(object);
        return ((await adminClient.get(SERVICES, 'team-a', 't1')) as Service).spec;
      };
      const balanced = (rest: object) => ({ controlPlane: { service: { serviceType: 'LoadBalancer', ...rest } } });
      const full = await change({
        ...balanced({ additionalPorts: [{ name: 'x', port: 9000, targetPort: 9000 }] }),
        networkProfile: {
          address: '192.0.2.10',
          allowAddressAsExternalIP: true,
          loadBalancerSourceRanges: ['198.51.100.0/24'],
        },
      });
      expect(full).toMatchObject({ externalIPs: ['192.0.2.10'], loadBalancerSourceRanges: ['198.51.100.0/24'] });
      expect(full.ports.map(({ nodePort = 0 }) => nodePort > 0)).toEqual([true, true, true]);
      const bare = await change(balanced({ allocateLoadBalancerNodePorts: false }));
      expect(bare.externalIPs).toBeUndefined();
      expect(bare.loadBalancerSourceRanges).toBeUndefined();
      expect(bare.ports.map(({ name, nodePort }) => [name, nodePort])).toEqual([
        ['kube-apiserver', undefined],
        ['konnectivity-server', undefined],
      ]);
      const back = await change(balanced({}));
      expect(back.ports.every(({ nodePort = 0 }) => nodePort > 0)).toBe(true);
      const ports = { networkProfile: { port: 31443 }, addons: { konnectivity: { server: { port: 31132 } } } };
      const nodePorts = await change({ controlPlane: { service: { serviceType: 'NodePort' } }, ...ports });
      expect(nodePorts.ports.map(({ port, nodePort }) => [port, nodePort])).toEqual([
        [31443, 31443],
        [31132, 31132],
      ]);
      const plain = await change({ addons: { konnectivity: { enabled: false } } });
      expect(plain.ports).toEqual([{ name: 'kube-apiserver', port: 6443, protocol: 'TCP', targetPort: 6443 }]);
      expect(plain.allocateLoadBalancerNodePorts).toBeUndefined();
    });

    it('a Deployment takes back every option that the spec no longer has', async () => {
      const change = async (spec: object): Promise<Deployment['spec']> => {
        const [object] = deploymentComponent.desired(tenantInputFixture(spec)) as readonly Deployment[];
        if (object === undefined) throw new Error('no Deployment');
        await apply(object);
        return ((await adminClient.get(DEPLOYMENTS, 'team-a', 't1')) as unknown as Deployment).spec;
      };
      const before = await change({});
      const deployment = {
        strategy: { type: 'Recreate' },
        nodeSelector: { a: 'b' },
        runtimeClassName: 'x',
        tolerations: [{ operator: 'Exists' }],
        affinity: { podAntiAffinity: {} },
        topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' }],
        extraArgs: { apiServer: ['--v=4'], controllerManager: ['--controllers=*'], scheduler: ['--v=4'] },
        resources: { apiServer: { requests: { cpu: '1' } } },
        additionalContainers: [{ name: 'kms', image: 'kms:1' }],
        additionalInitContainers: [{ name: 'init', image: 'init:1' }],
        additionalVolumes: [{ name: 'extra', emptyDir: {} }],
        additionalVolumeMounts: { apiServer: [{ name: 'extra', mountPath: '/extra' }] },
        probes: { startup: { initialDelaySeconds: 3 } },
        podAdditionalMetadata: { labels: { a: 'b' }, annotations: { a: 'b' } },
        automountServiceAccountToken: true,
        containerSecurityContexts: { apiServer: { privileged: true } },
        podSecurityContext: { sysctls: [{ name: 'net.ipv4.tcp_syncookies', value: '1' }] },
      };
      const changed = await change({ controlPlane: { deployment }, addons: { konnectivity: { enabled: false } } });
      expect(changed.strategy).toEqual({ type: 'Recreate' });
      expect(changed.template.spec.containers.map(({ name }) => name).sort()).toEqual([
        'kms',
        'kube-apiserver',
        'kube-controller-manager',
        'kube-scheduler',
      ]);
      const after = await change({});
      expect(after).toEqual(before);
    });
  });
});
