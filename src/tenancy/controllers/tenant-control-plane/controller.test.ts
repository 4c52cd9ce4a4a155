import { beforeAll, beforeEach, afterEach, describe, expect, it } from 'vitest';
import { failure } from '../../../../test/env/memory-cluster.ts';
import { TenantWorld } from '../../../../test/env/tenant-world.ts';
import type { KubeObject } from '../../../apimachinery/object.ts';
import { ConnectionError } from '../../../kubeclient/api-error.ts';
import { CONFIG_MAPS, DEPLOYMENTS, SECRETS, SERVICES } from '../../../kubeclient/resources.ts';
import type { CertificateAndKey } from '../../../pki/certificate-and-key.ts';
import { parseCertificate, isIssuedBy } from '../../../pki/inspect.ts';
import { createCertificateAuthority } from '../../../pki/issue.ts';
import { DataStoreError } from '../../provisioning/datastore/data-store-error.ts';
import type { LiveSecret } from '../../provisioning/existing-secrets.ts';
import { ANNOTATION_ROTATE, FINALIZER, tenantObjectNames } from '../../provisioning/names.ts';

const START = Date.UTC(2030, 0, 1);
const names = tenantObjectNames('t1');
const ROOTS = [names.ca, names.frontProxyCa, names.serviceAccountKeys];

let authority: CertificateAndKey;
let world: TenantWorld;

beforeAll(async () => {
  authority = await createCertificateAuthority({ subject: { commonName: 'etcd-ca' }, now: new Date(START) });
});
beforeEach(() => {
  world = new TenantWorld(authority, START);
});
afterEach(() => world.stop());

const text = (secret: LiveSecret | undefined, key: string): string =>
  Buffer.from(secret?.data?.[key] ?? '', 'base64').toString('utf8');
const dataOf = (suffixes: readonly string[]) =>
  Object.fromEntries(suffixes.map((name) => [name, world.secret(name)?.data]));
const LEAVES = [
  'api-server-certificate',
  'api-server-kubelet-client-certificate',
  'front-proxy-client-certificate',
  'admin-kubeconfig',
  'controller-manager-kubeconfig',
  'scheduler-kubeconfig',
  'datastore-certificate',
  'konnectivity-certificate',
  'konnectivity-kubeconfig',
];

