import { afterEach, describe, expect, it } from 'vitest';
import { failure, MemoryCluster } from '../../test/env/memory-cluster.ts';
import type { Condition, KubeObject } from '../apimachinery/object.ts';
import { FakeClock, settle } from '../base/fake-clock.ts';
import { silentLogger } from '../base/log.ts';
import { createInformer, type Informer } from '../kubeclient/informer.ts';
import type { ConfigMap, Deployment, Secret } from '../kubeclient/kinds.ts';
import { CONFIG_MAPS, DEPLOYMENTS, NAMESPACES, SECRETS } from '../kubeclient/resources.ts';
import { ComponentApplier, type ApplyScope, type ComponentApplierOptions } from './apply-component.ts';
import type { Component } from './component.ts';
import { isCovered } from './covered.ts';

interface Input {
  readonly values: Readonly<Record<string, string>>;
  readonly replicas?: number;
}

const configs: Component<Input> = {
  name: 'configs',
  cluster: 'admin',
  desired: ({ values }) =>
    Object.entries(values).map(([name, v]): ConfigMap => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'ns', name },
      data: { v },
    })),
};

const workload: Component<Input> = {
  name: 'workload',
  cluster: 'admin',
  desired: ({ replicas = 1 }) => [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { namespace: 'ns', name: 'app' },
      spec: { replicas, selector: {}, template: {} },
    } as Deployment,
    { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'ns', name: 'app' }, data: { a: 'YQ==' } } as Secret,
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'extra' } },
  ],
  ready: (live): Condition => {
    const up = (live[0] as Deployment).status?.readyReplicas === 1;
    return { type: 'Ready', status: up ? 'True' : 'False', reason: up ? 'Up' : 'Down', message: '' };
  },
};

const owner: KubeObject = {
  apiVersion: 'kamaji.io/v1alpha1',
  kind: 'TenantControlPlane',
  metadata: { namespace: 'ns', name: 't', uid: 'owner-1' },
};

let stop = new AbortController();
afterEach(() => {
  stop.abort();
  stop = new AbortController();
});

async function setUp(
  caches: 'full' | 'metadata' | 'none',
  options: Partial<ComponentApplierOptions> = {},
  cluster = new MemoryCluster(),
) {
  const clock = new FakeClock();
  const informers: Informer[] = [];
  if (caches !== 'none') {
    for (const resource of [CONFIG_MAPS, DEPLOYMENTS, SECRETS, NAMESPACES]) {
      const metadataOnly = caches === 'metadata';
      const informer = createInformer({
        client: cluster,
        resource,
        clock,
        log: silentLogger,
        metadataOnly,
      }) as Informer;
      informers.push(informer);
      void informer.run(stop.signal);
    }
    await Promise.all(informers.map((informer) => informer.waitForSync(stop.signal)));
    await settle();
  }
  cluster.takeCalls();
  const applier = new ComponentApplier({
    client: cluster,
    fieldManager: 'kamaji',
    componentLabel: 'component',
    caches: informers,
    clock,
    log: silentLogger,
    ...options,
  });
  const scope: ApplyScope = { owner, sameCluster: true, labels: { tenant: 't' }, signal: stop.signal };
  return { cluster, clock, applier, scope };
}

