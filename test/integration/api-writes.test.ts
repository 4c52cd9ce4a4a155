/** Writes and what they answer, as raw HTTP through the aggregation layer of a real kube-apiserver. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeList } from '../../src/apimachinery/object.ts';
import type { Status } from '../../src/apimachinery/status.ts';
import type { TenantControlPlane } from '../../src/tenancy/api/tenant-control-plane.ts';
import { dataStoreObject, tenantObject } from '../env/api-objects.ts';
import { startApiServer, type ApiServerProcess } from '../env/api-server.ts';
import { GROUP_PATH, openClusterApi, type RawApi, type RawRequest } from '../env/raw-api.ts';

const tenants = `${GROUP_PATH}/namespaces/default/tenantcontrolplanes`;
const mergePatch = { 'Content-Type': 'application/merge-patch+json' };
const jsonPatch = { 'Content-Type': 'application/json-patch+json' };

let server: ApiServerProcess;
let api: RawApi;

const create = (object: object): Promise<TenantControlPlane> =>
  api.read<TenantControlPlane>(tenants, { method: 'POST', body: object });
const get = (name: string): Promise<TenantControlPlane> => api.read<TenantControlPlane>(`${tenants}/${name}`);
const patch = (path: string, body: object): Promise<TenantControlPlane> =>
  api.read<TenantControlPlane>(`${tenants}/${path}`, { method: 'PATCH', headers: mergePatch, body });
/** Code, reason and details of an answer that is a Status. */
const refusal = async (path: string, request: RawRequest) => {
  const answer = await api.ask(path, request);
  const status = answer.json() as Status;
  expect(status).toMatchObject({ kind: 'Status', apiVersion: 'v1', code: answer.code });
  return status;
};

beforeAll(async () => {
  server = await startApiServer();
  api = await openClusterApi();
  await api.read(`${GROUP_PATH}/datastores`, { method: 'POST', body: dataStoreObject('default') });
});
afterAll(async () => {
  api?.close();
  await server?.remove();
});

describe('create', () => {
  it('gives the fields of the system and drops those that the client made up', async () => {
    const invented = {
      uid: 'mine',
      generation: 7,
      creationTimestamp: '2001-01-01T00:00:00Z',
      deletionTimestamp: '2001-01-01T00:00:00Z',
      selfLink: '/x',
    };
    const answer = await api.ask(tenants, {
      method: 'POST',
      body: { ...tenantObject('born', {}, invented), status: { controlPlaneEndpoint: 'evil:1' } },
    });
    expect(answer.code).toBe(201);
    const { metadata, status } = answer.json() as TenantControlPlane;
    expect(metadata).toMatchObject({
      generation: 1,
      uid: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4/),
      resourceVersion: expect.stringMatching(/^[1-9]\d*$/),
    });
    expect(Date.parse(metadata.creationTimestamp ?? '')).toBeGreaterThan(Date.now() - 60_000);
    expect(metadata).not.toHaveProperty('deletionTimestamp');
    expect(metadata).not.toHaveProperty('selfLink');
    expect(status?.controlPlaneEndpoint).toBeUndefined();
  });

  it('makes a name of generateName, a new one each time', async () => {
    const born = await Promise.all(
      Array.from({ length: 10 }, () => create(tenantObject('', {}, { name: undefined, generateName: 'made-' }))),
    );
    const names = born.map(({ metadata }) => metadata.name ?? '');
    expect(new Set(names).size).toBe(10);
    for (const name of names) expect(name).toMatch(/^made-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    await Promise.all(names.map((name) => api.read(`${tenants}/${name}`, { method: 'DELETE' })));
  });

  it('refuses a name that is taken, and a revision', async () => {
    await create(tenantObject('taken'));
    expect(await refusal(tenants, { method: 'POST', body: tenantObject('taken') })).toMatchObject({
      code: 409,
      reason: 'AlreadyExists',
      details: { name: 'taken', group: 'kamaji.io', kind: 'tenantcontrolplanes' },
    });
    expect(
      await refusal(tenants, { method: 'POST', body: tenantObject('x', {}, { resourceVersion: '5' }) }),
    ).toMatchObject({ code: 400 });
  });

  it('needs a namespace that is there and is the same everywhere', async () => {
    const elsewhere = `${GROUP_PATH}/namespaces/absent/tenantcontrolplanes`;
    const absent = await refusal(elsewhere, {
      method: 'POST',
      body: tenantObject('lost', {}, { namespace: 'absent' }),
    });
    expect(absent).toMatchObject({ code: 404, reason: 'NotFound', message: 'namespaces "absent" not found' });
    expect(
      await refusal(tenants, { method: 'POST', body: tenantObject('x', {}, { namespace: 'other' }) }),
    ).toMatchObject({ code: 400, reason: 'BadRequest' });
    expect(
      await refusal(`${GROUP_PATH}/tenantcontrolplanes`, { method: 'POST', body: tenantObject('x') }),
    ).toMatchObject({ code: 405, reason: 'MethodNotAllowed' });
  });

  it('on trial stores nothing', async () => {
    const answer = await api.ask(`${tenants}?dryRun=All`, { method: 'POST', body: tenantObject('trial') });
    expect([answer.code, (answer.json() as TenantControlPlane).metadata.resourceVersion]).toEqual([201, undefined]);
    expect(await refusal(`${tenants}/trial`, {})).toMatchObject({ code: 404, reason: 'NotFound' });
    expect(await refusal(`${tenants}?dryRun=Some`, { method: 'POST', body: tenantObject('trial') })).toMatchObject({
      code: 422,
      reason: 'Invalid',
    });
  });
});