describe('the tenant controller', () => {
  it('makes of a TenantControlPlane everything that it is, in order, with one write each', async () => {
    await world.start();
    const writes = world.takeWrites();
    expect(writes[0]).toBe('APPLY services/team-a/t1');
    expect(writes.slice(1, 4).sort()).toEqual(ROOTS.map((name) => `POST secrets/team-a/${name}`).sort());
    expect(writes.at(-1)).toBe('APPLY deployments/team-a/t1');
    expect(new Set(writes).size).toBe(writes.length);
    expect(world.driver.calls).toEqual([`ensure ${world.tenant.metadata.uid} ${world.tenant.metadata.uid}`]);
    expect(world.tenant.metadata.finalizers).toEqual([FINALIZER]);
    expect(world.condition('Ready')).toMatch(/^False Starting/);
    await world.settle();
    world.reports.set(world.tenant.metadata.uid ?? '', 'team-a/t1', {
      configured: true,
      reason: '',
      message: '',
      generation: 1,
      checksum: 'c',
    });
    await world.settle();
    expect(world.condition('Ready')).toMatch(/^True/);
    expect(world.tenant.status?.kubernetesResources?.version).toEqual({ status: 'Ready', version: 'v1.36.1' });
    expect(world.errors).toEqual([]);
  });

  it('owns all that it makes', async () => {
    await world.start();
    await world.catchUp();
    for (const [resource, name] of [
      [SECRETS, names.ca],
      [SECRETS, names.apiServer],
      [SERVICES, 't1'],
      [CONFIG_MAPS, names.kubeadmConfig],
      [DEPLOYMENTS, 't1'],
    ] as const) {
      const live = world.admin.peek(resource as never, 'team-a', name) as KubeObject | undefined;
      expect(live?.metadata.ownerReferences).toEqual([
        {
          apiVersion: 'kamaji.io/v1alpha1',
          kind: 'TenantControlPlane',
          name: 't1',
          uid: world.tenant.metadata.uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ]);
      expect(live?.metadata.labels).toMatchObject({ 'kamaji.io/project': 'kamaji', 'kamaji.io/name': 't1' });
    }
  });

  it('writes nothing when all is as it should be, in this process and in the next', async () => {
    await world.start();
    await world.settle();
    const before = world.tenant;
    world.takeWrites();
    world.kamaji.takeCalls();
    await world.clock.advance(5_000);
    await world.pass();
    expect(world.takeWrites()).toEqual([]);
    expect(world.kamaji.takeCalls()).toEqual([]);
    await world.restart();
    await world.pass();
    await world.catchUp();
    world.takeWrites();
    await world.pass();
    expect(world.takeWrites()).toEqual([]);
    expect(world.tenant).toEqual(before);
  });

  it('tells of a milestone once, however late the cache is', async () => {
    await world.start();
    await world.settle();
    expect(world.events.filter((event) => event.startsWith('Warning'))).toEqual([]);
    expect(world.events.filter((event) => event === 'Normal DeploymentAvailable')).toHaveLength(1);
    world.events.splice(0);
    const live = world.admin.peek(DEPLOYMENTS, 'team-a', 't1') as KubeObject;
    world.admin.put(DEPLOYMENTS, { ...live, status: { replicas: 1 } } as KubeObject);
    await world.catchUp(world.deployments);
    expect(world.condition('Ready')).toMatch(/^False Starting/);
    const told = world.events.length;
    expect(told).toBeGreaterThan(0);
    // The cache of tenants still shows the status of before.
    await world.pass();
    await world.pass();
    expect(world.events).toHaveLength(told);
  });
});

describe('a cache that lags', () => {
  it('never makes a second certificate authority or certificate', async () => {
    await world.start();
    const roots = dataOf(['ca', 'front-proxy-ca-certificate', 'sa-certificate']);
    const leaves = dataOf(LEAVES);
    world.takeWrites();
    // Not one of the caches has told anything yet.
    for (let i = 0; i < 4; i++) {
      expect(await world.pass()).toBeUndefined();
      await world.clock.advance(1_000);
    }
    expect(world.takeWrites()).toEqual([]);
    expect(dataOf(['ca', 'front-proxy-ca-certificate', 'sa-certificate'])).toEqual(roots);
    expect(dataOf(LEAVES)).toEqual(leaves);
    expect(world.errors).toEqual([]);
  });

  it('neither when it lags for longer than writes are remembered', async () => {
    await world.start();
    const roots = dataOf(['ca', 'front-proxy-ca-certificate', 'sa-certificate']);
    const leaves = dataOf(LEAVES);
    await world.clock.advance(59_000);
    expect(await world.pass()).toBeUndefined();
    expect(dataOf(['ca', 'front-proxy-ca-certificate', 'sa-certificate'])).toEqual(roots);
    expect(dataOf(LEAVES)).toEqual(leaves);
  });

  it('takes the roots that somebody else has made', async () => {
    await world.start();
    const roots = dataOf(['ca', 'front-proxy-ca-certificate', 'sa-certificate']);
    // The next process has caches from before them.
    await world.restart();
    await world.clock.advance(120_000);
    world.takeWrites();
    expect(await world.pass()).toBeUndefined();
    expect(dataOf(['ca', 'front-proxy-ca-certificate', 'sa-certificate'])).toEqual(roots);
    const ca = parseCertificate(text(world.secret('ca'), 'ca.crt'));
    expect(isIssuedBy(parseCertificate(text(world.secret('api-server-certificate'), 'apiserver.crt')), ca)).toBe(true);
  });

  it('does not hide what came meanwhile', async () => {
    await world.start();
    await world.settle();
    const before = text(world.secret('api-server-certificate'), 'apiserver.crt');
    const stored = world.secret('api-server-certificate') as KubeObject;
    world.admin.put(SECRETS, {
      ...stored,
      metadata: { ...stored.metadata, annotations: { ...stored.metadata.annotations, [ANNOTATION_ROTATE]: '' } },
    });
    await world.catchUp(world.secrets);
    await world.pass();
    const after = world.secret('api-server-certificate');
    expect(text(after, 'apiserver.crt')).not.toBe(before);
    expect(after?.metadata.annotations?.[ANNOTATION_ROTATE]).toBe('2030-01-01T00:00:00.000Z');
  });
});

describe('roots', () => {
  it('that were made by half are completed', async () => {
    let posts = 0;
    world.admin.intercept = (call) => {
      if (call.startsWith('POST secrets') && ++posts === 2) throw failure(500, 'InternalError', 'etcd is away');
    };
    await world.start();
    expect(world.condition('CertificatesReady')).toMatch(/^False InternalError: the admin cluster refused/);
    const made = dataOf(['ca', 'front-proxy-ca-certificate', 'sa-certificate']);
    world.admin.intercept = () => undefined;
    expect(await world.pass()).toBeUndefined();
    expect(world.condition('CertificatesReady')).toMatch(/^True/);
    const now = dataOf(['ca', 'front-proxy-ca-certificate', 'sa-certificate']);
    for (const [name, data] of Object.entries(made)) if (data !== undefined) expect(now[name]).toEqual(data);
    expect(Object.values(made).filter((data) => data === undefined)).toHaveLength(1);
  });

  it('of somebody else are not used', async () => {
    world.admin.put(SECRETS, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: names.ca, namespace: 'team-a' },
      data: { 'ca.crt': 'eA==', 'ca.key': 'eA==' },
    } as KubeObject);
    await world.start();
    expect(world.condition('Ready')).toMatch(/^False ForeignSecret: Secret t1-ca is in the way/);
    expect(world.secret('ca')?.data).toEqual({ 'ca.crt': 'eA==', 'ca.key': 'eA==' });
    expect(world.secret('api-server-certificate')).toBeUndefined();
    world.admin.remove(SECRETS, 'team-a', names.ca);
    await world.pass();
    expect(world.condition('CertificatesReady')).toMatch(/^True/);
  });

  it('that went away between a lost race and the look at the winner are not made up', async () => {
    let posted = false;
    world.admin.intercept = (call) => {
      if (call === `POST secrets/team-a/${names.ca}`) {
        posted = true;
        throw failure(409, 'AlreadyExists', 'exists');
      }
    };
    await world.start();
    expect(posted).toBe(true);
    expect(world.condition('CertificatesReady')).toMatch(/^False Failed: will be tried again: Secret t1-ca/);
    expect(world.secret('api-server-certificate')).toBeUndefined();
    world.admin.intercept = () => undefined;
    await world.pass();
    const ca = parseCertificate(text(world.secret('ca'), 'ca.crt'));
    expect(isIssuedBy(parseCertificate(text(world.secret('api-server-certificate'), 'apiserver.crt')), ca)).toBe(true);
  });

  it('that are damaged stop the tenant with a word, and are never replaced', async () => {
    await world.start();
    await world.settle();
    const stored = world.secret('ca') as LiveSecret;
    world.admin.put(SECRETS, { ...stored, data: { ...stored.data, 'ca.key': 'eA==' } } as KubeObject);
    await world.catchUp();
    world.takeWrites();
    await world.pass();
    expect(world.condition('Ready')).toMatch(/^False RootSecretUnusable: Secret t1-ca is damaged/);
    expect(world.takeWrites()).toEqual([]);
  });
});

