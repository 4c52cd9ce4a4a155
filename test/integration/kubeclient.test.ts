/** Our client, caches and controller runtime against a real kube-apiserver; the official client is the judge of what was written. */
import { readFile } from 'node:fs/promises';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Condition, KubeObject } from '../../src/apimachinery/object.ts';
import { systemClock } from '../../src/base/clock.ts';
import { createLogger, silentLogger } from '../../src/base/log.ts';
import { isConflict, isExpired, isForbidden, isInvalid, isNotFound } from '../../src/kubeclient/api-error.ts';
import type { KubeClient } from '../../src/kubeclient/client.ts';
import { createInformer } from '../../src/kubeclient/informer.ts';
import type { ConfigMap, Deployment, Secret } from '../../src/kubeclient/kinds.ts';
import { loadKubeconfig } from '../../src/kubeclient/kubeconfig.ts';
import {
  API_SERVICES,
  CLUSTER_ROLES,
  CONFIG_MAPS,
  DEPLOYMENTS,
  EVENTS,
  LEASES,
  NAMESPACES,
  SECRETS,
  SERVICE_ACCOUNTS,
} from '../../src/kubeclient/resources.ts';
import { createKubeClient } from '../../src/kubeclient/rest-client.ts';
import { ComponentApplier, type ApplyScope } from '../../src/reconcile/apply-component.ts';
import { commitStatus } from '../../src/reconcile/committer.ts';
import type { Component } from '../../src/reconcile/component.ts';
import { createEventRecorder } from '../../src/reconcile/events.ts';
import { runLeaderElection } from '../../src/reconcile/leader-election.ts';
import { startEtcd, type EtcdProcess } from '../env/etcd.ts';
import { startTenantApiServer, type TenantApiServer } from '../env/tenant-api-server.ts';

const NAMESPACE = 'client-test';
let etcd: EtcdProcess;
let server: TenantApiServer;
let client: KubeClient & { readonly openSockets: number };
let judge: CoreV1Api;
let stop = new AbortController();

beforeAll(async () => {
  etcd = await startEtcd({ auth: false });
  server = await startTenantApiServer(etcd, { schema: 'client-test', username: 'root' });
  const file = await server.kubeconfig(['system:masters']);
  client = createKubeClient(await loadKubeconfig(file));
  const config = new KubeConfig();
  config.loadFromString(await readFile(file, 'utf8'));
  judge = config.makeApiClient(CoreV1Api);
  await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
});
afterAll(async () => {
  client?.close();
  await server?.remove();
  await etcd?.remove();
});
afterEach(() => {
  stop.abort();
  stop = new AbortController();
});

const map = (name: string, data: Record<string, string> = {}, labels: Record<string, string> = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: NAMESPACE, name, labels },
  data,
});

