/** What we put into a tenant, given to a real kube-apiserver whose objects are in a tenant's part of a real etcd. */
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../src/apimachinery/object.ts';
import type { DataStoreDriver } from '../../src/tenancy/provisioning/datastore/driver.ts';
import { EtcdConnection } from '../../src/tenancy/provisioning/datastore/etcd/connection.ts';
import { etcdDriver } from '../../src/tenancy/provisioning/datastore/etcd/driver.ts';
import { tenantClusterComponents } from '../../src/tenancy/provisioning/tenant-cluster/all.ts';
import type { TenantInput } from '../../src/tenancy/provisioning/tenant-input.ts';
import { builtProgram, startEtcd, type EtcdProcess } from '../env/etcd.ts';
import { run } from '../env/run.ts';
import { tenantInputFixture } from '../env/tenant.ts';
import { startTenantApiServer, type TenantApiServer } from '../env/tenant-api-server.ts';

const identity = { schema: 'team-a_t1', username: 'team-a_t1' };
const MASTERS = ['system:masters'];
const BOOTSTRAPPERS = ['system:bootstrappers', 'system:bootstrappers:kubeadm:default-node-token'];
const NODES = ['system:nodes'];
const CSR = 'certificatesigningrequests.certificates.k8s.io';

let etcd: EtcdProcess;
let driver: DataStoreDriver;
let tenant: TenantApiServer;

beforeAll(async () => {
  etcd = await startEtcd();
  driver = etcdDriver.open(etcd.connection);
  await driver.ensureTenant(identity);
  tenant = await startTenantApiServer(etcd, identity);
});
afterAll(async () => {
  await tenant?.remove();
  driver?.close();
  await etcd?.remove();
});

function inputOf(spec: object): TenantInput {
  const input = tenantInputFixture(spec, {
    endpoint: { host: '127.0.0.1', port: tenant.port, clusterIp: '10.96.0.5' },
  });
  return { ...input, pki: { ...input.pki, ca: tenant.ca } };
}

const described = (spec: object): readonly KubeObject[] =>
  tenantClusterComponents.flatMap((component) => component.desired(inputOf(spec)));

const toYaml = (objects: readonly KubeObject[]): string => objects.map((object) => stringify(object)).join('---\n');

async function mayI(groups: readonly string[], ...question: readonly string[]): Promise<boolean> {
  const answer = await tenant.kubectl(groups, ['auth', 'can-i', ...question]);
  return answer.stdout.trim() === 'yes';
}

const everything = {
  addons: { coreDNS: {}, kubeProxy: {} },
  networkProfile: { dnsServiceIPs: ['10.96.0.11', '10.96.0.12'] },
};

