import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newNamespaceLifecycle } from './admission/plugins/namespace-lifecycle.ts';
import { busybody, getTestNamespace, seen } from './testing/busybody.ts';
import { gadgetDefinition, widgetDefinition } from './testing/widget.ts';
import { TestServer } from './testing/test-server.ts';
import type { Answer, Call, TestObject } from './testing/test-server.ts';

const widgets = '/apis/own.example.com/v1/namespaces/default/widgets';
const gadgets = '/apis/own.example.com/v1/gadgets';

function widget(name: string, spec: object = {}, metadata: object = {}): object {
  return {
    apiVersion: 'own.example.com/v1',
    kind: 'Widget',
    metadata: { name, ...metadata },
    spec: { size: 3, ...spec },
  };
}

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.open({
    definitions: [widgetDefinition, gadgetDefinition],
    admission: [newNamespaceLifecycle(getTestNamespace), busybody],
    authorizer: {
      authorize: ({ user, verb, subresource, path }) =>
        Promise.resolve(
          user.name === 'reader' && (verb !== 'get' || (subresource === '' && path.includes('secret')))
            ? { allowed: false, reason: 'readers only read' }
            : { allowed: true, reason: '' },
        ),
    },
  });
});

afterAll(async () => {
  await server.close();
  expect(server.complaints).toEqual([]);
});

beforeEach(async () => {
  await call('DELETE', widgets);
  seen.length = 0;
});

function call(method: string, path: string, options?: Call): Promise<Answer> {
  return server.call(method, path, options);
}

async function create(name: string, spec: object = {}, metadata: object = {}): Promise<TestObject> {
  const { code, body } = await call('POST', widgets, { body: widget(name, spec, metadata) });
  expect(code).toBe(201);
  return body;
}

function mergePatch(path: string, body: object): Promise<Answer> {
  return call('PATCH', path, { body, headers: { 'content-type': 'application/merge-patch+json' } });
}

describe('delete', () => {
  test('at once', async () => {
    const { metadata } = await create('a');
    const { code, body } = await call('DELETE', `${widgets}/a`, { body: { propagationPolicy: 'Background' } });
    expect(code).toBe(200);
    expect(body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: { name: 'a', group: 'own.example.com', kind: 'widgets', uid: metadata.uid },
    });
    expect((await call('DELETE', `${widgets}/a`)).code).toBe(404);
  });

  test('with finalizers, step by step', async () => {
    await create('a', {}, { finalizers: ['x.y/z'] });
    const first = await call('DELETE', `${widgets}/a`);
    expect(first.body.metadata).toMatchObject({
      deletionTimestamp: '2026-01-01T00:00:00Z',
      deletionGracePeriodSeconds: 0,
      generation: 2,
    });
    const again = await call('DELETE', `${widgets}/a`);
    expect(again.body).toEqual(first.body);
    expect((await call('DELETE', `${widgets}/a?orphanDependents=false`)).code).toBe(202);
    const added = await mergePatch(`${widgets}/a`, { metadata: { finalizers: ['x.y/z', 'a.b/c'] } });
    expect(added.code).toBe(422);
    const kept = await mergePatch(`${widgets}/a`, { metadata: { deletionTimestamp: null } });
    expect(kept.body.metadata.deletionTimestamp).toBe('2026-01-01T00:00:00Z');
    const last = await mergePatch(`${widgets}/a`, { metadata: { finalizers: [] } });
    expect(last.code).toBe(200);
    expect(last.body.metadata.name).toBe('a');
    expect((await call('GET', `${widgets}/a`)).code).toBe(404);
  });

  test('propagation policies become finalizers', async () => {
    await create('a');
    const foreground = await call('DELETE', `${widgets}/a?propagationPolicy=Foreground`);
    expect(foreground.body.metadata.finalizers).toEqual(['foregroundDeletion']);
    const orphan = await call('DELETE', `${widgets}/a?propagationPolicy=Orphan`);
    expect(orphan.body.metadata.finalizers).toEqual(['orphan']);
    const background = await call('DELETE', `${widgets}/a?propagationPolicy=Background`);
    expect(background.body.status).toBe('Success');
  });

  test.each<[string, object | undefined, string, number, RegExp]>([
    ['uid', { preconditions: { uid: 'x' } }, '', 409, /the UID in the precondition \(x\) does not match/],
    [
      'resourceVersion',
      { preconditions: { resourceVersion: '1' } },
      '',
      409,
      /the ResourceVersion in the precondition \(1\)/,
    ],
    ['policy', { propagationPolicy: 'x' }, '', 422, /propagationPolicy: Unsupported value: "x"/],
    ['both', { propagationPolicy: 'Orphan', orphanDependents: true }, '', 422, /cannot be both set/],
    ['kind', { kind: 'Pod', apiVersion: 'v1' }, '', 400, /no kind "Pod" is registered/],
    ['dryRun', undefined, '?dryRun=x', 422, /dryRun: Unsupported value/],
    ['type', { propagationPolicy: 5 }, '', 400, /cannot unmarshal number/],
  ])('refuses: %s', async (_title, body, query, code, message) => {
    await create('a');
    const answer = await call('DELETE', `${widgets}/a${query}`, body === undefined ? {} : { body });
    expect(answer.code).toBe(code);
    expect(answer.body.message).toMatch(message);
    expect((await call('GET', `${widgets}/a`)).code).toBe(200);
  });

  test('dry', async () => {
    await create('a');
    expect((await call('DELETE', `${widgets}/a?dryRun=All`)).body.status).toBe('Success');
    expect((await call('GET', `${widgets}/a`)).code).toBe(200);
  });

  test('a collection, by selector', async () => {
    await create('a', {}, { labels: { x: '1' } });
    await create('b', {}, { labels: { x: '2' } });
    await create('c', {}, { labels: { x: '1', refuse: 'DELETE' } });
    const refused = await call('DELETE', `${widgets}?labelSelector=x%3D1`);
    expect(refused.code).toBe(403);
    await mergePatch(`${widgets}/c`, { metadata: { labels: { refuse: null } } });
    const answer = await call('DELETE', `${widgets}?labelSelector=x%3D1`);
    expect(answer.body.kind).toBe('WidgetList');
    expect((await call('GET', widgets)).body.items.map((item: TestObject) => item.metadata.name)).toEqual(['b']);
  });
});

