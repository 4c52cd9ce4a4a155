import { describe, expect, it } from 'vitest';
import { MemoryCluster, failure } from '../../test/env/memory-cluster.ts';
import type { KubeObject } from '../apimachinery/object.ts';
import type { Resource } from '../kubeclient/client.ts';
import { TENANT_CONTROL_PLANES } from '../kubeclient/resources.ts';
import { commitStatus } from './committer.ts';

interface Counted {
  readonly count?: number;
  readonly phase?: { readonly a: number; readonly b: number };
}
type Thing = KubeObject & { readonly status?: Counted };
const THINGS = TENANT_CONTROL_PLANES as Resource<Thing>;
const { signal } = new AbortController();

function setUp(status?: Counted): { cluster: MemoryCluster; object: Thing } {
  const cluster = new MemoryCluster();
  const object = cluster.put(THINGS, {
    apiVersion: 'kamaji.io/v1alpha1',
    kind: 'TenantControlPlane',
    metadata: { namespace: 'ns', name: 'a' },
    ...(status ? { status } : {}),
  });
  return { cluster, object };
}

describe('commitStatus', () => {
  it('writes once when the status differs, and not at all when only the order of keys does', async () => {
    const { cluster, object } = setUp({ phase: { a: 1, b: 2 } });
    const same = await commitStatus({
      client: cluster,
      resource: THINGS,
      object,
      next: () => ({ phase: { b: 2, a: 1 } }),
      signal,
    });
    expect(same).toBe(object);
    expect(cluster.takeCalls()).toEqual([]);
    const written = await commitStatus({
      client: cluster,
      resource: THINGS,
      object,
      next: () => ({ count: 1 }),
      signal,
    });
    expect(written?.status).toEqual({ count: 1 });
    expect(cluster.takeCalls()).toEqual(['PUT tenantcontrolplanes/ns/a:status']);
  });

  it('computes again from what somebody else wrote', async () => {
    const { cluster, object } = setUp({ count: 1 });
    cluster.put(THINGS, { ...object, status: { count: 5 } });
    const next = (current: Thing): Counted => ({ count: (current.status?.count ?? 0) + 1 });
    const written = await commitStatus({ client: cluster, resource: THINGS, object, next, signal });
    expect(written?.status).toEqual({ count: 6 });
    expect(cluster.takeCalls()).toEqual([
      'PUT tenantcontrolplanes/ns/a:status',
      'GET tenantcontrolplanes/ns/a',
      'PUT tenantcontrolplanes/ns/a:status',
    ]);
  });

  it('does not write when a stale read only seemed to differ', async () => {
    const { cluster, object } = setUp({ count: 1 });
    cluster.put(THINGS, { ...object, status: { count: 2 } });
    await commitStatus({ client: cluster, resource: THINGS, object, next: () => ({ count: 2 }), signal });
    expect(cluster.takeCalls()).toEqual(['PUT tenantcontrolplanes/ns/a:status', 'GET tenantcontrolplanes/ns/a']);
  });

  it('leaves an object of the same name that came after alone', async () => {
    const { cluster, object } = setUp();
    cluster.remove(THINGS, 'ns', 'a');
    expect(
      await commitStatus({ client: cluster, resource: THINGS, object, next: () => ({ count: 1 }), signal }),
    ).toBeUndefined();
    cluster.put(THINGS, { ...object, metadata: { namespace: 'ns', name: 'a' } });
    expect(
      await commitStatus({ client: cluster, resource: THINGS, object, next: () => ({ count: 1 }), signal }),
    ).toBeUndefined();
    expect(cluster.peek(THINGS, 'ns', 'a')?.status).toBeUndefined();
  });

  it('throws other failures, and conflicts without end', async () => {
    const { cluster, object } = setUp();
    const commit = () =>
      commitStatus({ client: cluster, resource: THINGS, object, next: () => ({ count: 1 }), signal });
    cluster.intercept = (call) => {
      if (call.startsWith('PUT')) throw failure(422, 'Invalid', 'bad');
    };
    await expect(commit()).rejects.toMatchObject({ code: 422 });
    cluster.intercept = (call) => {
      if (call.startsWith('PUT')) throw failure(409, 'Conflict', 'again');
    };
    await expect(commit()).rejects.toMatchObject({ code: 409 });
    expect(cluster.calls.length).toBeLessThan(20);
  });
});