describe('names that collide', () => {
  it('do not keep a tenant from living beside one whose Secret has its name', async () => {
    // What tenant `t` has as its CA, when this one is called `t-ca`; here: a Secret called as the tenant itself.
    world.admin.put(SECRETS, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 't1',
        namespace: 'team-a',
        labels: { 'kamaji.io/project': 'kamaji', 'kamaji.io/name': 't' },
        ownerReferences: [
          { apiVersion: 'kamaji.io/v1alpha1', kind: 'TenantControlPlane', name: 't', uid: 'other', controller: true },
        ],
      },
    });
    await world.start();
    expect(world.condition('CertificatesReady')).toMatch(/^True/);
  });

  it('with an object that something else controls are told, and nothing of it is touched', async () => {
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name: 't1',
        namespace: 'team-a',
        ownerReferences: [
          { apiVersion: 'example.org/v1', kind: 'Application', name: 'shop', uid: 'u', controller: true },
        ],
      },
      spec: { selector: { app: 'shop' } },
    } as KubeObject;
    const before = world.admin.put(SERVICES, service);
    await world.start();
    expect(world.condition('Ready')).toMatch(
      /^False ObjectOwnedByAnother: Service team-a\/t1 belongs to Application shop/,
    );
    expect(world.admin.peek(SERVICES, 'team-a', 't1')).toEqual(before);
  });
});

