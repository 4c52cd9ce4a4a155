import { beforeEach, describe, expect, it } from 'vitest';
import { dataStoreObject, tenantObject } from '../../../../test/env/api-objects.ts';
import { FakeDriver } from '../../../../test/env/fake-data-store.ts';
import { failure } from '../../../../test/env/memory-cluster.ts';
import { FakeClock } from '../../../base/fake-clock.ts';
import { ConnectionError } from '../../../kubeclient/api-error.ts';
import type { DataStore } from '../../api/data-store.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';
import { DataStoreError } from '../../provisioning/datastore/data-store-error.ts';
import { ANNOTATION_PAUSED } from '../../provisioning/names.ts';
import { createDataStoreReconciler } from './reconcile.ts';
import { DataStoreRegistry } from './registry.ts';

class Fixture {
  readonly clock = new FakeClock();
  readonly registry = new DataStoreRegistry();
  readonly driver = new FakeDriver();
  readonly forgotten: string[] = [];
  /** Names of which the registry told. */
  readonly told: string[] = [];
  writes = 0;
  dataStore: DataStore | undefined = {
    ...(dataStoreObject('default') as DataStore),
    metadata: { name: 'default', generation: 3 },
  };
  tenants: readonly TenantControlPlane[] = [];
  resolveError: unknown;

  constructor() {
    this.registry.onChange((name) => this.told.push(name));
  }

  readonly #reconcile = createDataStoreReconciler({
    dataStores: { get: () => this.dataStore } as never,
    tenants: { list: () => this.tenants } as never,
    registry: this.registry,
    clock: this.clock,
    resolve: async (dataStore) => {
      await Promise.resolve();
      if (this.resolveError !== undefined) throw this.resolveError;
      return { dataStoreName: dataStore.metadata.name ?? '', driver: 'etcd', endpoints: dataStore.spec.endpoints };
    },
    open: () => this.driver,
    forget: (name) => void this.forgotten.push(name),
    commitStatus: async (dataStore, next) => {
      await Promise.resolve();
      const status = next(this.dataStore ?? dataStore);
      if (JSON.stringify(this.dataStore?.status) === JSON.stringify(status)) return;
      this.writes++;
      if (this.dataStore !== undefined) this.dataStore = { ...this.dataStore, status };
    },
  });

  pass(signal = new AbortController().signal) {
    return this.#reconcile('default', signal);
  }

  condition(type: string): string {
    const found = this.dataStore?.status?.conditions?.find((one) => one.type === type);
    return found === undefined ? 'none' : `${found.status} ${found.reason}: ${found.message}`;
  }

  since(type: string): string | undefined {
    return this.dataStore?.status?.conditions?.find((one) => one.type === type)?.lastTransitionTime;
  }
}

let fixture: Fixture;
beforeEach(() => {
  fixture = new Fixture();
});

const user = (name: string, spec: object = {}): TenantControlPlane => tenantObject(name, spec) as TenantControlPlane;

