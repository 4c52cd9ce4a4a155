import { describe, expect, test } from 'vitest';
import type { JsonObject, KubeObject } from '../../apimachinery/object.ts';
import type { Status } from '../../apimachinery/status.ts';
import { isStatusError } from '../../apimachinery/status.ts';
import type { AdmissionRequest } from '../../apiserver/admission/admission.ts';
import type { ResourceDefinition } from '../../apiserver/registry/definition.ts';
import { createTenancyAdmission } from './admission.ts';
import { allResources } from './all.ts';
import { tenant } from './tenantcontrolplanes/tenant-sample.ts';

const definitions: readonly ResourceDefinition[] = allResources({ tenantControlPlaneConnect: [] });
const stores = { main: 'etcd', other: 'etcd', pg: 'PostgreSQL' };

interface Case {
  readonly plural?: string;
  readonly operation: AdmissionRequest['operation'];
  readonly subresource?: string;
  readonly name?: string;
  readonly object?: KubeObject;
  readonly old?: KubeObject;
  readonly tenants?: readonly KubeObject[];
}

function dataStore(name: string, spec: JsonObject, metadata: JsonObject = {}): KubeObject {
  return { apiVersion: 'kamaji.io/v1alpha1', kind: 'DataStore', metadata: { name, ...metadata }, spec } as KubeObject;
}

function request(settings: Case, warnings: string[] = []): AdmissionRequest {
  const { plural = 'tenantcontrolplanes', tenants = [] } = settings;
  const objects = Object.entries(stores).map(([name, driver]) => dataStore(name, { driver }));
  return {
    request: {},
    operation: settings.operation,
    definition: definitions.find((definition) => definition.plural === plural)!,
    subresource: settings.subresource ?? '',
    namespace: 'default',
    name: settings.name ?? 't1',
    object: settings.object,
    old: settings.old,
    user: { name: 'alice', groups: [], extra: {} },
    dryRun: false,
    reader: {
      get: <T extends KubeObject>(resource: string, _: string, name: string) =>
        Promise.resolve(
          resource === 'datastores'
            ? (objects.find((object) => object.metadata.name === name) as T | undefined)
            : undefined,
        ),
      list: <T extends KubeObject>(resource: string) =>
        Promise.resolve((resource === 'tenantcontrolplanes' ? tenants : []) as readonly T[]),
    },
    warn: (message) => warnings.push(message),
  };
}

function plugin(options: { defaultDataStore?: string; tlsRoute?: boolean } = {}) {
  return createTenancyAdmission({
    defaultDataStore: options.defaultDataStore,
    hasTlsRoute: () => Promise.resolve(options.tlsRoute ?? true),
  });
}

async function refusal(settings: Case, options?: Parameters<typeof plugin>[0]): Promise<Status | undefined> {
  try {
    await plugin(options).validate?.(request(settings));
    return undefined;
  } catch (error) {
    if (isStatusError(error)) return error.status;
    throw error;
  }
}

const causes = (status: Status | undefined) =>
  status?.details?.causes?.map((cause) => `${cause.field}: ${cause.message}`);

describe('the default DataStore', () => {
  const mutated = async (settings: Case, defaultDataStore = 'main') => {
    const result = await plugin({ defaultDataStore }).mutate?.(request(settings));
    return (result as unknown as { spec?: { dataStore?: unknown } }).spec?.dataStore;
  };

  test('is put into a new tenant that names none', async () => {
    expect(await mutated({ operation: 'CREATE', object: tenant() })).toBe('main');
    expect(await mutated({ operation: 'CREATE', object: tenant({ dataStore: 'other' }) })).toBe('other');
    expect(await plugin().mutate?.(request({ operation: 'CREATE', object: tenant() }))).toEqual(tenant());
  });

  test('is not put into an old tenant, another kind or a subresource', async () => {
    expect(await mutated({ operation: 'UPDATE', object: tenant(), old: tenant() })).toBeUndefined();
    expect(await mutated({ operation: 'CREATE', object: tenant(), subresource: 'kubeconfig' })).toBeUndefined();
    expect(await mutated({ operation: 'CREATE', plural: 'datastores', object: dataStore('x', {}) })).toBeUndefined();
  });

  test.each([undefined, null, 'x', []])('leaves a spec that is none to validation: %j', async (spec) => {
    const object = { ...tenant(), spec } as unknown as KubeObject;
    expect(await plugin({ defaultDataStore: 'main' }).mutate?.(request({ operation: 'CREATE', object }))).toBe(object);
  });
});

