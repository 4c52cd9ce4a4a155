/** The controllers of a real kube-controller-manager, which know of our kinds only what discovery tells them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../src/apimachinery/object.ts';
import { dataStoreObject, tenantObject } from '../env/api-objects.ts';
import { startApiServer, type ApiServerProcess } from '../env/api-server.ts';
import { GROUP_PATH, openClusterApi, type RawApi } from '../env/raw-api.ts';
import { eventually } from '../env/run.ts';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}
interface Namespace extends KubeObject {
  readonly status: { readonly phase: string; readonly conditions?: readonly Condition[] };
}
interface Quota extends KubeObject {
  readonly status?: { readonly used?: Readonly<Record<string, string>> };
}
interface Tenant extends KubeObject {
  readonly spec: { readonly controlPlane: { readonly deployment: { readonly replicas: number } } };
}

/** Each of its controllers finds a resource by a look at discovery every half minute. */
const SLOW = { timeoutMs: 120_000, intervalMs: 500 } as const;
const MERGE = { 'Content-Type': 'application/merge-patch+json' } as const;

/** An owner that has never been. */
const NEVER: KubeObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'never', uid: '00000000-0000-4000-8000-000000000000' },
};

let server: ApiServerProcess;
let api: RawApi;
let count = 0;

beforeAll(async () => {
  server = await startApiServer(['--shutdown-delay=0s']);
  api = await openClusterApi();
  await api.ask(`${GROUP_PATH}/datastores`, { method: 'POST', body: dataStoreObject('default') });
  // Before it follows our kinds the garbage collector would not see what depends on what.
  const namespace = await newNamespace();
  await newTenant(namespace, 'first', ownedBy(NEVER));
  await gone('an object of ours without its owner', tenants(namespace, 'first'));
});
afterAll(async () => {
  api?.close();
  await server?.remove();
});

/** A namespace of a test's own: its name. */
async function newNamespace(): Promise<string> {
  count += 1;
  const name = `kcm-${count}-${Date.now().toString(36)}`;
  await api.read('/api/v1/namespaces', { method: 'POST', body: { metadata: { name } } });
  return name;
}

const tenants = (namespace: string, name = ''): string =>
  `${GROUP_PATH}/namespaces/${namespace}/tenantcontrolplanes${name === '' ? '' : `/${name}`}`;
const configMaps = (namespace: string, name = ''): string =>
  `/api/v1/namespaces/${namespace}/configmaps${name === '' ? '' : `/${name}`}`;

function newTenant(namespace: string, name: string, metadata: object = {}): Promise<Tenant> {
  return api.read<Tenant>(tenants(namespace), {
    method: 'POST',
    body: tenantObject(name, {}, { namespace, ...metadata }),
  });
}
function newConfigMap(namespace: string, name: string, metadata: object = {}): Promise<KubeObject> {
  return api.read<KubeObject>(configMaps(namespace), { method: 'POST', body: { metadata: { name, ...metadata } } });
}
const ownedBy = ({ apiVersion, kind, metadata }: KubeObject, more: object = {}): object => ({
  ownerReferences: [{ apiVersion, kind, name: metadata.name, uid: metadata.uid, ...more }],
});
const configMapOwner = (owner: KubeObject): KubeObject => ({ ...owner, apiVersion: 'v1', kind: 'ConfigMap' });

/** The object, or undefined when there is none. @throws Error for any other refusal */
async function find<T extends KubeObject>(path: string): Promise<T | undefined> {
  const answer = await api.ask(path);
  if (answer.code === 404) return undefined;
  if (answer.code !== 200) throw new Error(`GET ${path}: ${answer.code} ${answer.text}`);
  return answer.json() as T;
}
const gone = (what: string, path: string): Promise<true> =>
  eventually(`${what} to be gone`, async () => ((await find(path)) === undefined ? true : undefined), SLOW);
const remove = (path: string, propagationPolicy: string): Promise<unknown> =>
  api.read(path, { method: 'DELETE', body: { propagationPolicy } });
const unhold = (path: string): Promise<unknown> =>
  api.read(path, { method: 'PATCH', headers: MERGE, body: { metadata: { finalizers: null } } });
const condition = async (namespace: string, type: string): Promise<Condition> =>
  eventually(
    `${type} of the namespace`,
    async () => {
      const found = await find<Namespace>(`/api/v1/namespaces/${namespace}`);
      return found?.status.conditions?.find((each) => each.type === type && each.status === 'True');
    },
    SLOW,
  );