describe('a Service of the name of the tenant', () => {
  const shop = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 't1', namespace: 'team-a', labels: { app: 'shop' } },
    spec: { selector: { app: 'shop' }, clusterIP: '10.96.0.9' },
  } as KubeObject;

  it("that belongs to nobody is somebody else's all the same, and survives the tenant", async () => {
    const before = world.admin.put(SERVICES, shop);
    await world.start();
    expect(world.condition('Ready')).toMatch(/^False ObjectOwnedByAnother: Service team-a\/t1 is not this tenant's/);
    expect(world.takeWrites()).toEqual([]);
    await world.change((tenant) => ({
      ...tenant,
      metadata: { ...tenant.metadata, deletionTimestamp: '2030-01-01T00:00:00Z' },
    }));
    expect(world.tenant.metadata.finalizers).toEqual([]);
    expect(world.admin.peek(SERVICES, 'team-a', 't1')).toEqual(before);
  });

  it('that went away makes room by itself', async () => {
    world.admin.put(SERVICES, shop);
    await world.start();
    world.admin.remove(SERVICES, 'team-a', 't1');
    await world.clock.advance(30_000);
    await world.idle();
    expect(world.condition('CertificatesReady')).toMatch(/^True/);
  });

  it('that lost its owner but bears our labels is taken up again', async () => {
    world.admin.put(SERVICES, {
      ...shop,
      metadata: { ...shop.metadata, labels: { 'kamaji.io/project': 'kamaji', 'kamaji.io/name': 't1' } },
    });
    await world.start();
    expect(world.condition('Exposed')).toMatch(/^True/);
  });

  it('is looked for once', async () => {
    await world.start();
    await world.settle();
    expect(world.admin.takeCalls().filter((call) => call === 'GET services/team-a/t1')).toHaveLength(1);
  });
});

describe('rotation', () => {
  const ask = async (suffix: string): Promise<void> => {
    const stored = world.secret(suffix) as KubeObject;
    const annotations = { ...stored.metadata.annotations, [ANNOTATION_ROTATE]: '' };
    world.admin.put(SECRETS, { ...stored, metadata: { ...stored.metadata, annotations } });
    await world.catchUp(world.secrets);
    await world.pass();
  };

  it('is answered once, with the time of it, which stays', async () => {
    await world.start();
    await world.settle();
    const before = dataOf(LEAVES);
    await ask('scheduler-kubeconfig');
    const rotated = dataOf(LEAVES);
    expect(rotated['scheduler-kubeconfig']).not.toEqual(before['scheduler-kubeconfig']);
    expect({ ...rotated, 'scheduler-kubeconfig': undefined }).toEqual({ ...before, 'scheduler-kubeconfig': undefined });
    for (const again of [() => world.catchUp(), () => world.restart(), () => world.clock.advance(20_000)]) {
      await again();
      await world.pass();
      expect(dataOf(LEAVES)).toEqual(rotated);
      expect(world.secret('scheduler-kubeconfig')?.metadata.annotations?.[ANNOTATION_ROTATE]).toBe(
        '2030-01-01T00:00:00.000Z',
      );
    }
    await world.clock.advance(60_000);
    await ask('scheduler-kubeconfig');
    expect(dataOf(LEAVES)['scheduler-kubeconfig']).not.toEqual(rotated['scheduler-kubeconfig']);
  });
});