describe('the DataStore of a tenant', () => {
  test('exists', async () => {
    expect(await refusal({ operation: 'CREATE', object: tenant({ dataStore: 'main' }) })).toBeUndefined();
    const status = await refusal({ operation: 'CREATE', object: tenant({ dataStore: 'gone' }) });
    expect(status).toMatchObject({ code: 422, reason: 'Invalid', details: { kind: 'TenantControlPlane', name: 't1' } });
    expect(causes(status)).toEqual(['spec.dataStore: Invalid value: "gone": there is no DataStore gone']);
  });

  test('is named where the server has no default', async () => {
    const status = await refusal({ operation: 'CREATE', object: tenant() });
    expect(causes(status)).toEqual(['spec.dataStore: Required value: this server has no default DataStore']);
  });

  test.each([
    ['other', 'Forbidden: cannot be changed, the objects of the tenant are in main and cannot be moved yet'],
    ['pg', 'Forbidden: the objects of the tenant are in main with driver etcd, pg has driver PostgreSQL'],
    ['gone', 'Invalid value: "gone": there is no DataStore gone'],
  ])('is not changed to %s', async (name, message) => {
    const status = await refusal({
      operation: 'UPDATE',
      object: tenant({ dataStore: name }),
      old: tenant({ dataStore: 'main' }),
    });
    expect(causes(status)).toEqual([`spec.dataStore: ${message}`]);
  });

  test('may be gone when the tenant changes elsewhere or is on its way out', async () => {
    const old = tenant({ dataStore: 'gone' });
    const changed = { dataStore: 'gone', networkProfile: { port: 7443 } };
    expect(await refusal({ operation: 'UPDATE', object: tenant(changed), old })).toBeUndefined();
    const leaving = tenant({ dataStore: 'nowhere' }, { deletionTimestamp: '2026-01-02T03:04:05Z' });
    expect(await refusal({ operation: 'UPDATE', object: leaving, old })).toBeUndefined();
    expect(await refusal({ operation: 'DELETE', old })).toBeUndefined();
  });

  test('of an override exists and is etcd', async () => {
    const dataStoreOverrides = ['main', 'pg', 'gone'].map((name, index) => ({
      resource: `/r${index}`,
      dataStore: name,
    }));
    const status = await refusal({ operation: 'CREATE', object: tenant({ dataStore: 'main', dataStoreOverrides }) });
    expect(causes(status)).toEqual([
      'spec.dataStoreOverrides[1].dataStore: Invalid value: "pg": must have driver etcd, it has PostgreSQL',
      'spec.dataStoreOverrides[2].dataStore: Invalid value: "gone": there is no DataStore gone',
    ]);
  });
});

describe('a Gateway', () => {
  const gateway = (hostname: string) =>
    tenant({ dataStore: 'main', controlPlane: { gateway: { hostname, parentRefs: [{ name: 'gw' }] } } });

  test('needs the Gateway API', async () => {
    expect(
      await refusal({ operation: 'CREATE', object: gateway('a.example.org') }, { tlsRoute: true }),
    ).toBeUndefined();
    expect(
      causes(await refusal({ operation: 'CREATE', object: gateway('a.example.org') }, { tlsRoute: false })),
    ).toEqual([
      'spec.controlPlane.gateway: Forbidden: the cluster does not serve TLSRoute of gateway.networking.k8s.io/v1, install the Gateway API first',
    ]);
  });

  test('that is there already does not block other changes', async () => {
    const old = gateway('a.example.org');
    const object = { ...old, spec: { ...old.spec, writePermissions: { blockCreation: true } } };
    expect(await refusal({ operation: 'UPDATE', object, old }, { tlsRoute: false })).toBeUndefined();
    expect(
      await refusal({ operation: 'UPDATE', object: gateway('b.example.org'), old }, { tlsRoute: false }),
    ).toBeDefined();
  });
});

describe('a DataStore in use', () => {
  const tenants = [
    tenant({ dataStore: 'main' }, { name: 'b', namespace: 'x' }),
    tenant({ dataStore: 'main' }, { name: 'a', namespace: 'x', deletionTimestamp: '2026-01-02T03:04:05Z' }),
    tenant(
      { dataStore: 'other', dataStoreOverrides: [{ resource: '/events', dataStore: 'main' }] },
      { name: 'c', namespace: 'y' },
    ),
    tenant({}, { name: 'd', namespace: 'y' }, { storage: { dataStoreName: 'main' } }),
    tenant({ dataStore: 'other' }, { name: 'e', namespace: 'z' }),
  ];
  const main = dataStore('main', { driver: 'etcd', endpoints: ['a:1'] });

  test('refuses deletion and names its users', async () => {
    const status = await refusal({ operation: 'DELETE', plural: 'datastores', name: 'main', old: main, tenants });
    expect(status).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: 'Operation cannot be fulfilled on datastores.kamaji.io "main": it is used by x/a, x/b, y/c, y/d',
      details: { name: 'main', group: 'kamaji.io', kind: 'datastores' },
    });
  });

  test('goes once nobody uses it', async () => {
    const status = await refusal({
      operation: 'DELETE',
      plural: 'datastores',
      name: 'spare',
      old: dataStore('spare', {}),
      tenants,
    });
    expect(status).toBeUndefined();
  });

  test('warns of changes', async () => {
    const change = async (object: KubeObject, users = tenants) => {
      const warnings: string[] = [];
      const settings = {
        operation: 'UPDATE',
        plural: 'datastores',
        name: 'main',
        object,
        old: main,
        tenants: users,
      } as const;
      await plugin().validate?.(request(settings, warnings));
      return warnings;
    };
    const moved = dataStore('main', { driver: 'etcd', endpoints: ['b:1'] });
    expect(await change(moved)).toEqual([
      'DataStore main is used by 4 tenants, their control planes follow this change',
    ]);
    expect(await change(moved, [])).toEqual([]);
    expect(await change(dataStore('main', { driver: 'etcd', endpoints: ['a:1'] }, { labels: { a: 'b' } }))).toEqual([]);
  });
});

test('status, scale and other groups pass', async () => {
  const object = tenant({ dataStore: 'gone' });
  expect(await refusal({ operation: 'UPDATE', subresource: 'status', object, old: tenant() })).toBeUndefined();
  expect(await refusal({ operation: 'UPDATE', subresource: 'scale', object, old: tenant() })).toBeUndefined();
  const foreign = request({ operation: 'CREATE', object });
  await expect(
    plugin().validate?.({ ...foreign, definition: { ...foreign.definition, group: 'example.org' } }),
  ).resolves.toBeUndefined();
});