describe('verbs', () => {
  it('creates, reads, updates, patches and deletes as the official client sees it', async () => {
    const created = await client.create(CONFIG_MAPS, map('verbs', { a: '1' }));
    expect(created.metadata.uid).toMatch(/-/);
    await expect(client.create(CONFIG_MAPS, map('verbs'))).rejects.toMatchObject({
      code: 409,
      reason: 'AlreadyExists',
    });
    const updated = await client.update(CONFIG_MAPS, { ...created, data: { a: '2', b: 'ü' } });
    await expect(client.update(CONFIG_MAPS, { ...created, data: {} })).rejects.toSatisfy(isConflict);
    expect((await judge.readNamespacedConfigMap({ name: 'verbs', namespace: NAMESPACE })).data).toEqual(updated.data);
    await client.mergePatch(CONFIG_MAPS, NAMESPACE, 'verbs', { data: { b: null, c: '3' } });
    expect((await judge.readNamespacedConfigMap({ name: 'verbs', namespace: NAMESPACE })).data).toEqual({
      a: '2',
      c: '3',
    });
    await expect(client.delete(CONFIG_MAPS, NAMESPACE, 'verbs', { uid: 'another' })).rejects.toSatisfy(isConflict);
    expect(await client.delete(CONFIG_MAPS, NAMESPACE, 'verbs', { uid: created.metadata.uid })).toBe(true);
    expect(await client.delete(CONFIG_MAPS, NAMESPACE, 'verbs')).toBe(false);
    expect(await client.find(CONFIG_MAPS, NAMESPACE, 'verbs')).toBeUndefined();
  });

  it('does nothing in a dry run', async () => {
    await client.create(CONFIG_MAPS, map('dry'), { dryRun: true });
    await client.apply(CONFIG_MAPS, map('dry'), { dryRun: true, fieldManager: 'test' });
    await expect(client.get(CONFIG_MAPS, NAMESPACE, 'dry')).rejects.toSatisfy(isNotFound);
  });

  it('applies: takes fields away that are no longer said, leaves those of others, changes nothing twice', async () => {
    const first = await client.apply(CONFIG_MAPS, map('ssa', { a: '1', b: '2' }), { fieldManager: 'test' });
    await client.mergePatch(CONFIG_MAPS, NAMESPACE, 'ssa', { data: { other: 'x' } });
    const second = await client.apply(CONFIG_MAPS, map('ssa', { a: '1' }), { fieldManager: 'test' });
    expect(second.data).toEqual({ a: '1', other: 'x' });
    expect(second.metadata.uid).toBe(first.metadata.uid);
    const third = await client.apply(CONFIG_MAPS, map('ssa', { a: '1' }), { fieldManager: 'test' });
    expect(third.metadata.resourceVersion).toBe(second.metadata.resourceVersion);
    expect(third.metadata.managedFields?.map((entry) => [entry.manager, entry.operation])).toEqual([
      ['test', 'Apply'],
      ['kamaji', 'Update'],
    ]);
  });

  it('lists in pages, completed, like the official client; and as metadata alone', async () => {
    await Promise.all(
      Array.from({ length: 25 }, (_, i) =>
        client.create(CONFIG_MAPS, map(`page-${i}`, { i: String(i) }, { page: 'yes' })),
      ),
    );
    const list = await client.list(CONFIG_MAPS, NAMESPACE, { limit: 7, labelSelector: 'page=yes' });
    const judged = await judge.listNamespacedConfigMap({ namespace: NAMESPACE, labelSelector: 'page=yes' });
    expect(list.items.map((item) => [item.metadata.name, item.data])).toEqual(
      judged.items.map((item) => [item.metadata?.name, item.data]),
    );
    expect(list.items.every((item) => item.kind === 'ConfigMap' && item.apiVersion === 'v1')).toBe(true);
    expect(list.metadata.resourceVersion).toMatch(/^\d+$/);
    const bare = await client.list(CONFIG_MAPS, '', {
      labelSelector: 'page=yes',
      metadataOnly: true,
      resourceVersion: '0',
    });
    expect(bare.items).toHaveLength(25);
    expect(Object.keys(bare.items[0]!).toSorted()).toEqual(['apiVersion', 'kind', 'metadata']);
    expect(bare.items[0]!.kind).toBe('ConfigMap');
  });

  it('passes on what the server refuses, and raw requests', async () => {
    await expect(client.create(CONFIG_MAPS, map('Not_A_Name'))).rejects.toSatisfy(isInvalid);
    const nobody = createKubeClient(await loadKubeconfig(await server.kubeconfig(['nobodies'])));
    await expect(nobody.list(SECRETS, '')).rejects.toSatisfy(isForbidden);
    nobody.close();
    expect((await client.request('GET', '/readyz')).body).toBe('ok');
    const review = await client.request('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
    });
    expect(review.status).toBe(201);
    expect(review.body).toContain('"somebody"');
    expect((await client.list(API_SERVICES, '')).items.length).toBeGreaterThan(10);
  });

  it('stands many calls at once on few connections', async () => {
    await Promise.all(Array.from({ length: 200 }, () => client.get(NAMESPACES, '', NAMESPACE)));
    expect(client.openSockets).toBeLessThanOrEqual(16);
  });
});

