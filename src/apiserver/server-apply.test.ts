import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newNamespaceLifecycle } from './admission/plugins/namespace-lifecycle.ts';
import { managerOfUserAgent } from './handlers/field-ownership.ts';
import { busybody, getTestNamespace, seen } from './testing/busybody.ts';
import { TestServer } from './testing/test-server.ts';
import type { Answer, Call, TestObject } from './testing/test-server.ts';
import { widgetDefinition } from './testing/widget.ts';

/** Who owns which field, and server-side apply, as clients see it. Every expectation was seen with a custom resource of kube-apiserver 1.36.3 first. */

const widgets = '/apis/own.example.com/v1/namespaces/default/widgets';
const agent = { 'user-agent': 'tester/1.2 (linux)' };

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.open({
    definitions: [widgetDefinition],
    admission: [newNamespaceLifecycle(getTestNamespace), busybody],
    authorizer: {
      authorize: ({ user, verb }) =>
        Promise.resolve(
          user.name === 'patcher' && verb === 'create'
            ? { allowed: false, reason: 'patchers only patch' }
            : { allowed: true, reason: '' },
        ),
    },
  });
});
afterAll(() => server.close());
beforeEach(async () => {
  await server.call('DELETE', widgets);
  seen.length = 0;
});

const object = (spec: object, metadata: object = {}): TestObject => ({
  apiVersion: 'own.example.com/v1',
  kind: 'Widget',
  metadata: { name: 'a', ...metadata },
  spec,
});

function call(method: string, path: string, options: Call = {}): Promise<Answer> {
  return server.call(method, path, { ...options, headers: { ...agent, ...options.headers } });
}

function apply(body: object | string, query = '?fieldManager=m1', options: Call = {}): Promise<Answer> {
  const path = query.startsWith('/') ? query : `/a${query}`;
  return call('PATCH', widgets + path, {
    ...options,
    body,
    headers: { 'content-type': 'application/apply-patch+yaml' },
  });
}

function merge(body: object, query = ''): Promise<Answer> {
  return call('PATCH', `${widgets}/a${query}`, { body, headers: { 'content-type': 'application/merge-patch+json' } });
}

/** `manager operation subresource: fields` of each entry. */
function owners(answer: { readonly body: TestObject }): Readonly<Record<string, object>> {
  return Object.fromEntries(
    (answer.body.metadata.managedFields ?? []).map((entry: TestObject) => [
      [entry.manager, entry.operation, entry.subresource].filter(Boolean).join(' '),
      entry.fieldsV1,
    ]),
  );
}

const live = (): Promise<Answer> => call('GET', `${widgets}/a`);