describe('namespace controller', () => {
  it.concurrent('empties a namespace of three hundred tenants', async () => {
    const namespace = await newNamespace();
    for (let batch = 0; batch < 30; batch++) {
      await Promise.all(Array.from({ length: 10 }, (_, index) => newTenant(namespace, `t-${batch}-${index}`)));
    }
    await remove(`/api/v1/namespaces/${namespace}`, 'Background');
    await gone('the namespace', `/api/v1/namespaces/${namespace}`);
    const left = await api.read<{ items: unknown[] }>(tenants(namespace));
    expect(left.items).toEqual([]);
  });

  it.concurrent('says which of our objects it waits for, and ends when their finalizers are gone', async () => {
    const namespace = await newNamespace();
    await newTenant(namespace, 'free');
    await newTenant(namespace, 'held', { finalizers: ['example.com/hold'] });
    await remove(`/api/v1/namespaces/${namespace}`, 'Background');
    const finalizers = await condition(namespace, 'NamespaceFinalizersRemaining');
    expect(finalizers.message).toContain('example.com/hold in 1 resource instances');
    const content = await condition(namespace, 'NamespaceContentRemaining');
    expect(content.message).toContain('tenantcontrolplanes.kamaji.io has 1 resource instances');
    const refused = await api.ask(tenants(namespace), {
      method: 'POST',
      body: tenantObject('late', {}, { namespace }),
    });
    expect([refused.code, refused.text]).toEqual([403, expect.stringContaining('it is being terminated')]);
    await unhold(tenants(namespace, 'held'));
    await gone('the namespace', `/api/v1/namespaces/${namespace}`);
  });
});

describe('garbage collector', () => {
  it.concurrent('removes a tenant whose owner, a core object, has gone', async () => {
    const namespace = await newNamespace();
    const owner = configMapOwner(await newConfigMap(namespace, 'owner'));
    await newTenant(namespace, 'owned', ownedBy(owner));
    await newTenant(namespace, 'free');
    await remove(configMaps(namespace, 'owner'), 'Background');
    await gone('the owned tenant', tenants(namespace, 'owned'));
    expect(await find(tenants(namespace, 'free'))).toBeDefined();
  });

  it.concurrent('removes core objects and tenants whose owner, a tenant, has gone', async () => {
    const namespace = await newNamespace();
    const owner = await newTenant(namespace, 'owner');
    await newConfigMap(namespace, 'owned', ownedBy(owner));
    await newTenant(namespace, 'child', ownedBy(owner, { controller: true }));
    await remove(tenants(namespace, 'owner'), 'Background');
    await gone('the owned ConfigMap', configMaps(namespace, 'owned'));
    await gone('the owned tenant', tenants(namespace, 'child'));
  });

  it.concurrent('removes a tenant whose owner has never been', async () => {
    const namespace = await newNamespace();
    await newTenant(namespace, 'owned', ownedBy(NEVER));
    await gone('the tenant', tenants(namespace, 'owned'));
  });

  it.concurrent('in the foreground a tenant stays until what blocks it has gone', async () => {
    const namespace = await newNamespace();
    const owner = await newTenant(namespace, 'owner');
    await newConfigMap(namespace, 'held', {
      ...ownedBy(owner, { blockOwnerDeletion: true }),
      finalizers: ['example.com/hold'],
    });
    await remove(tenants(namespace, 'owner'), 'Foreground');
    await eventually(
      'the ConfigMap to be on its way out',
      async () => (await find(configMaps(namespace, 'held')))?.metadata.deletionTimestamp,
      SLOW,
    );
    const waiting = await find(tenants(namespace, 'owner'));
    expect(waiting?.metadata.finalizers).toEqual(['foregroundDeletion']);
    expect(waiting?.metadata.deletionTimestamp).toBeDefined();
    await unhold(configMaps(namespace, 'held'));
    await gone('the tenant', tenants(namespace, 'owner'));
  });

  it.concurrent('in the foreground a core object waits for a tenant', async () => {
    const namespace = await newNamespace();
    const owner = configMapOwner(await newConfigMap(namespace, 'owner'));
    await newTenant(namespace, 'held', {
      ...ownedBy(owner, { blockOwnerDeletion: true }),
      finalizers: ['example.com/hold'],
    });
    await remove(configMaps(namespace, 'owner'), 'Foreground');
    await eventually(
      'the tenant to be on its way out',
      async () => (await find(tenants(namespace, 'held')))?.metadata.deletionTimestamp,
      SLOW,
    );
    expect((await find(configMaps(namespace, 'owner')))?.metadata.finalizers).toEqual(['foregroundDeletion']);
    await unhold(tenants(namespace, 'held'));
    await gone('the ConfigMap', configMaps(namespace, 'owner'));
  });

  it.concurrent('orphans in both directions lose their owner and stay', async () => {
    const namespace = await newNamespace();
    const tenantOwner = await newTenant(namespace, 'owner');
    await newConfigMap(namespace, 'orphan', ownedBy(tenantOwner));
    const mapOwner = configMapOwner(await newConfigMap(namespace, 'owner'));
    await newTenant(namespace, 'orphan', ownedBy(mapOwner));
    await remove(tenants(namespace, 'owner'), 'Orphan');
    await remove(configMaps(namespace, 'owner'), 'Orphan');
    await gone('the tenant', tenants(namespace, 'owner'));
    await gone('the ConfigMap', configMaps(namespace, 'owner'));
    expect((await find(configMaps(namespace, 'orphan')))?.metadata.ownerReferences ?? []).toEqual([]);
    expect((await find(tenants(namespace, 'orphan')))?.metadata.ownerReferences ?? []).toEqual([]);
  });
});