async function allOf<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('watch and informer', () => {
  it('sees changes from where the list ended, and 410 for a place that is gone', async () => {
    const { metadata } = await client.list(CONFIG_MAPS, NAMESPACE);
    const seen: string[] = [];
    const watching = (async () => {
      const options = { resourceVersion: metadata.resourceVersion!, signal: stop.signal, labelSelector: 'watched=yes' };
      for await (const event of client.watch(CONFIG_MAPS, NAMESPACE, options)) {
        if (event.type !== 'BOOKMARK')
          seen.push(`${event.type} ${event.object.metadata.name} ${event.object.data?.['v'] ?? ''}`);
        if (seen.length === 3) break;
      }
    })();
    await client.create(CONFIG_MAPS, map('w', { v: '1' }, { watched: 'yes' }));
    await client.create(CONFIG_MAPS, map('unwatched'));
    await client.mergePatch(CONFIG_MAPS, NAMESPACE, 'w', { data: { v: '2' } });
    await client.delete(CONFIG_MAPS, NAMESPACE, 'w');
    await watching;
    expect(seen).toEqual(['ADDED w 1', 'MODIFIED w 2', 'DELETED w 2']);
    // A server that started later knows nothing of what was before.
    const later = await startTenantApiServer(etcd, { schema: 'client-test', username: 'root' });
    try {
      const laterClient = createKubeClient(await loadKubeconfig(await later.kubeconfig(['system:masters'])));
      const options = { resourceVersion: '1', signal: stop.signal, timeoutSeconds: 5 };
      await expect(allOf(laterClient.watch(CONFIG_MAPS, NAMESPACE, options))).rejects.toSatisfy(isExpired);
      laterClient.close();
    } finally {
      await later.remove();
    }
  });

  it('ends when the server does', async () => {
    const { metadata } = await client.list(CONFIG_MAPS, NAMESPACE);
    const options = { resourceVersion: metadata.resourceVersion!, signal: stop.signal, timeoutSeconds: 1 };
    const events = await allOf(client.watch(CONFIG_MAPS, NAMESPACE, options));
    expect(events.filter((event) => event.type !== 'BOOKMARK')).toEqual([]);
  });

  it.each([false, true])('keeps a cache (metadata alone: %s)', async (metadataOnly) => {
    const labelSelector = `cached=${metadataOnly ? 'bare' : 'full'}`;
    const labels = { cached: metadataOnly ? 'bare' : 'full' };
    await client.create(CONFIG_MAPS, map(`c-${metadataOnly}`, { v: '1' }, labels));
    const informer = createInformer({ client, resource: CONFIG_MAPS, labelSelector, metadataOnly, log: silentLogger });
    const running = informer.run(stop.signal);
    await informer.waitForSync(stop.signal);
    // The first list may come from a cache of the server that lags by some milliseconds.
    await expect.poll(() => informer.list().length).toBe(1);
    expect(informer.list().map((object) => [object.kind, object.data, object.metadata.managedFields])).toEqual([
      ['ConfigMap', metadataOnly ? undefined : { v: '1' }, undefined],
    ]);
    const live = await client.apply(CONFIG_MAPS, map(`c-${metadataOnly}`, { v: '2' }, labels), {
      fieldManager: 'test',
    });
    await expect
      .poll(() => informer.get(NAMESPACE, `c-${metadataOnly}`)?.metadata.resourceVersion)
      .toBe(live.metadata.resourceVersion);
    expect(informer.get(NAMESPACE, `c-${metadataOnly}`)?.kind).toBe('ConfigMap');
    await client.delete(CONFIG_MAPS, NAMESPACE, `c-${metadataOnly}`);
    await expect.poll(() => informer.list()).toEqual([]);
    stop.abort();
    await running;
  });
});

interface Input {
  readonly replicas: number;
  readonly extra: boolean;
}

const component: Component<Input> = {
  name: 'sample',
  cluster: 'admin',
  desired: ({ replicas, extra }) => [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: NAMESPACE, name: 'sample' } },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: NAMESPACE, name: 'sample' },
      type: 'Opaque',
      data: { k: 'dg==' },
    } as Secret,
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'sample:reader' },
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
    } as KubeObject,
    ...(extra ? [map('sample-extra', { on: 'yes' })] : []),
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { namespace: NAMESPACE, name: 'sample' },
      spec: {
        replicas,
        selector: { matchLabels: { app: 'sample' } },
        template: {
          metadata: { labels: { app: 'sample' } },
          spec: {
            containers: [
              { name: 'main', image: 'registry.k8s.io/pause:3.10', resources: { requests: { cpu: '100m' } } },
            ],
          },
        },
      },
    } as unknown as Deployment,
  ],
  ready: (live): Condition => {
    const deployment = live.find((object) => object.kind === 'Deployment') as Deployment;
    const ready = deployment.status?.readyReplicas === deployment.spec?.replicas;
    return { type: 'Ready', status: ready ? 'True' : 'False', reason: ready ? 'Up' : 'Down', message: '' };
  },
};

