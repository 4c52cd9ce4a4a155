import { beforeEach, describe, expect, it } from 'vitest';
import { failure } from '../../../../test/env/memory-cluster.ts';
import { tenantFixture, tenantInputFixture } from '../../../../test/env/tenant.ts';
import type { ObjectMeta } from '../../../apimachinery/object.ts';
import { FakeClock } from '../../../base/fake-clock.ts';
import { ConnectionError } from '../../../kubeclient/api-error.ts';
import type { KubeClient } from '../../../kubeclient/client.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';
import { ANNOTATION_PAUSED } from '../../provisioning/names.ts';
import { tenantClusterComponents } from '../../provisioning/tenant-cluster/all.ts';
import { TenantHandoffs } from './handoff.ts';
import { createTenantClusterReconciler, DRIFT_MS } from './reconcile.ts';
import { TenantReports } from './reports.ts';

const KEY = 'team-a/t1';
const ALL = tenantClusterComponents.map(({ name }) => name);

class Fixture {
  readonly clock = new FakeClock();
  readonly handoffs = new TenantHandoffs();
  readonly reports = new TenantReports();
  readonly applied: string[] = [];
  /** Keys for which listeners of the reports were called. */
  readonly heard: string[] = [];
  tenant: TenantControlPlane | undefined = tenantFixture();
  client: KubeClient | undefined = {} as KubeClient;
  failing: { component: string; error: unknown } | undefined;

  constructor() {
    this.reports.onChange((key) => this.heard.push(key));
  }

  readonly #reconcile = createTenantClusterReconciler({
    tenants: { get: () => this.tenant } as never,
    handoffs: this.handoffs,
    reports: this.reports,
    clock: this.clock,
    clientFor: () => Promise.resolve(this.client),
    apply: async (_client, component) => {
      await Promise.resolve();
      if (this.failing?.component === component.name) throw this.failing.error;
      this.applied.push(component.name);
    },
  });

  get uid(): string {
    return this.tenant?.metadata.uid ?? '';
  }

  offer(spec: object = {}, available = true): void {
    this.tenant = { ...tenantFixture(spec), metadata: { ...this.tenant?.metadata } };
    this.handoffs.offer(this.uid, KEY, { ...tenantInputFixture(), tenant: this.tenant }, available);
  }

  pass(signal = new AbortController().signal) {
    return this.#reconcile(KEY, signal);
  }

  takeApplied(): readonly string[] {
    return this.applied.splice(0);
  }
}

let fixture: Fixture;
beforeEach(() => {
  fixture = new Fixture();
});

describe('what goes into a tenant', () => {
  it('is applied in order as soon as the control plane is available, and reported', async () => {
    fixture.offer({}, false);
    expect(await fixture.pass()).toEqual({});
    expect(fixture.takeApplied()).toEqual([]);
    fixture.offer({}, true);
    expect(await fixture.pass()).toEqual({ requeueAfterMs: DRIFT_MS });
    expect(fixture.takeApplied()).toEqual(ALL);
    expect(fixture.reports.get(fixture.uid)).toMatchObject({ configured: true, generation: 1 });
    expect(fixture.heard).toEqual([KEY]);
  });

  it('is applied again when it changes, and every few minutes', async () => {
    fixture.offer();
    await fixture.pass();
    fixture.takeApplied();
    await fixture.clock.advance(60_000);
    expect(await fixture.pass()).toEqual({ requeueAfterMs: DRIFT_MS - 60_000 });
    // Nothing of this goes into the tenant's cluster.
    fixture.offer({ controlPlane: { deployment: { replicas: 3 } } });
    await fixture.pass();
    expect(fixture.takeApplied()).toEqual([]);
    fixture.offer({ addons: { coreDNS: {} } });
    await fixture.pass();
    expect(fixture.takeApplied()).toEqual(ALL);
    await fixture.clock.advance(DRIFT_MS);
    expect(await fixture.pass()).toEqual({ requeueAfterMs: DRIFT_MS });
    expect(fixture.takeApplied()).toEqual(ALL);
    expect(fixture.heard).toEqual([KEY, KEY]);
  });

  it('stays away from tenants that are gone, going, paused, unknown or without a CA', async () => {
    fixture.offer();
    const tenant = fixture.tenant as TenantControlPlane;
    const withMetadata = (metadata: Partial<ObjectMeta>): TenantControlPlane => ({
      ...tenant,
      metadata: { ...tenant.metadata, ...metadata },
    });
    for (const one of [
      undefined,
      withMetadata({ deletionTimestamp: '2026-01-01T00:00:00Z' }),
      withMetadata({ annotations: { [ANNOTATION_PAUSED]: '' } }),
      withMetadata({ uid: 'another' }),
    ]) {
      fixture.tenant = one;
      expect(await fixture.pass()).toEqual({});
    }
    fixture.tenant = tenant;
    fixture.client = undefined;
    expect(await fixture.pass()).toEqual({ requeueAfterMs: 1_000 });
    expect(fixture.takeApplied()).toEqual([]);
    expect(fixture.heard).toEqual([]);
  });

  it('is put into a tenant made anew under the same name, too', async () => {
    fixture.offer();
    await fixture.pass();
    fixture.takeApplied();
    const { tenant } = fixture;
    fixture.tenant = { ...tenantFixture(), metadata: { ...tenant?.metadata, uid: 'second' } };
    fixture.offer();
    await fixture.pass();
    expect(fixture.takeApplied()).toEqual(ALL);
    expect(fixture.reports.get('second')?.configured).toBe(true);
  });
});

