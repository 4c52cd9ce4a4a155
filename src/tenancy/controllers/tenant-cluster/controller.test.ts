import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryCluster } from '../../../../test/env/memory-cluster.ts';
import { StillCache } from '../../../../test/env/still-cache.ts';
import { tenantFixture, tenantInputFixture } from '../../../../test/env/tenant.ts';
import { FakeClock, settle } from '../../../base/fake-clock.ts';
import { silentLogger } from '../../../base/log.ts';
import { createMetrics } from '../../../base/metrics.ts';
import { ConnectionError } from '../../../kubeclient/api-error.ts';
import type { CallOptions, KubeClient } from '../../../kubeclient/client.ts';
import { CONFIG_MAPS } from '../../../kubeclient/resources.ts';
import { TENANT_CONTROL_PLANES } from '../../api/resources.ts';
import type { TenantControlPlane } from '../../api/tenant-control-plane.ts';
import type { ControllerContext } from '../all.ts';
import { createTenantClusterController } from './controller.ts';
import { TenantHandoffs } from './handoff.ts';
import { TenantReports } from './reports.ts';

/** Answers when asked whether it is there. */
class TenantMemory extends MemoryCluster {
  override request(): Promise<{ readonly status: number; readonly body: string }> {
    return Promise.resolve({ status: 200, body: 'ok' });
  }
}

/** A tenant whose API takes connections and says nothing. */
class HangingTenant extends MemoryCluster {
  readonly #clock: FakeClock;
  readonly #end: AbortSignal;

  constructor(clock: FakeClock, end: AbortSignal) {
    super();
    this.#clock = clock;
    this.#end = end;
    this.intercept = () => this.#hang();
  }

  override async request(
    _method?: string,
    _path?: string,
    options: CallOptions = {},
  ): Promise<{ readonly status: number; readonly body: string }> {
    await this.#hang(options.timeoutMs);
    return { status: 200, body: '' };
  }

  async #hang(timeoutMs = 30_000): Promise<void> {
    await this.#clock.sleep(timeoutMs, this.#end);
    throw new ConnectionError('no answer', 'TIMEOUT');
  }
}

describe('the tenant-cluster controller', () => {
  const clock = new FakeClock();
  const clients = new Map<string, KubeClient>();
  const cluster = new MemoryCluster();
  const handoffs = new TenantHandoffs();
  const reports = new TenantReports();
  const tenants = new StillCache<TenantControlPlane>(
    TENANT_CONTROL_PLANES,
    async () => (await cluster.list(TENANT_CONTROL_PLANES, '')).items,
  );
  let stop: AbortController;
  let running: Promise<void>;

  beforeEach(() => {
    stop = new AbortController();
    const context = {
      tenants,
      handoffs,
      reports,
      access: {
        clientFor: (tenant: TenantControlPlane) => Promise.resolve(clients.get(tenant.metadata.name ?? '')),
        readAuthority: () => Promise.resolve(undefined),
        forget: () => undefined,
        close: () => undefined,
      },
      clock,
      log: silentLogger,
      metrics: createMetrics(),
    } satisfies Partial<ControllerContext> as unknown as ControllerContext;
    running = createTenantClusterController(context).run(stop.signal);
  });
  afterEach(async () => {
    stop.abort();
    await running;
  });

  async function add(name: string, client: KubeClient): Promise<string> {
    const made = tenantFixture();
    clients.set(name, client);
    const tenant = cluster.put(TENANT_CONTROL_PLANES, { ...made, metadata: { ...made.metadata, name } });
    await tenants.catchUp();
    const { uid = '' } = tenant.metadata;
    handoffs.offer(uid, `team-a/${name}`, { ...tenantInputFixture(), tenant }, true);
    return uid;
  }

  it('serves a tenant soon though many others hang', async () => {
    for (let i = 0; i < 60; i++) await add(`hangs-${i}`, new HangingTenant(clock, stop.signal));
    const uid = await add('well', new TenantMemory());
    await clock.advance(25_000);
    expect(reports.get(uid)).toMatchObject({ configured: true });
  });

  it('repairs what somebody deleted in a tenant, and what is paused it leaves alone', async () => {
    const tenant = new TenantMemory();
    await add('mended', tenant);
    await clock.advance(1_000);
    expect(tenant.peek(CONFIG_MAPS, 'kube-system', 'kubeadm-config')).toBeDefined();
    tenant.remove(CONFIG_MAPS, 'kube-system', 'kubeadm-config');
    await clock.advance(60_000);
    expect(tenant.peek(CONFIG_MAPS, 'kube-system', 'kubeadm-config')).toBeUndefined();
    await clock.advance(300_000);
    expect(tenant.peek(CONFIG_MAPS, 'kube-system', 'kubeadm-config')).toBeDefined();
    await settle();
  });
});
