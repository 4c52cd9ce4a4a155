import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { dataStoreObject, tenantObject } from '../../../../test/env/api-objects.ts';
import { MemoryCluster } from '../../../../test/env/memory-cluster.ts';
import { StillCache } from '../../../../test/env/still-cache.ts';
import { FakeClock } from '../../../base/fake-clock.ts';
import { silentLogger } from '../../../base/log.ts';
import { createMetrics } from '../../../base/metrics.ts';
import type { KubeObject } from '../../../apimachinery/object.ts';
import { SECRETS } from '../../../kubeclient/resources.ts';
import type { DataStore } from '../../api/data-store.ts';
import { DATA_STORES, TENANT_CONTROL_PLANES } from '../../api/resources.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';
import { DataStorePool } from '../../provisioning/datastore/pool.ts';
import type { ControllerContext } from '../all.ts';
import { createDataStoreController } from './controller.ts';
import { DataStoreRegistry } from './registry.ts';

describe('the DataStore controller', () => {
  let clock: FakeClock;
  let admin: MemoryCluster;
  let kamaji: MemoryCluster;
  let registry: DataStoreRegistry;
  let stores: StillCache<DataStore>;
  let tenants: StillCache<TenantControlPlane>;
  let stop: AbortController;
  let running: Promise<void>;

  const catchUp = async (): Promise<void> => {
    await stores.catchUp();
    await tenants.catchUp();
    await clock.advance(0);
  };
  const status = () => kamaji.peek(DATA_STORES, '', 'default')?.status;
  const looks = () => admin.takeCalls().filter((call) => call === 'GET secrets/kamaji-system/etcd').length;

  beforeEach(async () => {
    clock = new FakeClock();
    admin = new MemoryCluster();
    kamaji = new MemoryCluster();
    registry = new DataStoreRegistry();
    stores = new StillCache(DATA_STORES, async () => (await kamaji.list(DATA_STORES, '')).items);
    tenants = new StillCache(TENANT_CONTROL_PLANES, async () => (await kamaji.list(TENANT_CONTROL_PLANES, '')).items);
    stop = new AbortController();
    const context = {
      adminClient: admin,
      kamajiClient: kamaji,
      dataStoreCache: stores,
      tenants,
      dataStores: registry,
      clock,
      log: silentLogger,
      metrics: createMetrics(),
    } satisfies Partial<ControllerContext> as unknown as ControllerContext;
    running = createDataStoreController(context).run(stop.signal);
    kamaji.put(DATA_STORES, dataStoreObject('default') as DataStore);
    await catchUp();
  });
  afterEach(async () => {
    stop.abort();
    await running;
  });

  it('looks at a DataStore when it comes and again by itself, and its own status is not news', async () => {
    expect(registry.get('default')?.reason).toBe('SecretNotFound');
    expect(status()).toMatchObject({ ready: false, usedBy: [] });
    expect(looks()).toBe(1);
    await catchUp();
    expect(looks()).toBe(0);
    await clock.advance(5_000);
    expect(looks()).toBe(1);
  });

  it('reads Secrets when they are there, and says what is wrong with them without what is in them', async () => {
    const data = Object.fromEntries(['ca.crt', 'ca.key', 'tls.crt', 'tls.key'].map((key) => [key, 'c2VjcmV0LXRoaW5n']));
    admin.put(SECRETS, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'etcd', namespace: 'kamaji-system' },
      data,
    } as KubeObject);
    await clock.advance(5_000);
    expect(registry.get('default')?.reason).toBe('CredentialInvalid');
    expect(JSON.stringify(status())).toContain('kamaji-system/etcd');
    expect(JSON.stringify(status())).not.toContain('secret-thing');
  });

  it('counts tenants that come at once as one change', async () => {
    await clock.advance(4_000);
    looks();
    for (let i = 0; i < 50; i++) kamaji.put(TENANT_CONTROL_PLANES, tenantObject(`t-${i}`) as TenantControlPlane);
    await catchUp();
    await clock.advance(990);
    expect(looks()).toBe(0);
    await clock.advance(500);
    expect(looks()).toBe(1);
    expect(status()?.usedBy).toHaveLength(50);
  });

  it('lets go of its connections when it ends', async () => {
    const close = vi.spyOn(DataStorePool.prototype, 'close');
    stop.abort();
    await running;
    expect(close).toHaveBeenCalledOnce();
    close.mockRestore();
  });

  it('forgets a DataStore that was deleted', async () => {
    kamaji.remove(DATA_STORES, '', 'default');
    await catchUp();
    expect(registry.get('default')).toBeUndefined();
    looks();
    await clock.advance(120_000);
    expect(looks()).toBe(0);
  });
});