describe('the DataStore', () => {
  it('that does not answer is waited for, and the tenant goes on by itself', async () => {
    world.dataStores.set('default', { healthy: true, reason: '', message: '', use: undefined });
    await world.start();
    await world.stop();
    world = new TenantWorld(authority, START);
    world.driver.failure = new DataStoreError('Unreachable', 'etcd:2379 refused');
    await world.start();
    expect(world.condition('Ready')).toBe('False Unreachable: etcd:2379 refused');
    expect(world.takeWrites()).toEqual([]);
    world.driver.failure = undefined;
    await world.clock.advance(1_000);
    await world.idle();
    expect(world.condition('DataStoreReady')).toMatch(/^True/);
  });

  it('that is unhealthy is named with its trouble; the next verdict starts the tenant at once', async () => {
    await world.start();
    await world.stop();
    world = new TenantWorld(authority, START);
    const started = world.start();
    world.dataStores.set('default', { healthy: false, reason: 'OutOfSpace', message: 'etcd is full', use: undefined });
    await started;
    await world.pass();
    expect(world.condition('Ready')).toBe('False OutOfSpace: DataStore default cannot be used: etcd is full');
    world.healthy();
    await world.idle();
    expect(world.condition('CertificatesReady')).toMatch(/^True/);
  });

  it('that was deleted is told, too', async () => {
    await world.start();
    await world.settle();
    world.kamaji.remove(world.stores.resource, '', 'default');
    await world.catchUp();
    world.dataStores.delete('default');
    await world.idle();
    expect(world.condition('Ready')).toBe(
      'False DataStoreNotFound: DataStore default cannot be used: it does not exist',
    );
  });

  it('is asked once while it stays the same, and again when it leads elsewhere', async () => {
    await world.start();
    await world.settle();
    expect(world.driver.calls).toHaveLength(1);
    const elsewhere = new (world.driver.constructor as new () => typeof world.driver)();
    const verdict = world.dataStores.get('default');
    if (verdict?.use === undefined) throw new Error('no verdict');
    world.dataStores.set('default', { ...verdict, use: { ...verdict.use, driver: elsewhere } });
    await world.idle();
    expect(elsewhere.calls).toHaveLength(1);
  });

  it('that fails once a tenant is set up does not stop the care for it', async () => {
    await world.start();
    await world.settle();
    const verdict = world.dataStores.get('default');
    if (verdict === undefined) throw new Error('no verdict');
    world.dataStores.set('default', { ...verdict, healthy: false, reason: 'Unreachable', message: 'no answer' });
    world.admin.remove(CONFIG_MAPS, 'team-a', names.kubeadmConfig);
    await world.catchUp();
    await world.pass();
    expect(world.admin.peek(CONFIG_MAPS, 'team-a', names.kubeadmConfig)).toBeDefined();
  });
});

describe('the admin cluster', () => {
  it('that does not answer is told, and tried again', async () => {
    await world.start();
    await world.settle();
    await world.clock.advance(60_000);
    const live = world.admin.peek(DEPLOYMENTS, 'team-a', 't1') as KubeObject;
    world.admin.put(DEPLOYMENTS, { ...live, status: {} } as KubeObject);
    world.admin.remove(CONFIG_MAPS, 'team-a', names.kubeadmConfig);
    world.admin.intercept = (call) => {
      // The caches are not what is at stake here.
      if (!call.startsWith('LIST') || call.includes('pods'))
        throw new ConnectionError('connect ECONNREFUSED', 'ECONNREFUSED');
    };
    await world.catchUp();
    expect(world.condition('CertificatesReady')).toBe('False Failed: will be tried again: connect ECONNREFUSED');
    world.admin.intercept = () => undefined;
    await world.clock.advance(10_000);
    await world.idle();
    expect(world.condition('CertificatesReady')).toMatch(/^True/);
  });
});