describe('ownership by writing', () => {
  test('a create owns what it sent and what was put in, under the head of the User-Agent', async () => {
    const answer = await call('POST', widgets, { body: object({ size: 3 }) });
    expect(answer.body.metadata.managedFields).toEqual([
      {
        manager: 'tester',
        operation: 'Update',
        apiVersion: 'own.example.com/v1',
        time: '2026-01-01T00:00:00Z',
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:spec': { '.': {}, 'f:color': {}, 'f:replicas': {}, 'f:size': {} } },
      },
    ]);
    expect((await live()).body).toEqual(answer.body);
  });

  test('what a client says about ownership in a create does not count, and must be readable', async () => {
    const sent = await call('POST', widgets, { body: object({ size: 3 }, { managedFields: [{ manager: 'x' }] }) });
    expect(Object.keys(owners(sent))).toEqual(['tester Update']);
    const unreadable = await call('POST', widgets, { body: object({ size: 3 }, { managedFields: 'x' }) });
    expect(unreadable.code).toBe(400);
    expect(unreadable.body.message).toContain(
      'json: cannot unmarshal string into Go struct field ObjectMeta.managedFields of type []v1.ManagedFieldsEntry',
    );
    const unknown = await call('POST', `${widgets}?dryRun=All`, {
      body: object({ size: 3 }, { name: 'b', managedFields: [{ foo: 1 }] }),
    });
    expect(unknown.headers.warning).toBe('299 - "unknown field \\"metadata.managedFields[0].foo\\""');
  });

  test('who changes a value takes it over; status and main endpoint know their own halves', async () => {
    await call('POST', widgets, { body: object({ size: 3 }) });
    await merge({ spec: { size: 4 }, status: { replicas: 9 } }, '?fieldManager=editor');
    const answer = await call('PUT', `${widgets}/a/status?fieldManager=controller`, {
      body: { ...(await live()).body, spec: { size: 77 }, status: { replicas: 2 } },
    });
    expect(owners(answer)).toEqual({
      'controller Update status': { 'f:status': { '.': {}, 'f:replicas': {} } },
      'editor Update': { 'f:spec': { 'f:size': {} } },
      'tester Update': { 'f:spec': { '.': {}, 'f:color': {}, 'f:replicas': {} } },
    });
  });

  test('a PUT without managedFields keeps them, one with an empty entry makes a new start', async () => {
    const { body } = await call('POST', widgets, { body: object({ size: 3 }) });
    const { managedFields: _managedFields, ...metadata } = body.metadata;
    const kept = await call('PUT', `${widgets}/a`, { body: { ...body, metadata } });
    expect(kept.body).toEqual(body);
    const garbage = await call('PUT', `${widgets}/a`, {
      body: { ...body, metadata: { ...metadata, managedFields: [{ manager: 'x', operation: 'Nonsense' }] } },
    });
    expect(garbage.body).toEqual(body);
    const reset = await call('PUT', `${widgets}/a`, {
      body: { ...body, metadata: { ...metadata, managedFields: [{}] } },
    });
    expect(reset.code).toBe(200);
    expect(reset.body.metadata.managedFields).toBeUndefined();
  });

  test('a manager that nobody may be is refused', async () => {
    const { body } = await call('POST', widgets, { body: object({ size: 3 }) });
    const [entry] = body.metadata.managedFields;
    const put = (changes: object): Promise<Answer> =>
      call('PUT', `${widgets}/a`, {
        body: { ...body, metadata: { ...body.metadata, managedFields: [{ ...entry, ...changes }] } },
      });
    const long = await put({ manager: 'm'.repeat(129) });
    expect([long.code, long.body.message]).toEqual([
      422,
      'Widget.own.example.com "a" is invalid: metadata.managedFields[0].manager: Too long: may not be more than 128 bytes',
    ]);
    expect((await put({ manager: 'another' })).code).toBe(200);
  });

  test('a write that changes nothing but times of ownership is no write', async () => {
    await apply(object({ size: 3 }));
    const before = (await live()).body;
    await server.clock.advance(5_000);
    const watch = await server.watch(`${widgets}?watch=true&resourceVersion=${before.metadata.resourceVersion}`);
    expect((await apply(object({ size: 3 }))).body).toEqual(before);
    expect((await call('PUT', `${widgets}/a`, { body: before })).body).toEqual(before);
    await merge({ metadata: { labels: { a: 'b' } } });
    expect((await watch.next()).object.metadata.labels).toEqual({ a: 'b' });
    watch.stop();
  });

  test('what admission changes belongs to nobody', async () => {
    const answer = await call('POST', widgets, { body: object({ size: 3, tags: { please: 'change' } }) });
    expect(answer.body.spec.tags).toEqual({ changed: 'yes' });
    expect(owners(answer)['tester Update']).toMatchObject({ 'f:spec': { 'f:tags': { 'f:please': {} } } });
  });

  test('an object that is too large only for its managedFields loses them', async () => {
    const tags = Object.fromEntries(Array.from({ length: 26_000 }, (_, i) => [`tag-${i}-${'x'.repeat(20)}`, '']));
    const answer = await call('POST', widgets, { body: object({ size: 3, tags }) });
    expect(answer.code).toBe(201);
    expect(answer.body.metadata.managedFields).toBeUndefined();
    const applied = await apply(object({ size: 3, tags }, { name: 'b' }), '/b?fieldManager=m1');
    expect(applied.code).toBe(413);
  });

  test('keys named __proto__ are owned like any other', async () => {
    const answer = await call('POST', widgets, {
      body: '{"apiVersion":"own.example.com/v1","kind":"Widget","metadata":{"name":"a"},"spec":{"size":1,"tags":{"__proto__":"t","constructor":"u"}}}',
    });
    expect(answer.text).toContain('"f:tags":{".":{},"f:__proto__":{},"f:constructor":{}}');
  });

  test.each([
    ['kubectl/v1.36 (linux)', 'kubectl'],
    ['', ''],
    [Buffer.from('Ünï ☃\t\u0007/2').toString('latin1'), 'Ünï ☃'],
    ['y'.repeat(200), 'y'.repeat(128)],
    [Buffer.from('é'.repeat(100)).toString('latin1'), 'é'.repeat(64)],
  ])('the manager of User-Agent %j', (userAgent, manager) => expect(managerOfUserAgent(userAgent)).toBe(manager));
});

