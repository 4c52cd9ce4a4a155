import type { KubeObject } from '../../src/apimachinery/object.ts';
import { FakeClock } from '../../src/base/fake-clock.ts';
import { silentLogger, type LogFields, type Logger } from '../../src/base/log.ts';
import { createMetrics } from '../../src/base/metrics.ts';
import type { Resource } from '../../src/kubeclient/client.ts';
import { CONFIG_MAPS, DEPLOYMENTS, SECRETS, SERVICES } from '../../src/kubeclient/resources.ts';
import { WorkQueue } from '../../src/reconcile/work-queue.ts';
import type { CertificateAndKey } from '../../src/pki/certificate-and-key.ts';
import type { DataStore } from '../../src/tenancy/api/data-store.ts';
import { DATA_STORES, TENANT_CONTROL_PLANES } from '../../src/tenancy/api/resources.ts';
import type { TenantControlPlane } from '../../src/tenancy/api/tenant-control-plane.ts';
import type { AdminCaches } from '../../src/tenancy/controllers/admin-caches.ts';
import type { ControllerContext } from '../../src/tenancy/controllers/all.ts';
import { DataStoreRegistry } from '../../src/tenancy/controllers/data-store/registry.ts';
import { TenantHandoffs } from '../../src/tenancy/controllers/tenant-cluster/handoff.ts';
import { TenantReports } from '../../src/tenancy/controllers/tenant-cluster/reports.ts';
import { createTenantController } from '../../src/tenancy/controllers/tenant-control-plane/controller.ts';
import type { LiveDeployment } from '../../src/tenancy/controllers/tenant-control-plane/facts.ts';
import { FakeDriver, healthyVerdict } from './fake-data-store.ts';
import { MemoryCluster } from './memory-cluster.ts';
import { StillCache } from './still-cache.ts';
import { tenantFixture } from './tenant.ts';

/** Gives Services an address, as kube-apiserver does. */
class AdminMemory extends MemoryCluster {
  override async apply<T extends KubeObject>(
    resource: Resource<T>,
    object: T,
    options: { readonly fieldManager: string },
  ): Promise<T> {
    const live = (await super.apply(resource, object, options)) as T & { spec?: { clusterIP?: string } };
    if (resource.plural !== 'services' || live.spec?.clusterIP !== undefined) return live;
    return this.put(resource, { ...live, spec: { ...live.spec, clusterIP: '10.96.0.77' } });
  }
}