describe('component applier', () => {
  async function setUp() {
    const owner = await client.apply(CONFIG_MAPS, map('owner'), { fieldManager: 'test' });
    const log = createLogger({ clock: systemClock, level: 'warn' });
    const cached = { client, labelSelector: 'tenant=t', log };
    const caches = [
      createInformer({ ...cached, resource: SECRETS, metadataOnly: true }),
      createInformer({ ...cached, resource: CONFIG_MAPS, metadataOnly: true }),
      createInformer({ ...cached, resource: DEPLOYMENTS }),
    ] as const;
    for (const cache of caches) void cache.run(stop.signal);
    await Promise.all(caches.map((cache) => cache.waitForSync(stop.signal)));
    const calls: string[] = [];
    const counted = createKubeClient(await loadKubeconfig(await server.kubeconfig(['system:masters'])), {
      observe: (method, code) => void calls.push(`${method} ${code}`),
    });
    stop.signal.addEventListener('abort', () => counted.close(), { once: true });
    const applier = new ComponentApplier({
      client: counted,
      fieldManager: 'kamaji-test',
      componentLabel: 'component',
      caches,
      pruneResources: [SERVICE_ACCOUNTS, CLUSTER_ROLES],
      log,
    });
    const scope: ApplyScope = { owner, sameCluster: true, labels: { tenant: 't' }, signal: stop.signal };
    const [, , deployments] = caches;
    return { applier, scope, calls, deployments };
  }

  it('applies once, then is silent; repairs, prunes, and starts over without a write', async () => {
    const { applier, scope, calls, deployments } = await setUp();
    const input = { replicas: 1, extra: true };
    expect(await applier.apply(component, input, scope)).toMatchObject({
      applied: 5,
      pruned: 0,
      condition: { reason: 'Down' },
    });
    await expect.poll(() => deployments.get(NAMESPACE, 'sample')).toBeDefined();
    calls.splice(0);
    expect(await applier.apply(component, input, scope)).toMatchObject({ applied: 0, condition: { reason: 'Down' } });
    // What is in no cache is read for `ready`; nothing is written.
    expect(calls).toEqual(['GET 200', 'GET 200']);

    // A status, as the deployment controller writes it, is no reason to apply.
    const live = await client.get(DEPLOYMENTS, NAMESPACE, 'sample');
    await client.update(
      DEPLOYMENTS,
      { ...live, status: { replicas: 1, readyReplicas: 1, availableReplicas: 1 } },
      { subresource: 'status' },
    );
    await expect.poll(() => deployments.get(NAMESPACE, 'sample')?.status?.readyReplicas).toBe(1);
    expect(await applier.apply(component, input, scope)).toMatchObject({ applied: 0, condition: { reason: 'Up' } });

    // A foreign change of what is ours is one.
    await client.mergePatch(DEPLOYMENTS, NAMESPACE, 'sample', { spec: { replicas: 7 } });
    await client.mergePatch(SECRETS, NAMESPACE, 'sample', { data: { k: 'eA==' } });
    await expect.poll(() => deployments.get(NAMESPACE, 'sample')?.spec?.replicas).toBe(7);
    await expect.poll(async () => (await applier.apply(component, input, scope)).applied).toBe(0);
    expect((await client.get(DEPLOYMENTS, NAMESPACE, 'sample')).spec?.replicas).toBe(1);
    expect((await client.get(SECRETS, NAMESPACE, 'sample')).data).toEqual({ k: 'dg==' });

    expect(await applier.apply(component, { replicas: 1, extra: false }, scope)).toMatchObject({ pruned: 1 });
    expect(await client.find(CONFIG_MAPS, NAMESPACE, 'sample-extra')).toBeUndefined();

    const before = await client.get(DEPLOYMENTS, NAMESPACE, 'sample');
    expect(before.metadata.ownerReferences).toMatchObject([{ kind: 'ConfigMap', name: 'owner', controller: true }]);
    const second = await setUp();
    expect(
      await second.applier.apply(
        { ...component, desired: (of) => component.desired(of).slice(1) },
        { replicas: 1, extra: false },
        second.scope,
      ),
    ).toMatchObject({ applied: 3, pruned: 1 });
    expect((await client.get(DEPLOYMENTS, NAMESPACE, 'sample')).metadata.resourceVersion).toBe(
      before.metadata.resourceVersion,
    );
    expect(await client.find(SERVICE_ACCOUNTS, NAMESPACE, 'sample')).toBeUndefined();
  });

  it('does not take over what another controls', async () => {
    const reference = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: 'somebody-else',
      uid: 'f3e8a6ee-0000-4000-8000-000000000000',
      controller: true,
    };
    await client.create(SECRETS, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: NAMESPACE, name: 'theirs', ownerReferences: [reference] },
    });
    const { applier, scope } = await setUp();
    const taking: Component<undefined> = {
      name: 'taking',
      cluster: 'admin',
      desired: () => [
        {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { namespace: NAMESPACE, name: 'theirs' },
          data: { k: 'dg==' },
        } as Secret,
      ],
    };
    await expect(applier.apply(taking, undefined, scope)).rejects.toMatchObject({
      name: 'TerminalError',
      reason: 'ObjectOwnedByAnother',
    });
    const untouched = await client.get(SECRETS, NAMESPACE, 'theirs');
    expect([untouched.data, untouched.metadata.ownerReferences?.length]).toEqual([undefined, 1]);
  });
});