describe('deleting a tenant', () => {
  const remove = () =>
    world.change((tenant) => ({
      ...tenant,
      metadata: { ...tenant.metadata, deletionTimestamp: '2030-01-01T00:00:00Z' },
    }));

  it('takes its access away, then its objects, then the finalizer', async () => {
    await world.start();
    await world.settle();
    const order: string[] = [];
    world.driver.calls.push = (call: string) => order.push(call.split(' ')[0] ?? '');
    world.admin.intercept = (call) => void order.push(call.split('/')[0] ?? '');
    world.kamaji.intercept = (call) => void (call.startsWith('PATCH') && order.push('finalizer'));
    const { uid = '' } = world.tenant.metadata;
    await remove();
    expect(order[0]).toBe('remove');
    expect(order[1]).toBe('DELETE deployments');
    expect(order.at(-1)).toBe('finalizer');
    expect(new Set(order.slice(1, -1)).size).toBe(4);
    expect(world.tenant.metadata.finalizers).toEqual([]);
    for (const resource of [SECRETS, SERVICES, CONFIG_MAPS, DEPLOYMENTS]) {
      world.admin.intercept = () => undefined;
      expect((await world.admin.list(resource as never, '')).items).toEqual([]);
    }
    expect(world.driver.tenants.size).toBe(0);
    expect(world.handoffs.get(uid)).toBeUndefined();
    expect(world.forgotten).toContain(uid);
  });

  it('waits for a DataStore that does not answer, and says so', async () => {
    await world.start();
    await world.settle();
    world.driver.failure = new DataStoreError('Unreachable', 'etcd:2379 refused');
    world.takeWrites();
    await remove();
    expect(world.condition('Ready')).toBe('False Unreachable: cannot be deleted yet: etcd:2379 refused');
    expect(world.takeWrites()).toEqual([]);
    expect(world.tenant.metadata.finalizers).toEqual([FINALIZER]);
    world.driver.failure = undefined;
    await world.clock.advance(1_000);
    await world.idle();
    expect(world.tenant.metadata.finalizers).toEqual([]);
  });

  it('waits for a DataStore that is not known, when something is in it', async () => {
    await world.start();
    await world.settle();
    world.dataStores.delete('default');
    await remove();
    expect(world.condition('Ready')).toMatch(
      /^False DataStoreNotFound: cannot be deleted yet: the data in DataStore default/,
    );
    world.healthy();
    await world.idle();
    expect(world.tenant.metadata.finalizers).toEqual([]);
    expect(world.driver.tenants.size).toBe(0);
  });

  it('does not wait for a DataStore in which it never was', async () => {
    const started = world.start();
    world.dataStores.set('default', { healthy: false, reason: 'Unreachable', message: 'no', use: undefined });
    await started;
    await world.pass();
    await remove();
    expect(world.tenant.metadata.finalizers).toEqual([]);
    expect(world.driver.calls).toEqual([]);
  });

  it('also deletes what the process before made', async () => {
    await world.start();
    await world.settle();
    await world.restart();
    await remove();
    expect((await world.admin.list(SECRETS, '')).items).toEqual([]);
    expect(world.driver.tenants.size).toBe(0);
  });

  it('forgets one that went without its finalizer', async () => {
    await world.start();
    await world.settle();
    const { uid = '' } = world.tenant.metadata;
    expect(world.handoffs.get(uid)).toBeDefined();
    world.reports.set(uid, 'team-a/t1', { configured: true, reason: '', message: '', generation: 1, checksum: 'c' });
    world.kamaji.remove(world.tenants.resource, 'team-a', 't1');
    await world.catchUp();
    expect(world.handoffs.get(uid)).toBeUndefined();
    expect(world.reports.get(uid)).toBeUndefined();
    expect(world.forgotten).toContain(uid);
  });
});