describe('the objects of a tenant', () => {
  it.each([
    ['with all add-ons', everything],
    ['with the agents as a Deployment', { addons: { konnectivity: { agent: { mode: 'Deployment', replicas: 2 } } } }],
    [
      'with patched kubelets',
      { kubernetes: { kubelet: { configurationJSONPatches: [{ op: 'replace', path: '/maxPods', value: 50 }] } } },
    ],
  ])('are taken as they are, %s', async (_, spec) => {
    const apply = [
      'apply',
      '--server-side',
      '--force-conflicts',
      '--validate=strict',
      '--field-manager=kamaji',
      '-f',
      '-',
    ];
    const objects = described(spec);
    const first = await tenant.kubectl(MASTERS, apply, toYaml(objects));
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout.trim().split('\n')).toHaveLength(objects.length);
    const again = await tenant.kubectl(MASTERS, [...apply, '-o', 'name'], toYaml(objects));
    expect(again.code).toBe(0);
  });

  it('keep their resourceVersion when they are applied again', async () => {
    const version = async (): Promise<string> =>
      (
        await tenant.kubectl(MASTERS, [
          'get',
          'deployment,daemonset,service,configmap',
          '-A',
          '-l',
          'kamaji.io/project',
          '-o',
          'custom-columns=N:.metadata.name,V:.metadata.resourceVersion',
        ])
      ).stdout;
    const apply = ['apply', '--server-side', '--field-manager=kamaji', '-f', '-'];
    await tenant.kubectl(MASTERS, apply, toYaml(described(everything)));
    const before = await version();
    await tenant.kubectl(MASTERS, apply, toYaml(described(everything)));
    expect(await version()).toBe(before);
    expect(before.split('\n').length).toBeGreaterThan(8);
  });

  it('put cluster DNS where the kubelets look for it', async () => {
    const answer = await tenant.kubectl(MASTERS, [
      'get',
      'service',
      '-n',
      'kube-system',
      '-o',
      'custom-columns=N:.metadata.name,IP:.spec.clusterIP',
      '--no-headers',
    ]);
    expect(
      answer.stdout
        .trim()
        .split('\n')
        .map((line) => line.split(/\s+/)),
    ).toEqual([
      ['kube-dns', '10.96.0.11'],
      ['kube-dns-0a60000c', '10.96.0.12'],
    ]);
  });

  it('let whoever holds a bootstrap token become a node, and no more', async () => {
    expect(await mayI(BOOTSTRAPPERS, 'get', 'configmap/kubeadm-config', '-n', 'kube-system')).toBe(true);
    expect(await mayI(BOOTSTRAPPERS, 'get', 'configmap/kubelet-config', '-n', 'kube-system')).toBe(true);
    expect(await mayI(BOOTSTRAPPERS, 'get', 'configmap/kube-proxy', '-n', 'kube-system')).toBe(true);
    expect(await mayI(BOOTSTRAPPERS, 'get', 'nodes')).toBe(true);
    expect(await mayI(BOOTSTRAPPERS, 'create', CSR)).toBe(true);
    expect(await mayI(BOOTSTRAPPERS, 'create', CSR, '--subresource=nodeclient')).toBe(true);
    expect(await mayI(BOOTSTRAPPERS, 'get', 'configmap/coredns', '-n', 'kube-system')).toBe(false);
    expect(await mayI(BOOTSTRAPPERS, 'get', 'secrets', '-n', 'kube-system')).toBe(false);
    expect(await mayI(BOOTSTRAPPERS, 'create', CSR, '--subresource=selfnodeclient')).toBe(false);
    expect(await mayI(NODES, 'create', CSR, '--subresource=selfnodeclient')).toBe(true);
    expect(await mayI(NODES, 'get', 'configmap/kubelet-config', '-n', 'kube-system')).toBe(true);
  });

  it('let the administrator do anything', async () => {
    expect(await mayI(['kubeadm:cluster-admins'], '*', '*', '-A')).toBe(true);
    expect(await mayI(['somebody-else'], '*', '*', '-A')).toBe(false);
  });

  it('are configurations that kubeadm takes', async () => {
    const documents = await Promise.all(
      [
        ['kubeadm-config', 'ClusterConfiguration'],
        ['kubelet-config', 'kubelet'],
        ['kube-proxy', 'config\\.conf'],
      ].map(async ([name, key]) => {
        const answer = await tenant.kubectl(MASTERS, [
          'get',
          'configmap',
          '-n',
          'kube-system',
          name!,
          '-o',
          `jsonpath={.data.${key}}`,
        ]);
        expect(answer.stdout).toContain('kind: ');
        return answer.stdout;
      }),
    );
    const file = join(tmpdir(), `kamaji-kubeadm-${process.pid}.yaml`);
    await writeFile(file, documents.join('\n---\n'));
    expect(await run(await builtProgram('kubeadm'), ['config', 'validate', '--config', file])).toMatchObject({
      code: 0,
      stdout: 'ok\n',
    });
    await rm(file);
  });

  it("are in the tenant's key range, every one", async () => {
    const admin = new EtcdConnection(etcd.connection);
    const all = await admin.call('KV.Range', { key: Buffer.of(0), rangeEnd: Buffer.of(0), countOnly: true });
    admin.close();
    expect(all.count).toBeGreaterThan(100);
    expect(await driver.countKeys(identity)).toBe(all.count);
  });

  it('go with the tenant, whose kube-apiserver then gets nothing any more', async () => {
    const { removedKeys } = await driver.removeTenant(identity);
    expect(removedKeys).toBeGreaterThan(100);
    const answer = await tenant.kubectl(MASTERS, ['create', 'configmap', 'late']);
    expect(answer.code).not.toBe(0);
    expect(await driver.countKeys(identity)).toBe(0);
  });
});