describe('a failure in a tenant', () => {
  const rows: readonly [unknown, string, RegExp][] = [
    [new ConnectionError('connect ECONNREFUSED', 'ECONNREFUSED'), 'TenantUnreachable', /does not answer yet: connect/],
    [failure(403, 'Forbidden', 'not yet'), 'TenantRefused', /refused: not yet/],
    [new Error('odd'), 'Failed', /odd/],
    ['odd', 'Failed', /odd/],
  ];
  it.each(rows)('is reported before the first success: %s', async (error, reason, message) => {
    fixture.offer();
    fixture.failing = { component: ALL[1] ?? '', error };
    await expect(fixture.pass()).rejects.toBe(error);
    expect(fixture.takeApplied()).toEqual(ALL.slice(0, 1));
    expect(fixture.reports.get(fixture.uid)).toMatchObject({ configured: false, reason });
    expect(fixture.reports.get(fixture.uid)?.message).toMatch(message);
    await expect(fixture.pass()).rejects.toBe(error);
    expect(fixture.heard).toEqual([KEY]);
    fixture.failing = undefined;
    await fixture.pass();
    expect(fixture.reports.get(fixture.uid)?.configured).toBe(true);
  });

  it('is tried again without a report when all was in place before', async () => {
    fixture.offer();
    await fixture.pass();
    await fixture.clock.advance(DRIFT_MS);
    fixture.failing = { component: ALL[0] ?? '', error: new ConnectionError('reset', 'ECONNRESET') };
    await expect(fixture.pass()).rejects.toThrow('reset');
    expect(fixture.reports.get(fixture.uid)?.configured).toBe(true);
    expect(fixture.heard).toEqual([KEY]);
    fixture.failing = undefined;
    expect(await fixture.pass()).toEqual({ requeueAfterMs: DRIFT_MS });
  });

  it('that comes of stopping is not told', async () => {
    fixture.offer();
    const abort = new AbortController();
    fixture.failing = { component: ALL[0] ?? '', error: new Error('aborted') };
    abort.abort();
    await expect(fixture.pass(abort.signal)).rejects.toThrow('aborted');
    expect(fixture.reports.get(fixture.uid)).toBeUndefined();
  });

  it('brings no credential into the report', async () => {
    fixture.offer();
    const error = new Error(
      `bad: -----BEGIN EC PRIVATE KEY-----\nc2VjcmV0\n-----END EC PRIVATE KEY----- ${'x'.repeat(9_000)}`,
    );
    fixture.failing = { component: ALL[0] ?? '', error };
    await expect(fixture.pass()).rejects.toBe(error);
    const message = fixture.reports.get(fixture.uid)?.message ?? '';
    expect(message).not.toContain('c2VjcmV0');
    expect(message.length).toBeLessThan(2_000);
  });

  it('in a tenant that was deleted meanwhile leaves no report behind', async () => {
    fixture.offer();
    const { uid } = fixture;
    fixture.failing = {
      component: ALL[0] ?? '',
      get error() {
        fixture.tenant = undefined;
        return new Error('gone');
      },
    };
    await expect(fixture.pass()).rejects.toThrow('gone');
    expect(fixture.reports.get(uid)).toBeUndefined();
  });
});

describe('handoffs', () => {
  it('are news when something changes that the tenant-cluster controller could see', () => {
    const heard: string[] = [];
    fixture.handoffs.onChange((key) => heard.push(key));
    fixture.offer();
    fixture.offer();
    expect(heard).toHaveLength(1);
    fixture.offer({}, false);
    fixture.offer({}, true);
    expect(heard).toHaveLength(3);
    fixture.offer({ addons: { kubeProxy: {} } });
    expect(heard).toHaveLength(4);
    fixture.handoffs.delete(fixture.uid);
    expect(fixture.handoffs.get(fixture.uid)).toBeUndefined();
    fixture.offer({ addons: { kubeProxy: {} } });
    expect(heard).toHaveLength(5);
  });
});