describe('other controllers', () => {
  it.concurrent('a quota counts tenants', async () => {
    const namespace = await newNamespace();
    const quotas = `/api/v1/namespaces/${namespace}/resourcequotas`;
    await newTenant(namespace, 'one');
    await api.read(quotas, {
      method: 'POST',
      body: { metadata: { name: 'count' }, spec: { hard: { 'count/tenantcontrolplanes.kamaji.io': '5' } } },
    });
    const used = (number: string): Promise<true> =>
      eventually(
        `${number} in the quota`,
        async () => {
          const { status } = await api.read<Quota>(`${quotas}/count`);
          return status?.used?.['count/tenantcontrolplanes.kamaji.io'] === number ? true : undefined;
        },
        SLOW,
      );
    await used('1');
    // An addition is seen at the next full look only, of five minutes; a deletion at once.
    await newTenant(namespace, 'two');
    await remove(tenants(namespace, 'one'), 'Background');
    await used('1');
    await remove(tenants(namespace, 'two'), 'Background');
    await used('0');
  });

  it.concurrent('an autoscaler keeps a tenant within its limits through scale', async () => {
    const namespace = await newNamespace();
    await newTenant(namespace, 'scaled');
    const autoscalers = `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers`;
    const scaleTargetRef = { apiVersion: 'kamaji.io/v1alpha1', kind: 'TenantControlPlane', name: 'scaled' };
    await api.read(autoscalers, {
      method: 'POST',
      body: { metadata: { name: 'scaled' }, spec: { scaleTargetRef, minReplicas: 3, maxReplicas: 5 } },
    });
    const replicas = (number: number): Promise<true> =>
      eventually(
        `${number} replicas`,
        async () => {
          const tenant = await find<Tenant>(tenants(namespace, 'scaled'));
          return tenant?.spec.controlPlane.deployment.replicas === number ? true : undefined;
        },
        SLOW,
      );
    await replicas(3);
    await api.read(`${autoscalers}/scaled`, {
      method: 'PATCH',
      headers: MERGE,
      body: { spec: { minReplicas: 1, maxReplicas: 2 } },
    });
    await replicas(2);
  });

  it.concurrent('a disruption budget reckons with the replicas that scale tells', async () => {
    const namespace = await newNamespace();
    const owner = await newTenant(namespace, 'owner');
    await api.read(tenants(namespace, 'owner/scale'), {
      method: 'PATCH',
      headers: MERGE,
      body: { spec: { replicas: 4 } },
    });
    await eventually(
      'the service account',
      () => find(`/api/v1/namespaces/${namespace}/serviceaccounts/default`),
      SLOW,
    );
    await api.read(`/api/v1/namespaces/${namespace}/pods`, {
      method: 'POST',
      body: {
        metadata: { name: 'pod', labels: { app: 'x' }, ...ownedBy(owner, { controller: true }) },
        spec: { containers: [{ name: 'c', image: 'none' }] },
      },
    });
    const budgets = `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`;
    await api.read(budgets, {
      method: 'POST',
      body: { metadata: { name: 'budget' }, spec: { minAvailable: '50%', selector: { matchLabels: { app: 'x' } } } },
    });
    const status = await eventually(
      'the status of the budget',
      async () => {
        const budget = await api.read<{ status?: { expectedPods: number; desiredHealthy: number } }>(
          `${budgets}/budget`,
        );
        return budget.status?.expectedPods === 4 ? budget.status : undefined;
      },
      SLOW,
    );
    expect(status.desiredHealthy).toBe(2);
  });
});

// After all others: it takes the server away from them.
describe('namespace controller without us', () => {
  it('keeps a namespace while our server is away, and ends it afterwards', async () => {
    const namespace = await newNamespace();
    await newTenant(namespace, 'inside');
    await server.stop();
    await eventually(
      'kube-apiserver to notice',
      async () => ((await api.ask(tenants(namespace))).code === 503 ? true : undefined),
      SLOW,
    );
    await remove(`/api/v1/namespaces/${namespace}`, 'Background');
    await eventually(
      'a failure of the namespace',
      async () => {
        const found = await find<Namespace>(`/api/v1/namespaces/${namespace}`);
        if (found === undefined) throw new Error('the namespace went although our objects could not be seen');
        return found.status.conditions?.find(({ status, type }) => status === 'True' && type.endsWith('Failure'));
      },
      SLOW,
    );
    await server.start();
    await gone('the namespace', `/api/v1/namespaces/${namespace}`);
    expect((await api.read<{ items: unknown[] }>(tenants(namespace))).items).toEqual([]);
  });
});