/** The tenant controller between two clusters in memory, seen through caches that stand still until told. */
export class TenantWorld {
  readonly clock: FakeClock;
  readonly admin = new AdminMemory();
  readonly kamaji = new MemoryCluster();
  readonly driver = new FakeDriver();
  readonly dataStores = new DataStoreRegistry();
  readonly reports = new TenantReports();
  readonly handoffs = new TenantHandoffs();
  /** `type reason` in order. */
  readonly events: string[] = [];
  readonly forgotten: string[] = [];
  readonly errors: unknown[] = [];
  readonly secrets = this.#cacheOf(SECRETS);
  readonly services = this.#cacheOf(SERVICES);
  readonly configMaps = this.#cacheOf(CONFIG_MAPS);
  readonly deployments = this.#cacheOf(DEPLOYMENTS);
  readonly tenants = new StillCache<TenantControlPlane>(TENANT_CONTROL_PLANES, () => this.#list(TENANT_CONTROL_PLANES));
  readonly stores = new StillCache<DataStore>(DATA_STORES, () => this.#list(DATA_STORES));
  readonly authority: CertificateAndKey;
  #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #enqueue: (key: string) => void = () => undefined;
  /** Whether work waits or is under way. */
  #isBusy: () => boolean = () => false;

  constructor(authority: CertificateAndKey, startMs: number) {
    this.authority = authority;
    this.clock = new FakeClock(startMs);
  }

  /** Starts the controller over one tenant in a healthy DataStore. */
  async start(spec: object = {}): Promise<void> {
    const made = tenantFixture({ dataStore: 'default', ...spec });
    this.kamaji.put(TENANT_CONTROL_PLANES, { ...made, metadata: { ...made.metadata, uid: '' } });
    this.kamaji.put(DATA_STORES, {
      apiVersion: 'kamaji.io/v1alpha1',
      kind: 'DataStore',
      metadata: { name: 'default' },
    } as DataStore);
    this.healthy();
    await this.catchUp();
    await this.restart();
  }

  /** A new process: all that was remembered is gone, all that is stored is seen. */
  async restart(): Promise<void> {
    await this.stop();
    this.#stop = new AbortController();
    const controller = createTenantController(this.#context());
    const { queue } = controller;
    let active = 0;
    queue.next = async (signal) => {
      const key = await WorkQueue.prototype.next.call(queue, signal);
      active++;
      return key;
    };
    queue.done = (key) => {
      active--;
      WorkQueue.prototype.done.call(queue, key);
    };
    this.#isBusy = () => active + queue.depth > 0;
    this.#enqueue = (key) => controller.enqueue(key);
    this.#running = controller.run(this.#stop.signal);
    await this.idle();
  }

  /** Lets a pass over the tenant run to its end. Answers what it threw, if it did. */
  async pass(): Promise<unknown> {
    const before = this.errors.length;
    this.#enqueue('team-a/t1');
    await this.idle();
    return this.errors[before];
  }

  healthy(): void {
    this.dataStores.set('default', healthyVerdict(this.driver, this.authority));
  }

  async catchUp(...caches: readonly { catchUp(): Promise<void> }[]): Promise<void> {
    const all = [this.tenants, this.stores, this.deployments, this.services, this.configMaps, this.secrets];
    for (const cache of caches.length === 0 ? all : caches) await cache.catchUp();
    // What a cache tells of is worked on at once; that pass must not be taken for the next one.
    await this.idle();
  }

  /** Everything up to date, and the pods up. */
  async settle(passes = 3): Promise<void> {
    for (let i = 0; i < passes; i++) {
      await this.pass();
      this.podsUp();
      await this.catchUp();
    }
  }

  podsUp(): void {
    const live = this.admin.peek(DEPLOYMENTS, 'team-a', 't1') as LiveDeployment | undefined;
    if (live === undefined) return;
    const count = live.spec.replicas ?? 1;
    const status = { observedGeneration: 9, replicas: count, updatedReplicas: count, availableReplicas: count };
    this.admin.put(DEPLOYMENTS, { ...live, status } as KubeObject);
  }

  get tenant(): TenantControlPlane {
    const found = this.kamaji.peek(TENANT_CONTROL_PLANES, 'team-a', 't1');
    if (found === undefined) throw new Error('the tenant is gone');
    return found;
  }

  /** As another client of our API would. */
  change(edit: (tenant: TenantControlPlane) => TenantControlPlane): Promise<void> {
    this.kamaji.put(TENANT_CONTROL_PLANES, edit(this.tenant));
    return this.catchUp(this.tenants);
  }

  condition(type: string): string {
    const found = this.tenant.status?.conditions?.find((one) => one.type === type);
    return found === undefined ? 'none' : `${found.status} ${found.reason}: ${found.message}`;
  }

  secret(suffix: string) {
    return this.admin.peek(SECRETS, 'team-a', `t1-${suffix}`);
  }

  /** What was written to the admin cluster since this was asked last. */
  takeWrites(): readonly string[] {
    return this.admin.takeCalls().filter((call) => !/^(GET|LIST|WATCH)/.test(call));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async idle(): Promise<void> {
    do {
      await new Promise((resolve) => void setImmediate(resolve));
    } while (this.#isBusy());
  }

  #context(): ControllerContext {
    const all = [this.deployments, this.services, this.configMaps, this.secrets] as unknown as AdminCaches['all'];
    const tenantKeyOf = ({ metadata }: KubeObject): string =>
      `${metadata.namespace ?? ''}/${metadata.ownerReferences?.[0]?.name ?? ''}`;
    const admin: AdminCaches = {
      secrets: this.secrets,
      services: this.services,
      configMaps: this.configMaps,
      deployments: this.deployments,
      all,
      ownedBy: (uid) => all.flatMap((cache) => cache.byIndex('owner', uid).map((object) => ({ cache, object }))),
      onChange(listener) {
        const tell = (object: KubeObject): void => listener(tenantKeyOf(object));
        for (const cache of all) cache.onChange({ add: tell, update: (_old, object) => tell(object), delete: tell });
      },
      run: () => Promise.resolve(),
    };
    return {
      adminClient: this.admin,
      kamajiClient: this.kamaji,
      access: {
        readAuthority: () => Promise.resolve(undefined),
        clientFor: () => Promise.resolve(undefined),
        forget: (uid) => void this.forgotten.push(uid),
        close: () => undefined,
      },
      admin,
      tenants: this.tenants,
      dataStoreCache: this.stores,
      dataStores: this.dataStores,
      reports: this.reports,
      handoffs: this.handoffs,
      events: {
        event: (_object, type, reason) => void this.events.push(`${type} ${reason}`),
        run: () => Promise.resolve(),
      },
      renewBeforeMs: undefined,
      clock: this.clock,
      log: this.#log,
      metrics: createMetrics(),
    };
  }

  /** Errors of passes; a lost race is one, too. */
  readonly #log: Logger = {
    ...silentLogger,
    child: () => this.#log,
    error: (_message, fields?: LogFields) => void this.errors.push(fields?.['error']),
    debug: (_message, fields?: LogFields) => {
      if (fields?.['error'] !== undefined) this.errors.push(fields['error']);
    },
  };

  #cacheOf<T extends KubeObject>(resource: Resource<T>): StillCache<T> {
    return new StillCache(resource, async () => {
      // As the label selector of the real caches.
      const { items } = await this.admin.list(resource, '', { labelSelector: 'kamaji.io/project=kamaji' });
      return items;
    });
  }

  async #list<T extends KubeObject>(resource: Resource<T>): Promise<readonly T[]> {
    return (await this.kamaji.list(resource, '')).items;
  }
}