describe('a DataStore', () => {
  it('that answers is ready, and asked again after a minute', async () => {
    expect(await fixture.pass()).toEqual({ requeueAfterMs: 60_000 });
    expect(fixture.condition('Ready')).toBe('True Healthy: etcd answers');
    expect(fixture.dataStore?.status).toMatchObject({ ready: true, observedGeneration: 3, usedBy: [] });
    expect(fixture.registry.get('default')).toMatchObject({ healthy: true, use: { driver: fixture.driver } });
    expect(fixture.told).toEqual(['default']);
  });

  it('is written and told of once while nothing changes', async () => {
    await fixture.pass();
    await fixture.clock.advance(60_000);
    await fixture.pass();
    expect(fixture.driver.calls).toEqual(['check', 'check']);
    expect(fixture.writes).toBe(1);
    expect(fixture.told).toHaveLength(1);
  });

  it('turns with what the store says, and back', async () => {
    await fixture.pass();
    const began = fixture.since('Ready');
    fixture.driver.health = { healthy: false, reason: 'OutOfSpace', message: 'etcd is full' };
    await fixture.clock.advance(60_000);
    expect(await fixture.pass()).toEqual({ requeueAfterMs: 5_000 });
    expect(fixture.condition('Ready')).toBe('False OutOfSpace: etcd is full');
    expect(fixture.since('Ready')).not.toBe(began);
    // It can still be used for what does not need it to be well.
    expect(fixture.registry.get('default')).toMatchObject({ healthy: false, use: { driver: fixture.driver } });
    fixture.driver.health = { healthy: true, reason: 'Healthy', message: 'etcd answers' };
    expect(await fixture.pass()).toEqual({ requeueAfterMs: 60_000 });
    expect(fixture.condition('Ready')).toMatch(/^True/);
    expect(fixture.told).toHaveLength(3);
  });

  it('whose configuration is wrong is not ready and cannot be used', async () => {
    await fixture.pass();
    fixture.resolveError = new DataStoreError('SecretNotFound', 'spec.tlsConfig: there is no Secret a/b');
    expect(await fixture.pass()).toEqual({ requeueAfterMs: 5_000 });
    expect(fixture.condition('Ready')).toBe('False SecretNotFound: spec.tlsConfig: there is no Secret a/b');
    expect(fixture.registry.get('default')).toMatchObject({ healthy: false, use: undefined });
    expect(fixture.told).toHaveLength(2);
  });

  it.each([
    failure(403, 'Forbidden', 'secrets "etcd" is forbidden'),
    new ConnectionError('connect ECONNREFUSED', 'ECONNREFUSED'),
  ])('whose Secrets cannot be read says so: %s', async (error) => {
    fixture.resolveError = error;
    expect(await fixture.pass()).toEqual({ requeueAfterMs: 5_000 });
    expect(fixture.condition('Ready')).toBe(`False SecretUnreadable: ${error.message}`);
    expect(fixture.registry.get('default')).toMatchObject({ healthy: false, use: undefined });
    fixture.resolveError = undefined;
    await fixture.pass();
    expect(fixture.condition('Ready')).toMatch(/^True/);
  });

  it('stays what it was while its Secrets cannot be read for a moment', async () => {
    await fixture.pass();
    fixture.resolveError = new ConnectionError('connect ECONNREFUSED', 'ECONNREFUSED');
    await expect(fixture.pass()).rejects.toThrow('ECONNREFUSED');
    expect(fixture.registry.get('default')?.healthy).toBe(true);
    expect(fixture.condition('Ready')).toMatch(/^True/);
    expect(fixture.told).toHaveLength(1);
  });

  it('is not judged by what comes of stopping', async () => {
    const abort = new AbortController();
    abort.abort();
    fixture.driver.failure = new Error('aborted');
    await expect(fixture.pass(abort.signal)).rejects.toThrow('aborted');
    expect(fixture.writes).toBe(0);
    expect(fixture.told).toEqual([]);
  });

  it('that is gone is forgotten, with its connection', async () => {
    await fixture.pass();
    fixture.dataStore = undefined;
    expect(await fixture.pass()).toEqual({});
    expect(fixture.registry.get('default')).toBeUndefined();
    expect(fixture.forgotten).toEqual(['default']);
    expect(fixture.told).toHaveLength(2);
    await fixture.pass();
    expect(fixture.told).toHaveLength(2);
  });

  it('that is paused serves its tenants, but its status is not written', async () => {
    fixture.dataStore = {
      ...(fixture.dataStore as DataStore),
      metadata: { name: 'default', annotations: { [ANNOTATION_PAUSED]: '' } },
    };
    await fixture.pass();
    expect(fixture.writes).toBe(0);
    expect(fixture.registry.get('default')?.healthy).toBe(true);
  });
});

describe('the users of a DataStore', () => {
  it('are listed in order and stand in the way of its deletion', async () => {
    fixture.tenants = [user('b'), user('a'), user('c', { dataStore: 'other' })];
    await fixture.pass();
    expect(fixture.dataStore?.status?.usedBy).toEqual(['default/a', 'default/b']);
    expect(fixture.condition('DeletionAllowed')).toBe('False InUse: 2 tenant control planes use it');
    fixture.tenants = [user('c', { dataStore: 'other' })];
    await fixture.pass();
    expect(fixture.dataStore?.status?.usedBy).toEqual([]);
    expect(fixture.condition('DeletionAllowed')).toBe('True Unused: no tenant uses it');
  });

  it('are those with a part of their objects in it and those on their way out, too', async () => {
    fixture.tenants = [
      user('parts', { dataStore: 'other', dataStoreOverrides: [{ resource: '/events', dataStore: 'default' }] }),
      {
        ...user('moved', { dataStore: 'other' }),
        status: { storage: { dataStoreName: 'default' } },
      },
      {
        ...user('going'),
        metadata: { name: 'going', namespace: 'default', deletionTimestamp: '2026-01-01T00:00:00Z' },
      },
    ];
    await fixture.pass();
    expect(fixture.dataStore?.status?.usedBy).toEqual(['default/going', 'default/moved', 'default/parts']);
  });
});

describe('the registry', () => {
  it('tells of differences that tenants would see, to all who listen', () => {
    const registry = new DataStoreRegistry();
    const heard: string[] = [];
    registry.onChange((name) => heard.push(`first ${name}`));
    registry.onChange((name) => heard.push(`second ${name}`));
    const { driver } = fixture;
    const connection = { dataStoreName: 'a', driver: 'etcd', endpoints: [] } as const;
    const verdict = { healthy: true, reason: 'Healthy', message: 'm', use: { connection, driver } };
    const steps: readonly [string, object, boolean][] = [
      ['new', verdict, true],
      ['the same', { ...verdict }, false],
      ['the same by another connection object', { ...verdict, use: { connection: { ...connection }, driver } }, false],
      ['message', { ...verdict, message: 'other' }, true],
      ['reason', { ...verdict, message: 'other', reason: 'Other' }, true],
      ['health', { ...verdict, message: 'other', reason: 'Other', healthy: false }, true],
      ['no use', { ...verdict, message: 'other', reason: 'Other', healthy: false, use: undefined }, true],
      ['driver', { ...verdict, use: { connection, driver: new FakeDriver() } }, true],
    ];
    for (const [what, next, news] of steps) {
      registry.set('a', next as typeof verdict);
      expect(heard.splice(0), what).toEqual(news ? ['first a', 'second a'] : []);
    }
    registry.delete('b');
    expect(heard).toEqual([]);
    registry.delete('a');
    expect(heard).toHaveLength(2);
  });
});