describe('update', () => {
  it('needs the newest revision, the name of the URL and the same object', async () => {
    const first = await create(tenantObject('put'));
    const put = (object: object) => ({ method: 'PUT', body: object });
    const withMeta = (metadata: object) => ({ ...first, metadata: { ...first.metadata, ...metadata } });
    expect(await refusal(`${tenants}/put`, put(withMeta({ resourceVersion: undefined })))).toMatchObject({
      code: 422,
      details: { causes: [{ field: 'metadata.resourceVersion' }] },
    });
    expect(await refusal(`${tenants}/put`, put(withMeta({ name: 'other' })))).toMatchObject({ code: 400 });
    expect(
      await refusal(`${tenants}/put`, put(withMeta({ uid: '00000000-0000-4000-8000-000000000000' }))),
    ).toMatchObject({ code: 409, reason: 'Conflict' });
    expect(await refusal(`${tenants}/absent`, put(withMeta({ name: 'absent' })))).toMatchObject({ code: 404 });
    await patch('put', { metadata: { labels: { newer: 'yes' } } });
    const stale = await refusal(`${tenants}/put`, put(withMeta({ labels: { mine: 'yes' } })));
    expect(stale).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: expect.stringContaining('the object has been modified'),
    });
  });

  it('that changes nothing keeps the revision', async () => {
    const before = await get('put');
    const after = await api.read<TenantControlPlane>(`${tenants}/put`, { method: 'PUT', body: before });
    expect(after).toEqual(before);
  });

  it('counts generations of the spec alone', async () => {
    expect((await get('put')).metadata.generation).toBe(1);
    expect((await patch('put', { spec: { controlPlane: { deployment: { replicas: 4 } } } })).metadata.generation).toBe(
      2,
    );
    expect(
      (await patch('put/status', { status: { controlPlaneEndpoint: '192.0.2.1:6443' } })).metadata.generation,
    ).toBe(2);
  });
});

describe('subresources', () => {
  it('status and the rest do not touch each other', async () => {
    await create(tenantObject('split', {}, { labels: { a: 'b' } }));
    const byStatus = await patch('split/status', {
      metadata: { labels: { a: 'c' } },
      spec: { controlPlane: { deployment: { replicas: 9 } } },
      status: { controlPlaneEndpoint: '192.0.2.1:6443' },
    });
    expect([
      byStatus.metadata.labels,
      byStatus.spec.controlPlane.deployment.replicas,
      byStatus.status?.controlPlaneEndpoint,
    ]).toEqual([{ a: 'b' }, 1, '192.0.2.1:6443']);
    const byMain = await patch('split', {
      spec: { controlPlane: { deployment: { replicas: 2 } } },
      status: { controlPlaneEndpoint: 'evil:1' },
    });
    expect([byMain.spec.controlPlane.deployment.replicas, byMain.status?.controlPlaneEndpoint]).toEqual([
      2,
      '192.0.2.1:6443',
    ]);
  });

  it('scale reads and writes the replicas', async () => {
    interface Scale {
      readonly kind: string;
      readonly apiVersion: string;
      readonly metadata: { readonly name: string; readonly resourceVersion: string };
      readonly spec: { readonly replicas?: number };
    }
    const scale = await api.read<Scale>(`${tenants}/split/scale`);
    expect(scale).toMatchObject({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      metadata: { name: 'split' },
      spec: { replicas: 2 },
    });
    // As kubectl does: without Content-Type.
    const put = await api.read<Scale>(`${tenants}/split/scale`, {
      method: 'PUT',
      body: { ...scale, spec: { replicas: 3 } },
    });
    expect(put.spec.replicas).toBe(3);
    expect(
      await refusal(`${tenants}/split/scale`, { method: 'PUT', body: { ...scale, spec: { replicas: 5 } } }),
    ).toMatchObject({ code: 409 });
    await patch('split/scale', { spec: { replicas: 0 } });
    expect((await get('split')).spec.controlPlane.deployment.replicas).toBe(0);
    expect(
      await refusal(`${tenants}/split/scale`, {
        method: 'PATCH',
        headers: mergePatch,
        body: { spec: { replicas: -1 } },
      }),
    ).toMatchObject({ code: 422, reason: 'Invalid' });
  });
});