it('commits a status over a conflict', async () => {
  const stale = await client.get(NAMESPACES, '', NAMESPACE);
  await client.mergePatch(NAMESPACES, '', NAMESPACE, { metadata: { labels: { touched: 'yes' } } });
  const next = (): { phase: string; conditions: Condition[] } => ({
    phase: 'Active',
    conditions: [
      {
        type: 'NamespaceTested',
        status: 'True',
        reason: 'Tested',
        message: '',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      },
    ],
  });
  const written = await commitStatus({ client, resource: NAMESPACES, object: stale, next, signal: stop.signal });
  expect(written?.metadata.labels).toMatchObject({ touched: 'yes' });
  expect((await judge.readNamespace({ name: NAMESPACE })).status?.conditions?.[0]?.reason).toBe('Tested');
});

it('writes Events that kubectl describe shows', async () => {
  const object = await client.apply(CONFIG_MAPS, map('eventful'), { fieldManager: 'test' });
  const recorder = createEventRecorder({
    client,
    component: 'kamaji-test',
    instance: 'here',
    log: createLogger({ clock: systemClock }),
  });
  const running = recorder.run(stop.signal);
  recorder.event(object, 'Warning', 'Tested', 'It was tested');
  await expect.poll(async () => (await client.list(EVENTS, NAMESPACE)).items.length).toBe(1);
  recorder.event(object, 'Warning', 'Tested', 'It was tested');
  recorder.event(await client.get(NAMESPACES, '', NAMESPACE), 'Normal', 'Clustered', 'No namespace');
  stop.abort();
  await running;
  const shown = await server.kubectl(['system:masters'], ['describe', 'configmap', 'eventful', '-n', NAMESPACE]);
  expect(shown.stdout).toMatch(/Warning\s+Tested\s+.*\(x2 over .*\)\s+kamaji-test\s+It was tested/);
  const [event] = (await client.list(EVENTS, 'default', { fieldSelector: 'reason=Clustered' })).items;
  expect(event).toMatchObject({ involvedObject: { kind: 'Namespace', name: NAMESPACE }, count: 1 });
});

it('elects one leader and hands over', async () => {
  const led: string[] = [];
  const contend = (identity: string, signal: AbortSignal): Promise<void> =>
    runLeaderElection(
      {
        client,
        namespace: NAMESPACE,
        name: 'leader',
        identity,
        log: silentLogger,
        leaseDurationMs: 3_000,
        renewDeadlineMs: 2_000,
        retryPeriodMs: 200,
        lead: async (leading) => {
          led.push(identity);
          await systemClock.sleep(60_000, leading).catch(() => undefined);
        },
      },
      signal,
    );
  const first = new AbortController();
  const a = contend('a', first.signal);
  await expect.poll(() => led).toEqual(['a']);
  const b = contend('b', stop.signal);
  await systemClock.sleep(1_000);
  expect(led).toEqual(['a']);
  first.abort();
  await a;
  await expect.poll(() => led).toEqual(['a', 'b']);
  expect((await client.get(LEASES, NAMESPACE, 'leader')).spec).toMatchObject({
    holderIdentity: 'b',
    leaseTransitions: 1,
  });
  stop.abort();
  await b;
  expect((await client.get(LEASES, NAMESPACE, 'leader')).spec?.holderIdentity ?? '').toBe('');
});
