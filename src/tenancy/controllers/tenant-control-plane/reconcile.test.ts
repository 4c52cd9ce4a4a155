import { describe, expect, it } from 'vitest';
import { failure } from '../../../../test/env/memory-cluster.ts';
import { tenantFixture, tenantInputFixture } from '../../../../test/env/tenant.ts';
import type { ObjectMeta } from '../../../apimachinery/object.ts';
import { FakeClock } from '../../../base/fake-clock.ts';
import { ConnectionError } from '../../../kubeclient/api-error.ts';
import { TerminalError } from '../../../reconcile/terminal-error.ts';
import type { TenantControlPlaneStatus } from '../../api/tenant-control-plane-status.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';
import { DataStoreError } from '../../provisioning/datastore/data-store-error.ts';
import { ANNOTATION_PAUSED, FINALIZER } from '../../provisioning/names.ts';
import { ProvisioningError } from '../../provisioning/provisioning-error.ts';
import { DataStoreRegistry } from '../data-store/registry.ts';
import { TenantHandoffs } from '../tenant-cluster/handoff.ts';
import { TenantReports } from '../tenant-cluster/reports.ts';
import type { ConditionStep, LiveDeployment } from './facts.ts';
import { createTenantReconciler, Waiting, type Pass } from './reconcile.ts';

const KEY = 'team-a/t1';
const STEPS: readonly ConditionStep[] = ['DataStoreReady', 'Exposed', 'CertificatesReady', 'ControlPlaneAvailable'];

/** A reconciler whose steps are told what to do, over one tenant that is its own cache. */
class Fixture {
  readonly clock = new FakeClock();
  readonly dataStores = new DataStoreRegistry();
  readonly reports = new TenantReports();
  readonly handoffs = new TenantHandoffs();
  /** What happened, in order. */
  readonly log: string[] = [];
  readonly doing: Partial<Record<ConditionStep | 'remove' | 'addFinalizer' | 'removeFinalizer', (pass: Pass) => void>> =
    {};
  dataStoreExists = true;
  tenant: TenantControlPlane | undefined;
  deployment: LiveDeployment | undefined;
  readonly #abort = new AbortController();

  constructor(metadata: Partial<ObjectMeta> = {}) {
    const tenant = tenantFixture({ dataStore: 'default' });
    this.tenant = { ...tenant, metadata: { ...tenant.metadata, ...metadata } };
    this.dataStores.set('default', { healthy: true, reason: 'Healthy', message: '', use: undefined });
  }

  readonly #reconcile = createTenantReconciler({
    tenants: { get: () => this.tenant } as never,
    dataStores: this.dataStores,
    dataStoreExists: () => this.dataStoreExists,
    reports: this.reports,
    handoffs: this.handoffs,
    clock: this.clock,
    liveDeployment: () => this.deployment,
    findPodTrouble: () => Promise.resolve(undefined),
    provisioner: {
      steps: STEPS.map((step) => [step, async (pass: Pass) => this.#do(step, pass)] as const),
      remove: async () => this.#do('remove'),
      forget: () => undefined,
    },
    addFinalizer: async (tenant, finalizer) => {
      await this.#do('addFinalizer');
      this.tenant = { ...tenant, metadata: { ...tenant.metadata, finalizers: [finalizer] } };
      return this.tenant;
    },
    removeFinalizer: async () => {
      await this.#do('removeFinalizer');
      this.tenant = undefined;
    },
    commitStatus: async (_tenant, next) => {
      if (this.tenant === undefined) return;
      this.log.push('status');
      this.tenant = { ...this.tenant, status: next(this.tenant) };
    },
  });