describe('scale', () => {
  test('is a view of a few fields', async () => {
    await create('a');
    await mergePatch(`${widgets}/a/status`, { status: { replicas: 2, selector: 'app=a' } });
    const { body } = await call('GET', `${widgets}/a/scale`);
    expect(body).toMatchObject({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      spec: { replicas: 1 },
      status: { replicas: 2, selector: 'app=a' },
    });
    const put = await call('PUT', `${widgets}/a/scale`, {
      body: { metadata: { name: 'a' }, spec: { replicas: 4 } },
      headers: { 'content-type': '' },
    });
    expect(put.body.spec.replicas).toBe(4);
    const patched = await mergePatch(`${widgets}/a/scale`, { spec: { replicas: 5 } });
    expect(patched.body.spec.replicas).toBe(5);
    expect((await call('GET', `${widgets}/a`)).body).toMatchObject({
      metadata: { generation: 3 },
      spec: { replicas: 5 },
      status: { replicas: 2 },
    });
  });

  test.each<[object, number, RegExp]>([
    [
      { metadata: { name: 'a' }, spec: { replicas: -1 } },
      422,
      /\.spec\.replicas: Invalid value: -1: should be a non-negative integer/,
    ],
    [{ metadata: { name: 'a' }, spec: { replicas: 'x' } }, 400, /cannot unmarshal string/],
    [{ metadata: { name: 'b' }, spec: { replicas: 1 } }, 400, /does not match the name/],
    [{ metadata: { name: 'a', resourceVersion: '1' }, spec: { replicas: 1 } }, 409, /has been modified/],
    [{ kind: 'Pod', metadata: { name: 'a' } }, 400, /cannot be handled as a Scale/],
  ])('refuses %j', async (body, code, message) => {
    await create('a');
    const answer = await call('PUT', `${widgets}/a/scale`, { body });
    expect(answer.code).toBe(code);
    expect(answer.body.message).toMatch(message);
  });
});

describe('a subresource of its own kind', () => {
  test('answers to GET and POST, uncached', async () => {
    await create('a');
    const read = await call('GET', `${widgets}/a/token`);
    expect(read.body).toEqual({ apiVersion: 'v1', kind: 'Config', token: 'secret-of-a-for-jane', seconds: 600 });
    expect(read.headers['cache-control']).toBe('no-store');
    const made = await call('POST', `${widgets}/a/token`, { body: { seconds: 60 } });
    expect(made.code).toBe(201);
    expect(made.body.seconds).toBe(60);
    expect((await call('POST', `${widgets}/a/token`, { body: '' })).body.seconds).toBe(600);
    expect(seen).toContain('CREATE token default/a');
  });

  test('shows no secret in a table', async () => {
    await create('a');
    const { text, body } = await call('GET', `${widgets}/a/token`, {
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    });
    expect(body.rows[0].cells).toEqual(['a']);
    expect(text).not.toContain('secret');
  });

  test('demands the second verb', async () => {
    await create('a');
    const { code, body } = await call('GET', `${widgets}/a/token`, { user: 'reader' });
    expect(code).toBe(403);
    expect(body.message).toBe(
      'widgets.own.example.com "a" is forbidden: User "reader" cannot create resource "widgets/token" in API group "own.example.com" in the namespace "default": readers only read',
    );
  });

  test.each<[object, string, number, RegExp]>([
    [{ seconds: 5 }, '', 422, /seconds: Invalid value: 5/],
    [{ seconds: 'x' }, '', 422, /seconds/],
    [{ foo: 1 }, '?fieldValidation=Strict', 400, /unknown field "foo"/],
    [[], '', 400, /no object/],
  ])('refuses %j%s', async (body, query, code, message) => {
    await create('a');
    const answer = await call('POST', `${widgets}/a/token${query}`, { body });
    expect(answer.code).toBe(code);
    expect(answer.body.message).toMatch(message);
  });

  test('of nothing is not found', async () => {
    expect((await call('GET', `${widgets}/zz/token`)).code).toBe(404);
  });
});

describe('a cluster-scoped kind', () => {
  test('lives without a namespace and without subresources', async () => {
    const body = { apiVersion: 'own.example.com/v1', kind: 'Gadget', metadata: { name: 'g' }, note: 'x' };
    expect((await call('POST', gadgets, { body })).code).toBe(201);
    expect((await call('GET', `${gadgets}/g`)).body.metadata.namespace).toBeUndefined();
    expect((await call('GET', `${gadgets}/g/status`)).code).toBe(404);
    expect((await call('GET', `${gadgets}/g/scale`)).code).toBe(404);
    expect((await call('GET', '/apis/own.example.com/v1/namespaces/default/gadgets')).code).toBe(404);
    expect((await call('POST', gadgets, { body: { ...body, metadata: { name: '1g' } } })).code).toBe(422);
    expect((await call('DELETE', `${gadgets}/g`)).code).toBe(200);
  });
});