describe('ComponentApplier', () => {
  it('applies with owner and labels, in the order in which things need each other', async () => {
    const { cluster, applier, scope } = await setUp('full');
    const result = await applier.apply(workload, { values: {} }, scope);
    expect(cluster.takeCalls()).toEqual(['APPLY namespaces/extra', 'APPLY secrets/ns/app', 'APPLY deployments/ns/app']);
    expect(result).toMatchObject({
      component: 'workload',
      applied: 3,
      pruned: 0,
      condition: { status: 'False', reason: 'Down' },
    });
    expect(result.live.map((object) => object.kind)).toEqual(['Deployment', 'Secret', 'Namespace']);
    expect(cluster.peek(SECRETS, 'ns', 'app')?.metadata).toMatchObject({
      labels: { tenant: 't', component: 'workload' },
      ownerReferences: [
        { kind: 'TenantControlPlane', name: 't', uid: 'owner-1', controller: true, blockOwnerDeletion: true },
      ],
    });
    // A namespaced object cannot own a cluster-scoped one.
    expect(cluster.peek(NAMESPACES, '', 'extra')?.metadata.ownerReferences).toBeUndefined();
  });

  it.each(['full', 'metadata'] as const)(
    'sends nothing when nothing changed (%s cache), whether the cache lags or not',
    async (caches) => {
      const { cluster, applier, scope } = await setUp(caches);
      const input = { values: { a: '1', b: '2' } };
      await applier.apply(configs, input, scope);
      cluster.takeCalls();
      expect(await applier.apply(configs, input, scope)).toMatchObject({ applied: 0, pruned: 0 });
      await settle();
      expect(await applier.apply(configs, input, scope)).toMatchObject({ applied: 0, condition: { status: 'True' } });
      expect(cluster.takeCalls()).toEqual([]);
    },
  );

  it('sends only what should be different', async () => {
    const { cluster, applier, scope } = await setUp('full');
    await applier.apply(configs, { values: { a: '1', b: '2' } }, scope);
    await settle();
    cluster.takeCalls();
    const result = await applier.apply(configs, { values: { a: '1', b: '3' } }, scope);
    expect(cluster.takeCalls()).toEqual(['APPLY configmaps/ns/b']);
    expect(result.live.map((object) => (object as ConfigMap).data)).toEqual([{ v: '1' }, { v: '3' }]);
  });

  it.each(['full', 'metadata'] as const)('puts right what somebody changed or deleted (%s cache)', async (caches) => {
    const { cluster, applier, scope } = await setUp(caches);
    const input = { values: { a: '1', b: '2' } };
    await applier.apply(configs, input, scope);
    await settle();
    cluster.takeCalls();
    cluster.put(CONFIG_MAPS, { ...cluster.peek(CONFIG_MAPS, 'ns', 'a')!, data: { v: 'tampered' } });
    cluster.remove(CONFIG_MAPS, 'ns', 'b');
    await settle();
    await applier.apply(configs, input, scope);
    expect(cluster.takeCalls().toSorted()).toEqual(['APPLY configmaps/ns/a', 'APPLY configmaps/ns/b']);
    expect(cluster.peek(CONFIG_MAPS, 'ns', 'a')?.data).toEqual({ v: '1' });
    await settle();
    await applier.apply(configs, input, scope);
    expect(cluster.takeCalls()).toEqual([]);
  });

  it('does not send again because of a status or what others added', async () => {
    const { cluster, applier, scope } = await setUp('full');
    await applier.apply(workload, { values: {} }, scope);
    await settle();
    const live = cluster.peek(DEPLOYMENTS, 'ns', 'app')!;
    cluster.put(DEPLOYMENTS, {
      ...live,
      metadata: { ...live.metadata, annotations: { revision: '1' } },
      status: { readyReplicas: 1 },
    });
    await settle();
    cluster.takeCalls();
    expect(await applier.apply(workload, { values: {} }, scope)).toMatchObject({
      applied: 0,
      condition: { status: 'True' },
    });
    expect(cluster.takeCalls()).toEqual([]);
  });

  it('without a cache believes what it applied for a while, and reads only what is judged', async () => {
    const { cluster, clock, applier, scope } = await setUp('none', { trustMs: 10_000 });
    const input = { values: { a: '1' } };
    await applier.apply(configs, input, scope);
    await applier.apply(workload, input, scope);
    cluster.takeCalls();
    await applier.apply(configs, input, scope);
    expect(cluster.takeCalls()).toEqual([]);
    cluster.put(DEPLOYMENTS, { ...cluster.peek(DEPLOYMENTS, 'ns', 'app')!, status: { readyReplicas: 1 } });
    expect((await applier.apply(workload, input, scope)).condition.status).toBe('True');
    expect(cluster.takeCalls().every((call) => call.startsWith('GET'))).toBe(true);
    await clock.advance(10_000);
    await applier.apply(configs, input, scope);
    expect(cluster.takeCalls()).toEqual(['APPLY configmaps/ns/a']);
  });

  it('deletes what is no longer wanted, and only the very object that it made', async () => {
    const { cluster, applier, scope } = await setUp('full');
    await applier.apply(configs, { values: { a: '1', b: '2', c: '3' } }, scope);
    await settle();
    cluster.remove(CONFIG_MAPS, 'ns', 'c');
    cluster.put(CONFIG_MAPS, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'ns', name: 'c' },
      data: { users: 'own' },
    });
    await settle();
    expect(await applier.apply(configs, { values: { a: '1' } }, scope)).toMatchObject({ pruned: 1 });
    expect(cluster.peek(CONFIG_MAPS, 'ns', 'b')).toBeUndefined();
    expect(cluster.peek(CONFIG_MAPS, 'ns', 'c')?.data).toEqual({ users: 'own' });
    cluster.takeCalls();
    expect(await applier.apply(configs, { values: {} }, scope)).toMatchObject({ pruned: 1, live: [] });
    expect(cluster.takeCalls()).toEqual(['DELETE configmaps/ns/a']);
  });

  it.each(['metadata', 'none'] as const)('finds what an earlier process left (%s cache)', async (caches) => {
    const cluster = new MemoryCluster();
    const first = await setUp('none', {}, cluster);
    await first.applier.apply(configs, { values: { a: '1', b: '2' } }, first.scope);
    cluster.put(CONFIG_MAPS, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'ns', name: 'other', labels: { tenant: 'u', component: 'configs' } },
    });
    const second = await setUp(caches, { pruneResources: [CONFIG_MAPS, SECRETS] }, cluster);
    expect(await second.applier.apply(configs, { values: { a: '1' } }, second.scope)).toMatchObject({
      pruned: 1,
      applied: 1,
    });
    expect(cluster.peek(CONFIG_MAPS, 'ns', 'b')).toBeUndefined();
    expect(cluster.peek(CONFIG_MAPS, 'ns', 'other')).toBeDefined();
    cluster.takeCalls();
    await second.applier.apply(configs, { values: { a: '1' } }, second.scope);
    expect(cluster.takeCalls()).toEqual([]);
  });

  it.each(['full', 'none'] as const)('applies components of one owner at once (%s cache)', async (caches) => {
    const { cluster, applier, scope } = await setUp(caches, { pruneResources: [CONFIG_MAPS, SECRETS] });
    const parts = ['a', 'b', 'c'].map((name) => ({ ...configs, name }));
    const all = () => Promise.all(parts.map((part) => applier.apply(part, { values: { [part.name]: '1' } }, scope)));
    expect((await all()).map((result) => result.applied)).toEqual([1, 1, 1]);
    const lists = cluster.takeCalls().filter((call) => call.startsWith('LIST'));
    expect(lists).toHaveLength(caches === 'none' ? 2 : 0);
    expect((await all()).map((result) => result.applied)).toEqual([0, 0, 0]);
    expect(cluster.takeCalls()).toEqual([]);
  });

  it('lets an object change its component', async () => {
    const { cluster, applier, scope } = await setUp('full');
    await applier.apply(configs, { values: { a: '1', b: '2' } }, scope);
    const renamed = { ...configs, name: 'renamed' };
    await applier.apply(renamed, { values: { b: '2' } }, scope);
    await applier.apply(configs, { values: { a: '1' } }, scope);
    expect(cluster.peek(CONFIG_MAPS, 'ns', 'b')?.metadata.labels?.['component']).toBe('renamed');
  });

  it.each(['full', 'none'] as const)('never takes over what belongs to another (%s cache)', async (caches) => {
    const cluster = new MemoryCluster();
    const reference = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'theirs', uid: 'their-uid', controller: true };
    const foreign = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'ns', name: 'a', ownerReferences: [reference] },
      data: { v: 'theirs' },
    };
    cluster.put(CONFIG_MAPS, foreign);
    const { applier, scope } = await setUp(caches, {}, cluster);
    const attempt = applier.apply(configs, { values: { a: '1' } }, scope);
    await expect(attempt).rejects.toMatchObject({
      name: 'TerminalError',
      reason: 'ObjectOwnedByAnother',
      message: expect.stringContaining('ConfigMap ns/a belongs to ReplicaSet theirs') as string,
    });
    expect(cluster.peek(CONFIG_MAPS, 'ns', 'a')?.data).toEqual({ v: 'theirs' });
    // Nor does it delete it later.
    await applier.apply(configs, { values: {} }, scope);
    expect(cluster.peek(CONFIG_MAPS, 'ns', 'a')).toBeDefined();
  });

  it('waits for what belonged to a former owner of the same name', async () => {
    const { cluster, applier, scope } = await setUp('none');
    await applier.apply(configs, { values: { a: '1' } }, scope);
    const again: ApplyScope = { ...scope, owner: { ...owner, metadata: { ...owner.metadata, uid: 'owner-2' } } };
    const attempt = () => applier.apply(configs, { values: { a: '1' } }, again);
    await expect(attempt()).rejects.toMatchObject({
      name: 'Error',
      message: expect.stringContaining('still belongs to a deleted') as string,
    });
    cluster.remove(CONFIG_MAPS, 'ns', 'a');
    expect(await attempt()).toMatchObject({ applied: 1 });
  });

  it('sends again what failed', async () => {
    const { cluster, applier, scope } = await setUp('full');
    cluster.intercept = (call) => {
      if (call === 'APPLY configmaps/ns/b') throw failure(500, 'InternalError', 'etcd');
    };
    const input = { values: { a: '1', b: '2' } };
    await expect(applier.apply(configs, input, scope)).rejects.toThrow('etcd');
    cluster.intercept = () => undefined;
    cluster.takeCalls();
    expect(await applier.apply(configs, input, scope)).toMatchObject({ applied: 1 });
    expect(cluster.takeCalls()).toEqual(['APPLY configmaps/ns/b']);
  });

  it('forgets an owner without touching its objects', async () => {
    const { cluster, applier, scope } = await setUp('full');
    await applier.apply(configs, { values: { a: '1' } }, scope);
    cluster.takeCalls();
    applier.forget('owner-1');
    expect(cluster.takeCalls()).toEqual([]);
    await applier.apply(configs, { values: { a: '1' } }, scope);
    expect(cluster.takeCalls()).toEqual(['APPLY configmaps/ns/a']);
  });
});

describe('isCovered', () => {
  it.each<[unknown, unknown, boolean]>([
    [{ a: 1 }, { a: 1, b: 2 }, true],
    [{ a: 1 }, { a: 2 }, false],
    [{ a: { b: 'x' } }, { a: {} }, false],
    [{ a: {}, b: [], c: undefined }, {}, true],
    [{ a: [1, { b: 1 }] }, { a: [1, { b: 1, c: 2 }] }, true],
    [{ a: [1] }, { a: [1, 2] }, false],
    [{ a: [1, 2] }, { a: [2, 1] }, false],
    [{ a: false }, {}, false],
    [{ a: '' }, {}, false],
    [{ constructor: 'x' }, {}, false],
    [{ a: { b: 1 } }, { a: null }, false],
  ])('%j in %j: %s', (desired, live, expected) => {
    expect(isCovered(desired, live)).toBe(expected);
  });
});