  async #do(what: keyof Fixture['doing'], pass?: Pass): Promise<void> {
    this.log.push(what);
    await Promise.resolve();
    this.doing[what]?.(pass as Pass);
  }

  pass(signal = this.#abort.signal) {
    return this.#reconcile(KEY, signal);
  }

  /** What the pass threw. */
  async failing(): Promise<unknown> {
    try {
      await this.pass();
    } catch (error) {
      return error;
    }
    throw new Error('the pass did not fail');
  }

  takeLog(): string {
    return this.log.splice(0).join(' ');
  }

  get status(): TenantControlPlaneStatus | undefined {
    return this.tenant?.status;
  }

  condition(type: string): string {
    const found = this.status?.conditions?.find((one) => one.type === type);
    return found === undefined ? 'none' : `${found.status} ${found.reason}: ${found.message}`;
  }
}

const throwing = (error: unknown) => (): never => {
  throw error;
};
const deleting = { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: [FINALIZER] };

describe('a pass over a tenant', () => {
  it('puts the finalizer first, then goes step by step, and writes the status once', async () => {
    const fixture = new Fixture();
    expect(await fixture.pass()).toEqual({ requeueAfterMs: 600_000 });
    expect(fixture.takeLog()).toBe(
      'addFinalizer DataStoreReady Exposed CertificatesReady ControlPlaneAvailable status',
    );
    expect(fixture.tenant?.metadata.finalizers).toEqual([FINALIZER]);
    await fixture.pass();
    expect(fixture.takeLog()).toBe('DataStoreReady Exposed CertificatesReady ControlPlaneAvailable status');
  });

  it('stops at the step that has to wait and comes again when that said', async () => {
    const fixture = new Fixture({ finalizers: [FINALIZER] });
    fixture.doing.Exposed = throwing(new Waiting('Exposed', 'NoAddress', 'the Service has no address', 7_000));
    expect(await fixture.pass()).toEqual({ requeueAfterMs: 7_000 });
    expect(fixture.takeLog()).toBe('DataStoreReady Exposed status');
    expect(fixture.condition('Ready')).toBe('False NoAddress: the Service has no address');
    expect(fixture.status?.observedGeneration).toBeUndefined();
    delete fixture.doing.Exposed;
    await fixture.pass();
    expect(fixture.condition('Exposed')).toMatch(/^True/);
  });

  it('is not repeated in short for what a watch will tell of', async () => {
    const fixture = new Fixture({ finalizers: [FINALIZER] });
    fixture.doing.Exposed = throwing(new Waiting('Exposed', 'WaitingForLoadBalancer', 'no address yet'));
    expect((await fixture.pass()).requeueAfterMs).toBe(600_000);
  });

  it('comes in time to renew certificates, but not at once again', async () => {
    const fixture = new Fixture();
    const due = (inMs: number) => (pass: Pass) => void (pass.nextRenewal = new Date(fixture.clock.now() + inMs));
    fixture.doing.CertificatesReady = due(90_000);
    expect((await fixture.pass()).requeueAfterMs).toBe(90_000);
    fixture.doing.CertificatesReady = due(86_400_000);
    expect((await fixture.pass()).requeueAfterMs).toBe(600_000);
    fixture.doing.CertificatesReady = due(-5);
    expect((await fixture.pass()).requeueAfterMs).toBe(1_000);
  });

  it('hands what it knows to the tenant-cluster controller, without a private key', async () => {
    const fixture = new Fixture();
    const heard: string[] = [];
    fixture.handoffs.onChange((key) => heard.push(key));
    const input = { ...tenantInputFixture(), tenant: fixture.tenant as TenantControlPlane };
    fixture.doing.CertificatesReady = (pass) => void (pass.input = input);
    await fixture.pass();
    const uid = fixture.tenant?.metadata.uid ?? '';
    expect(fixture.handoffs.get(uid)?.available).toBe(false);
    expect(JSON.stringify(fixture.handoffs.get(uid))).toContain('ca certificate');
    expect(JSON.stringify(fixture.handoffs.get(uid))).not.toMatch(/ key"/);
    await fixture.pass();
    expect(heard).toEqual([KEY]);
    fixture.deployment = {
      metadata: { name: 't1' },
      status: { availableReplicas: 1 },
      spec: { template: { spec: { containers: [] } } },
    } as never;
    await fixture.pass();
    expect(fixture.handoffs.get(uid)?.available).toBe(true);
    expect(heard).toEqual([KEY, KEY]);
  });

  it('leaves alone what is paused, deleted or gone', async () => {
    for (const metadata of [
      { annotations: { [ANNOTATION_PAUSED]: '' } },
      { annotations: { [ANNOTATION_PAUSED]: 'false' }, ...deleting },
      { ...deleting, finalizers: ['example.org/other'] },
    ]) {
      const fixture = new Fixture(metadata);
      expect(await fixture.pass()).toEqual({});
      expect(fixture.takeLog()).toBe('');
    }
    const gone = new Fixture();
    gone.tenant = undefined;
    expect(await gone.pass()).toEqual({});
  });
});

describe('the DataStore of a tenant', () => {
  it('that nobody has looked at yet is no reason to write anything', async () => {
    const fixture = new Fixture();
    fixture.dataStores.delete('default');
    expect(await fixture.pass()).toEqual({ requeueAfterMs: 2_000 });
    expect(fixture.takeLog()).toBe('');
  });

  it('that does not exist is for its step to tell', async () => {
    const fixture = new Fixture();
    fixture.dataStores.delete('default');
    fixture.dataStoreExists = false;
    fixture.doing.DataStoreReady = throwing(
      new Waiting('DataStoreReady', 'DataStoreNotFound', 'there is none', 10_000),
    );
    expect(await fixture.pass()).toEqual({ requeueAfterMs: 10_000 });
    expect(fixture.condition('Ready')).toBe('False DataStoreNotFound: there is none');
  });
});

describe('an error in a step', () => {
  const rows: readonly [string, unknown, string][] = [
    [
      'of the DataStore',
      new DataStoreError('PermissionDenied', 'etcd does not let us'),
      'PermissionDenied: etcd does not let us',
    ],
    [
      'of a description',
      new ProvisioningError('ForeignSecret', 'Secret t1-ca is in the way'),
      'ForeignSecret: Secret t1-ca is in the way',
    ],
    ['of the API', failure(403, 'Forbidden', 'quota exceeded'), 'Forbidden: the admin cluster refused: quota exceeded'],
    ['of the API without a reason', failure(500, '', 'oops'), 'ApiError: the admin cluster refused: oops'],
    [
      'of the network',
      new ConnectionError('PUT https://a: refused', 'ECONNREFUSED'),
      'Failed: will be tried again: PUT https://a: refused',
    ],
    ['of ours', new TypeError('x is undefined'), 'Failed: will be tried again: x is undefined'],
    ['that is none', 'odd', 'Failed: will be tried again: odd'],
  ];
  it.each(rows)('%s becomes the status and goes to the backoff', async (_what, error, text) => {
    const fixture = new Fixture();
    fixture.doing.CertificatesReady = throwing(error);
    expect(await fixture.failing()).toBe(error);
    expect(fixture.condition('CertificatesReady')).toBe(`False ${text}`);
    expect(fixture.condition('Ready')).toBe(`False ${text}`);
    expect(fixture.condition('Exposed')).toMatch(/^True/);
    delete fixture.doing.CertificatesReady;
    await fixture.pass();
    expect(fixture.condition('CertificatesReady')).toMatch(/^True/);
  });

  it('brings no credential and no flood into the status', async () => {
    const fixture = new Fixture();
    const key = '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----';
    fixture.doing.CertificatesReady = throwing(new Error(`cannot parse ${key} ${'x'.repeat(50_000)}`));
    await fixture.failing();
    const text = JSON.stringify(fixture.status);
    expect(text).not.toContain('MIGHAgEAMBMGByqGSM49');
    expect(text.length).toBeLessThan(10_000);
    fixture.doing.CertificatesReady = throwing(
      failure(422, 'Invalid', `data: Invalid value: "${Buffer.from(key).toString('base64')}"`),
    );
    await fixture.failing();
    expect(JSON.stringify(fixture.status)).not.toContain('LS0tLS1CRUdJTiBQUklW');
  });

  it('that only somebody else can end says so and is looked at again', async () => {
    const fixture = new Fixture();
    fixture.doing.Exposed = throwing(
      new TerminalError('ObjectOwnedByAnother', 'Service team-a/t1 belongs to Application x'),
    );
    expect((await fixture.pass()).requeueAfterMs).toBe(30_000);
    expect(fixture.condition('Ready')).toBe('False ObjectOwnedByAnother: Service team-a/t1 belongs to Application x');
  });

  it('that is a lost race is tried again without a word', async () => {
    const fixture = new Fixture();
    const conflict = failure(409, 'Conflict', 'the object has been modified');
    fixture.doing.addFinalizer = throwing(conflict);
    expect(await fixture.failing()).toBe(conflict);
    expect(fixture.takeLog()).toBe('addFinalizer');
  });

  it('that comes of stopping is not told', async () => {
    const fixture = new Fixture();
    const abort = new AbortController();
    fixture.doing.Exposed = () => {
      abort.abort();
      throw abort.signal.reason;
    };
    await expect(fixture.pass(abort.signal)).rejects.toThrow('aborted');
    expect(fixture.takeLog()).toBe('addFinalizer DataStoreReady Exposed');
  });
});

describe('the end of a tenant', () => {
  it('is: everything removed, then the finalizer', async () => {
    const fixture = new Fixture(deleting);
    const uid = fixture.tenant?.metadata.uid ?? '';
    fixture.reports.set(uid, KEY, { configured: true, reason: '', message: '', generation: 1, checksum: '' });
    expect(await fixture.pass()).toEqual({});
    expect(fixture.takeLog()).toBe('remove removeFinalizer');
    expect(fixture.reports.get(uid)).toBeUndefined();
  });

  it('waits with a word, keeps the rest of the status, and goes on by itself', async () => {
    const fixture = new Fixture();
    await fixture.pass();
    const before = fixture.status;
    fixture.tenant = {
      ...(fixture.tenant as TenantControlPlane),
      metadata: { ...fixture.tenant?.metadata, ...deleting, generation: 2 },
    };
    fixture.takeLog();
    fixture.doing.remove = throwing(new Waiting('DataStoreReady', 'Unreachable', 'etcd does not answer', 5_000));
    expect(await fixture.pass()).toEqual({ requeueAfterMs: 5_000 });
    expect(fixture.takeLog()).toBe('remove status');
    expect(fixture.condition('Ready')).toBe('False Unreachable: cannot be deleted yet: etcd does not answer');
    expect(fixture.status).toEqual({ ...before, conditions: expect.anything() });
    const stuck = fixture.status;
    await fixture.clock.advance(5_000);
    await fixture.pass();
    expect(fixture.status).toEqual(stuck);
    fixture.takeLog();
    delete fixture.doing.remove;
    await fixture.pass();
    expect(fixture.takeLog()).toBe('remove removeFinalizer');
  });

  it('fails with a word, and the finalizer stays', async () => {
    const fixture = new Fixture(deleting);
    const error = new DataStoreError('Unreachable', 'etcd:2379 refused');
    fixture.doing.remove = throwing(error);
    expect(await fixture.failing()).toBe(error);
    expect(fixture.takeLog()).toBe('remove status');
    expect(fixture.condition('Ready')).toBe('False Unreachable: cannot be deleted yet: etcd:2379 refused');
    expect(fixture.tenant?.metadata.finalizers).toEqual([FINALIZER]);
  });

  it('is tried again when the finalizer could not be taken away', async () => {
    const fixture = new Fixture(deleting);
    fixture.doing.removeFinalizer = throwing(failure(409, 'Conflict', 'modified'));
    await fixture.failing();
    delete fixture.doing.removeFinalizer;
    await fixture.pass();
    expect(fixture.takeLog()).toBe('remove removeFinalizer remove removeFinalizer');
  });

  it('needs no DataStore that anybody knows: that is for the removal to judge', async () => {
    const fixture = new Fixture(deleting);
    fixture.dataStores.delete('default');
    expect(await fixture.pass()).toEqual({});
    expect(fixture.takeLog()).toBe('remove removeFinalizer');
  });
});