describe('patch', () => {
  it('loses none of 50 that come at once', async () => {
    await create(tenantObject('crowd'));
    const codes = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const body = { metadata: { annotations: { [`example.com/p${index}`]: 'here' } } };
        const answer = await api.ask(`${tenants}/crowd`, { method: 'PATCH', headers: mergePatch, body });
        return answer.code;
      }),
    );
    expect(codes).toEqual(Array.from({ length: 50 }, () => 200));
    expect(Object.keys((await get('crowd')).metadata.annotations ?? {})).toHaveLength(50);
  });

  it('with a revision applies to that revision only: one of 10 at once', async () => {
    const { metadata } = await get('crowd');
    const codes = await Promise.all(
      Array.from({ length: 10 }, async (_, index) => {
        const body = { metadata: { resourceVersion: metadata.resourceVersion, labels: { winner: `w${index}` } } };
        return (await api.ask(`${tenants}/crowd`, { method: 'PATCH', headers: mergePatch, body })).code;
      }),
    );
    expect(codes.toSorted((a, b) => a - b)).toEqual([200, ...Array.from({ length: 9 }, () => 409)]);
  });

  it('in JSON form is all or nothing', async () => {
    const before = await get('crowd');
    const operations = [
      { op: 'add', path: '/metadata/labels/one', value: '1' },
      { op: 'test', path: '/spec/controlPlane/deployment/replicas', value: 77 },
    ];
    expect(await refusal(`${tenants}/crowd`, { method: 'PATCH', headers: jsonPatch, body: operations })).toMatchObject({
      code: 422,
      reason: 'Invalid',
    });
    expect(await get('crowd')).toEqual(before);
  });

  it.each([
    ['what is not there', 'absent', jsonPatch, 'nonsense', 404],
    ['no JSON', 'crowd', mergePatch, '{', 400],
    ['no object', 'crowd', mergePatch, '[1]', 400],
    ['no operations', 'crowd', jsonPatch, '{"op":"add"}', 400],
    ['a path that leads nowhere', 'crowd', jsonPatch, '[{"op":"replace","path":"/spec/no/such","value":1}]', 422],
    ['another name', 'crowd', mergePatch, '{"metadata":{"name":"other"}}', 400],
    ['another namespace', 'crowd', mergePatch, '{"metadata":{"namespace":"other"}}', 400],
    ['another kind', 'crowd', mergePatch, '{"kind":"DataStore"}', 422],
    [
      '10,001 operations',
      'crowd',
      jsonPatch,
      JSON.stringify(Array.from({ length: 10_001 }, () => ({ op: 'remove', path: '/x' }))),
      413,
    ],
    ['a server-side apply by nobody', 'crowd', { 'Content-Type': 'application/apply-patch+yaml' }, '{}', 422],
    ['a server-side apply of CBOR', 'crowd', { 'Content-Type': 'application/apply-patch+cbor' }, '{}', 415],
    ['a strategic patch', 'crowd', { 'Content-Type': 'application/strategic-merge-patch+json' }, '{}', 415],
  ])('refuses %s', async (_, name, headers, body, code) => {
    expect((await refusal(`${tenants}/${name}`, { method: 'PATCH', headers, body })).code).toBe(code);
  });
});