describe('server-side apply', () => {
  test('makes what is not there, if the user may create', async () => {
    const refused = await apply(object({ size: 3 }), '?fieldManager=m1', { user: 'patcher' });
    expect(refused.code).toBe(403);
    expect(refused.body.message).toBe(
      'widgets.own.example.com "a" is forbidden: User "patcher" cannot create resource "widgets" in API group "own.example.com" in the namespace "default": patchers only patch',
    );
    const dry = await apply(object({ size: 3 }), '?fieldManager=m1&dryRun=All');
    expect([dry.code, dry.body.metadata.resourceVersion, (await live()).code]).toEqual([201, undefined, 404]);
    const made = await apply(object({ size: 3 }));
    expect(made.code).toBe(201);
    expect(made.body).toMatchObject({ metadata: { generation: 1 }, spec: { size: 3, color: 'red', replicas: 1 } });
    expect(owners(made)).toEqual({ 'm1 Apply': { 'f:spec': { 'f:size': {} } } });
    expect(seen.slice(-1)).toEqual(['CREATE - default/a']);
    const again = await apply(object({ size: 4 }), '?fieldManager=m1', { user: 'patcher' });
    expect([again.code, again.body.metadata.generation]).toEqual([200, 2]);
  });

  test('never makes anything through a subresource, nor in a namespace that is not there', async () => {
    expect((await apply(object({}), '/a/status?fieldManager=m1')).code).toBe(404);
    const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'a' }, spec: { replicas: 1 } };
    expect((await apply(scale, '/a/scale?fieldManager=m1')).code).toBe(404);
    const path = widgets.replace('default', 'nowhere');
    const headers = { 'content-type': 'application/apply-patch+yaml' };
    const answer = await server.call('PATCH', `${path}/a?fieldManager=m`, { body: object({ size: 1 }), headers });
    expect(answer.body.message).toBe('namespaces "nowhere" not found');
  });

  test('refuses to take what others own, unless forced', async () => {
    await apply(object({ size: 3, color: 'blue' }));
    const { code, body } = await apply(object({ size: 4, color: 'green' }), '?fieldManager=m2');
    expect(code).toBe(409);
    expect(body).toMatchObject({
      reason: 'Conflict',
      message: 'Apply failed with 2 conflicts: conflicts with "m1":\n- .spec.color\n- .spec.size',
      details: {
        causes: [
          { reason: 'FieldManagerConflict', message: 'conflict with "m1"', field: '.spec.color' },
          { reason: 'FieldManagerConflict', message: 'conflict with "m1"', field: '.spec.size' },
        ],
      },
    });
    const forced = await apply(object({ size: 4 }), '?fieldManager=m2&force=true');
    expect(owners(forced)).toEqual({
      'm1 Apply': { 'f:spec': { 'f:color': {} } },
      'm2 Apply': { 'f:spec': { 'f:size': {} } },
    });
  });

  test('removes what it no longer says and nobody else owns', async () => {
    await apply(object({ size: 3, tags: { a: '1', b: '2' }, parts: [{ name: 'x' }, { name: 'y' }] }));
    await apply(object({ tags: { b: '2' } }), '?fieldManager=m2');
    const { body } = await apply(object({ size: 3, parts: [{ name: 'y', count: 5 }] }));
    expect(body.spec).toEqual({
      size: 3,
      color: 'red',
      replicas: 1,
      tags: { b: '2' },
      parts: [{ name: 'y', count: 5 }],
    });
  });

  test('removes the last finalizer of what is being deleted', async () => {
    await apply(object({ size: 3 }, { finalizers: ['x.y/z'] }));
    await call('DELETE', `${widgets}/a`);
    expect((await apply(object({ size: 3 }))).code).toBe(200);
    expect((await live()).code).toBe(404);
  });

  test('of status changes status alone, under its own entry', async () => {
    await call('POST', widgets, { body: object({ size: 3 }) });
    const { spec: _spec, ...bare } = object({});
    const answer = await apply({ ...bare, status: { replicas: 4 } }, '/a/status?fieldManager=s');
    expect(answer.body).toMatchObject({ spec: { size: 3 }, status: { replicas: 4 }, metadata: { generation: 1 } });
    expect(owners(answer)['s Apply status']).toEqual({ 'f:status': { 'f:replicas': {} } });
    const both = await apply({ ...object({ size: 9 }), status: { replicas: 5 } }, '/a/status?fieldManager=s');
    expect(both.body).toMatchObject({ spec: { size: 3 }, status: { replicas: 5 } });
  });

  test('of scale owns the replicas of the parent', async () => {
    await call('POST', widgets, { body: object({ size: 3 }) });
    const scale = (replicas: number): object => ({
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: { name: 'a' },
      spec: { replicas },
    });
    const refused = await apply(scale(7), '/a/scale?fieldManager=s');
    expect(refused.body.message).toBe(
      'Apply failed with 1 conflict: conflict with "tester" using autoscaling/v1: .spec.replicas',
    );
    const forced = await apply(scale(7), '/a/scale?fieldManager=s&force=true');
    expect(forced.body).toMatchObject({ kind: 'Scale', spec: { replicas: 7 } });
    expect(owners(await live())).toEqual({
      's Apply scale': { 'f:spec': { 'f:replicas': {} } },
      'tester Update': { 'f:spec': { '.': {}, 'f:color': {}, 'f:size': {} } },
    });
    await merge({ spec: { replicas: 9 } }, '/scale?fieldManager=hpa');
    expect(Object.keys(owners(await live())).sort()).toEqual(['hpa Update scale', 'tester Update']);
  });

  test('reads YAML, and tells of repeated keys by their line', async () => {
    const text = 'apiVersion: own.example.com/v1\nkind: Widget\nmetadata:\n  name: a\nspec:\n  size: 3\n  size: 4\n';
    const warned = await apply(text);
    expect(warned.body.spec.size).toBe(4);
    expect(warned.headers.warning).toBe('299 - "line 7: key \\"size\\" already set in map"');
    const strict = await apply(text, '?fieldManager=m1&fieldValidation=Strict');
    expect([strict.code, strict.body.message]).toEqual([
      400,
      'error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  line 7: key "size" already set in map',
    ]);
    const ignored = await apply(text, '?fieldManager=m1&fieldValidation=Ignore');
    expect([ignored.code, ignored.headers.warning]).toEqual([200, undefined]);
    const json = await apply(
      '{"apiVersion":"own.example.com/v1","kind":"Widget","spec":{"size":1,"size":2},"metadata":{"name":"a"}}',
    );
    expect(json.headers.warning).toBe('299 - "line 1: key \\"size\\" already set in map"');
  });

  test.each<[string, object | string, string, number, RegExp]>([
    ['no manager', object({}), '', 422, /fieldManager: Required value: is required for apply patch/],
    ['nothing', '', '?fieldManager=m', 400, /invalid object type/],
    ['no YAML', '{', '?fieldManager=m', 400, /error decoding YAML: error converting YAML to JSON: yaml: line 1/],
    [
      'no object',
      '[]',
      '?fieldManager=m',
      400,
      /json: cannot unmarshal array into Go value of type map\[string\]interface \{\}/,
    ],
    ['another kind', { ...object({}), kind: 'Foo' }, '?fieldManager=m', 400, /invalid object type/],
    ['another version', { ...object({}), apiVersion: 'own.example.com/v9' }, '?fieldManager=m', 400, /version|type/],
    ['managedFields', object({}, { managedFields: [] }), '?fieldManager=m', 400, /metadata\.managedFields must be nil/],
    [
      'an unknown field',
      object({ x: 1 }),
      '?fieldManager=m',
      400,
      /failed to create typed patch object .*: \.spec\.x: field not declared in schema/,
    ],
    [
      'a name that is no text',
      object({}, { name: { toString: 1, valueOf: 1 } }),
      '?fieldManager=m',
      400,
      /failed to create typed patch object \(\/; .*\.metadata\.name: expected string/,
    ],
    ['unknown metadata', object({}, { x: 1 }), '?fieldManager=m', 400, /\.metadata\.x: field not declared in schema/],
    ['a wrong type', object({ size: 'x' }), '?fieldManager=m', 400, /\.spec\.size: expected numeric/],
    [
      'repeated keys of a list',
      object({ parts: [{ name: 'a' }, { name: 'a' }] }),
      '?fieldManager=m',
      400,
      /duplicate entries for key \[name="a"\]/,
    ],
    ['what validation refuses', object({ size: 1000 }), '?fieldManager=m&force=true', 422, /spec\.size/],
    [
      'null for a text',
      object({ serial: null }),
      '?fieldManager=m',
      422,
      /spec\.serial in body must be of type string: "null"/,
    ],
    ['another name', object({}, { name: 'b' }), '?fieldManager=m', 400, /does not match the name on the URL/],
    [
      'another namespace',
      object({}, { namespace: 'other' }),
      '?fieldManager=m',
      400,
      /does not match the namespace sent on the request/,
    ],
    [
      'another uid',
      object({}, { uid: 'x' }),
      '?fieldManager=m',
      422,
      /metadata\.uid: Invalid value: "x": field is immutable/,
    ],
    [
      'a stale resourceVersion',
      object({}, { resourceVersion: '1' }),
      '?fieldManager=m',
      409,
      /the object has been modified/,
    ],
    [
      'a resourceVersion that is none',
      object({}, { resourceVersion: 'x' }),
      '?fieldManager=m',
      422,
      /must be a decimal number/,
    ],
  ])('refuses: %s', async (_title, body, query, code, message) => {
    await call('POST', widgets, { body: object({ size: 3 }) });
    const before = await live();
    const answer = await apply(body, query);
    expect(answer.body).toMatchObject({ kind: 'Status', status: 'Failure', code });
    expect([answer.code, answer.body.message]).toEqual([code, expect.stringMatching(message)]);
    expect((await live()).body).toEqual(before.body);
  });

  test.each<[string, object, number, RegExp]>([
    ['a uid', { uid: 'x' }, 409, /uid mismatch: the provided object specified uid x, and no existing object was found/],
    ['no name', { name: undefined }, 400, /name must be provided/],
    ['a resourceVersion that is none', { resourceVersion: 'x' }, 422, /must be a decimal number/],
  ])('makes nothing with %s', async (_title, metadata, code, message) => {
    const answer = await apply(object({ size: 3 }, metadata));
    expect([answer.code, answer.body.message]).toEqual([code, expect.stringMatching(message)]);
    expect((await live()).code).toBe(404);
  });

  test('a race of applies for a new object has one winner, and all arrive', async () => {
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, i) => apply(object({ size: 3, tags: { [`k${i}`]: 'v' } }), `?fieldManager=m${i}`)),
    );
    expect(answers.filter(({ code }) => code === 201)).toHaveLength(1);
    expect(answers.filter(({ code }) => code === 200)).toHaveLength(29);
    expect(Object.keys((await live()).body.spec.tags)).toHaveLength(30);
  });
});