describe('delete', () => {
  it('holds to its preconditions', async () => {
    const { metadata } = await create(tenantObject('guarded'));
    const remove = (preconditions: object): RawRequest => ({
      method: 'DELETE',
      headers: { 'Content-Type': 'application/json' },
      body: { preconditions },
    });
    const uid = '00000000-0000-4000-8000-000000000000';
    expect(await refusal(`${tenants}/guarded`, remove({ uid }))).toMatchObject({ code: 409, reason: 'Conflict' });
    expect(await refusal(`${tenants}/guarded`, remove({ uid: metadata.uid, resourceVersion: '1' }))).toMatchObject({
      code: 409,
    });
    const done = await api.read<Status>(
      `${tenants}/guarded`,
      remove({ uid: metadata.uid, resourceVersion: metadata.resourceVersion }),
    );
    expect(done).toMatchObject({
      kind: 'Status',
      status: 'Success',
      details: { name: 'guarded', group: 'kamaji.io', kind: 'tenantcontrolplanes', uid: metadata.uid },
    });
  });

  it('on trial deletes nothing', async () => {
    await create(tenantObject('kept'));
    await api.read(`${tenants}/kept?dryRun=All`, { method: 'DELETE' });
    expect((await get('kept')).metadata).not.toHaveProperty('deletionTimestamp');
  });

  it('waits for finalizers, and takes no new ones meanwhile', async () => {
    const { metadata } = await create(tenantObject('held', {}, { finalizers: ['example.com/hold'] }));
    const first = await api.read<TenantControlPlane>(`${tenants}/held`, { method: 'DELETE' });
    expect(first.metadata).toMatchObject({
      deletionGracePeriodSeconds: 0,
      generation: (metadata.generation ?? 0) + 1,
      deletionTimestamp: expect.any(String),
    });
    const second = await api.read<TenantControlPlane>(`${tenants}/held`, { method: 'DELETE' });
    expect(second).toEqual(first);
    const body = { metadata: { finalizers: ['example.com/hold', 'example.com/more'] } };
    expect(await refusal(`${tenants}/held`, { method: 'PATCH', headers: mergePatch, body })).toMatchObject({
      code: 422,
    });
    await patch('held', { metadata: { finalizers: [] } });
    expect((await api.ask(`${tenants}/held`)).code).toBe(404);
  });

  it('takes a whole selection', async () => {
    for (const name of ['c1', 'c2', 'd1']) await create(tenantObject(name, {}, { labels: { letter: name.charAt(0) } }));
    const deleted = await api.read<KubeList>(`${tenants}?labelSelector=letter%3Dc`, { method: 'DELETE', body: {} });
    expect(deleted.items.map((item) => item.metadata.name)).toEqual(['c1', 'c2']);
    const left = await api.read<KubeList>(`${tenants}?labelSelector=letter`);
    expect(left.items.map((item) => item.metadata.name)).toEqual(['d1']);
    expect(await refusal(`${GROUP_PATH}/tenantcontrolplanes`, { method: 'DELETE' })).toMatchObject({ code: 405 });
  });

  it('of a DataStore in use is refused and names its users', async () => {
    expect(await refusal(`${GROUP_PATH}/datastores/default`, { method: 'DELETE' })).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: expect.stringContaining('default/crowd'),
    });
  });
});

describe('paths and methods that are none', () => {
  it.each([
    ['an unknown resource', 'GET', `${GROUP_PATH}/poems`, 404, 'NotFound'],
    ['an unknown version of ours', 'GET', '/apis/kamaji.io/v9/tenantcontrolplanes', 404, undefined],
    ['an unknown subresource', 'GET', `${tenants}/crowd/poem`, 404, 'NotFound'],
    ['an object that is not there', 'GET', `${tenants}/absent`, 404, 'NotFound'],
    ['a namespaced object without namespace', 'GET', `${GROUP_PATH}/tenantcontrolplanes/crowd`, 404, 'NotFound'],
    ['a cluster object in a namespace', 'GET', `${GROUP_PATH}/namespaces/default/datastores`, 404, 'NotFound'],
    ['OPTIONS', 'OPTIONS', tenants, 405, 'MethodNotAllowed'],
    ['PUT on a collection', 'PUT', tenants, 405, 'MethodNotAllowed'],
    ['POST on an object', 'POST', `${tenants}/crowd`, 405, 'MethodNotAllowed'],
    ['DELETE on a status', 'DELETE', `${tenants}/crowd/status`, 405, 'MethodNotAllowed'],
    ['PATCH on a credential', 'PATCH', `${tenants}/crowd/kubeconfig`, 405, 'MethodNotAllowed'],
  ])('%s', async (_, method, path, code, reason) => {
    const answer = await api.ask(path, { method });
    expect(answer.code).toBe(code);
    if (reason !== undefined) expect((answer.json() as Status).reason).toBe(reason);
  });

  it('a body in a form that we cannot read', async () => {
    const refused = await refusal(tenants, {
      method: 'POST',
      headers: { 'Content-Type': 'application/xml' },
      body: '<tenant/>',
    });
    expect(refused).toMatchObject({
      code: 415,
      reason: 'UnsupportedMediaType',
      message: expect.stringContaining('application/json'),
    });
  });
});
