import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newNamespaceLifecycle } from './admission/plugins/namespace-lifecycle.ts';
import { busybody, getTestNamespace, seen } from './testing/busybody.ts';
import { gadgetDefinition, widgetDefinition } from './testing/widget.ts';
import { TestServer } from './testing/test-server.ts';
import type { Answer, Call, TestObject } from './testing/test-server.ts';

const widgets = '/apis/own.example.com/v1/namespaces/default/widgets';

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

function jsonPatch(path: string, body: object): Promise<Answer> {
  return call('PATCH', path, { body, headers: { 'content-type': 'application/json-patch+json' } });
}

describe('create', () => {
  test("gives identity, defaults and generation 1, and drops what is not the client's to say", async () => {
    const { code, body, headers } = await call('POST', widgets, {
      body: {
        ...widget(
          'a',
          { parts: [{ name: 'p' }] },
          { uid: 'mine', generation: 7, creationTimestamp: '2001-01-01T00:00:00Z' },
        ),
        status: { replicas: 9 },
      },
    });
    expect(code).toBe(201);
    expect(headers['content-type']).toBe('application/json');
    expect(body.metadata).toEqual({
      creationTimestamp: '2026-01-01T00:00:00Z',
      generation: 1,
      managedFields: expect.any(Array),
      name: 'a',
      namespace: 'default',
      resourceVersion: expect.stringMatching(/^[1-9]\d*$/),
      uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(body.spec).toEqual({ size: 3, color: 'red', replicas: 1, parts: [{ name: 'p', count: 1 }] });
    expect(body.status).toBeUndefined();
    expect((await call('GET', `${widgets}/a`)).body).toEqual(body);
  });

  test('generates names', async () => {
    const body = { ...widget(''), metadata: { generateName: 'w-' } };
    const first = await call('POST', widgets, { body });
    const second = await call('POST', widgets, { body });
    expect(first.body.metadata.name).toMatch(/^w-[a-z0-9]{5}$/);
    expect(second.body.metadata.name).not.toBe(first.body.metadata.name);
  });

  test('unknown and duplicate fields: Warn, Strict, Ignore', async () => {
    const body =
      '{"apiVersion":"own.example.com/v1","kind":"Widget","metadata":{"name":"a","foo":1},"spec":{"size":1,"size":2,"x":1}}';
    const warned = await call('POST', widgets, { body });
    expect(warned.code).toBe(201);
    expect(warned.headers.warning).toBe(
      '299 - "duplicate field \\"spec.size\\"", 299 - "unknown field \\"metadata.foo\\"", 299 - "unknown field \\"spec.x\\""',
    );
    expect(warned.body.spec).toEqual({ size: 2, color: 'red', replicas: 1 });
    const strict = await call('POST', `${widgets}?fieldValidation=Strict`, { body });
    expect(strict.code).toBe(400);
    expect(strict.body.message).toBe(
      'Widget in version "v1" cannot be handled as a Widget: strict decoding error: duplicate field "spec.size", unknown field "metadata.foo", unknown field "spec.x"',
    );
    const ignored = await call('POST', `${widgets}?fieldValidation=Ignore&dryRun=All`, {
      body: body.replace('"a"', '"b"'),
    });
    expect(ignored.code).toBe(201);
    expect(ignored.headers.warning).toBeUndefined();
  });

  test('a dry run stores nothing and has no resourceVersion', async () => {
    const { code, body } = await call('POST', `${widgets}?dryRun=All`, { body: widget('a') });
    expect(code).toBe(201);
    expect(body.metadata.uid).toBeDefined();
    expect(body.metadata.resourceVersion).toBeUndefined();
    expect((await call('GET', `${widgets}/a`)).code).toBe(404);
    expect(seen).toContain('CREATE - default/a dry');
  });

  test.each<[string, object | string, string, number, RegExp]>([
    ['invalid', widget('a', { size: 0, color: 'pink' }), '', 422, /^Widget\.own\.example\.com "a" is invalid: \[/],
    ['bad name', widget('A_'), '', 422, /metadata\.name: Invalid value: "A_"/],
    ['no name', widget(''), '', 422, /name or generateName is required/],
    ['other namespace', widget('a', {}, { namespace: 'other' }), '', 400, /does not match the namespace/],
    ['resourceVersion', widget('a', {}, { resourceVersion: '5' }), '', 400, /resourceVersion should not be set/],
    ['wrong kind', { ...widget('a'), kind: 'Gadget' }, '', 422, /kind: Invalid value: "Gadget": must be Widget/],
    [
      'wrong version',
      { ...widget('a'), apiVersion: 'own.example.com/v9' },
      '',
      400,
      /does not match the expected API version/,
    ],
    ['empty body', '', '', 400, /unrecognized \(must be of type Widget\).*<empty>/],
    ['no JSON', '{', '', 400, /unexpected end of JSON input/],
    ['dryRun', widget('a'), '?dryRun=Some', 422, /dryRun: Unsupported value: \["Some"\]: supported values: "All"/],
    ['fieldValidation', widget('a'), '?fieldValidation=x', 422, /fieldValidation: Unsupported value/],
    ['fieldManager', widget('a'), `?fieldManager=${'m'.repeat(129)}`, 422, /fieldManager: Too long/],
    ['too large', `{"a":"${'x'.repeat(3 * 1024 * 1024)}"}`, '', 413, /limit is 3145728/],
    [
      'larger than etcd takes',
      widget('a', { free: { a: 'x'.repeat(1_600_000) } }),
      '',
      413,
      /an object may take 1572864 bytes/,
    ],
    ['too deep', '{"a":'.repeat(1000), '', 400, /exceeded max depth/],
  ])('refuses: %s', async (_title, body, query, code, message) => {
    const answer = await call('POST', widgets + query, { body });
    expect(answer.body).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code });
    expect(answer.code).toBe(code);
    expect(answer.body.message).toMatch(message);
    expect((await call('GET', widgets)).body.items).toEqual([]);
  });

  test('exists already, also while it is being deleted', async () => {
    await create('a', {}, { finalizers: ['x.y/z'] });
    expect((await call('POST', widgets, { body: widget('a') })).body.message).toBe(
      'widgets.own.example.com "a" already exists',
    );
    await call('DELETE', `${widgets}/a`);
    expect((await call('POST', widgets, { body: widget('a') })).body.message).toBe(
      'object is being deleted: widgets.own.example.com "a" already exists',
    );
    await mergePatch(`${widgets}/a`, { metadata: { finalizers: null } });
  });

  test('a claim is held by one object at a time, and free again once it is gone', async () => {
    await create('a', { serial: 'S1' });
    const { code, body } = await call('POST', widgets, { body: widget('b', { serial: 'S1' }) });
    expect(code).toBe(422);
    expect(body.details.causes).toEqual([
      { reason: 'FieldValueDuplicate', message: 'Duplicate value: "S1"', field: 'spec.serial' },
    ]);
    await call('DELETE', `${widgets}/a`);
    await create('b', { serial: 'S1' });
  });

  test('namespaces must be there and stay', async () => {
    const missing = await call('POST', widgets.replace('default', 'nowhere'), { body: widget('a') });
    expect(missing.code).toBe(404);
    expect(missing.body.message).toBe('namespaces "nowhere" not found');
    const dying = await call('POST', widgets.replace('default', 'dying'), { body: widget('a') });
    expect(dying.code).toBe(403);
    expect(dying.body.details.causes[0]).toMatchObject({ reason: 'NamespaceTerminating', field: 'metadata.namespace' });
  });

  test('admission changes (and defaults follow), warns and refuses', async () => {
    const changed = await create('a', { color: 'green', tags: { please: 'change' } });
    expect(changed.spec).toMatchObject({ color: 'red', tags: { changed: 'yes' } });
    const warned = await call('POST', widgets, { body: widget('b', { tags: { count: 'others' } }) });
    expect(warned.headers.warning).toBe('299 - "there are 1 others"');
    const refused = await call('POST', widgets, { body: widget('c', {}, { labels: { refuse: 'CREATE' } }) });
    expect(refused.code).toBe(403);
    expect(refused.body.message).toBe('widgets.own.example.com "c" is forbidden: I do not like it');
    const unlucky = await call('POST', widgets, { body: widget('d', { size: 13 }) });
    expect(unlucky.headers.warning).toBe('299 - "size 13 brings bad luck"');
  });

  test('YAML, and no Content-Type at all', async () => {
    const body = 'apiVersion: own.example.com/v1\nkind: Widget\nmetadata: {name: a}\nspec: {size: 3}\n';
    expect((await call('POST', widgets, { body, headers: { 'content-type': 'application/yaml' } })).code).toBe(201);
    const response = await server.call('POST', widgets, { body: widget('b'), headers: { 'content-type': '' } });
    expect(response.code).toBe(201);
    const refused = await call('POST', widgets, { body, headers: { 'content-type': 'text/plain' } });
    expect(refused.code).toBe(415);
  });
});

describe('update', () => {
  test('counts generations, keeps system fields, leaves status alone', async () => {
    const old = await create('a');
    const next = {
      ...old,
      metadata: { ...old.metadata, generation: 99, labels: { x: 'y' } },
      spec: { size: 4 },
      status: { replicas: 9 },
    };
    const { code, body } = await call('PUT', `${widgets}/a`, { body: next });
    expect(code).toBe(200);
    expect(body.metadata).toMatchObject({ generation: 2, uid: old.metadata.uid, labels: { x: 'y' } });
    expect(body.status).toBeUndefined();
    const labelled = await mergePatch(`${widgets}/a`, { metadata: { labels: { x: 'z' } } });
    expect(labelled.body.metadata.generation).toBe(2);
    const same = await call('PUT', `${widgets}/a`, { body: labelled.body });
    expect(same.body.metadata.resourceVersion).toBe(labelled.body.metadata.resourceVersion);
  });

  test('status changes alone', async () => {
    const old = await create('a');
    const body = {
      ...old,
      metadata: { ...old.metadata, labels: { no: 'label' } },
      spec: { size: 99 },
      status: { replicas: 2, foo: 1 },
    };
    const answer = await call('PUT', `${widgets}/a/status`, { body });
    expect(answer.code).toBe(200);
    expect(answer.headers.warning).toBe('299 - "unknown field \\"status.foo\\""');
    expect(answer.body).toMatchObject({ metadata: { generation: 1 }, spec: { size: 3 }, status: { replicas: 2 } });
    expect(answer.body.metadata.labels).toBeUndefined();
    const bad = await mergePatch(`${widgets}/a/status`, { status: { replicas: 'x' } });
    expect(bad.code).toBe(422);
    const spec = await mergePatch(`${widgets}/a`, { spec: { size: 5 }, status: { replicas: 77 } });
    expect(spec.body).toMatchObject({ metadata: { generation: 2 }, spec: { size: 5 }, status: { replicas: 2 } });
  });

  test.each<[string, (old: TestObject) => object, string, number, RegExp]>([
    [
      'no resourceVersion',
      () => widget('a'),
      'a',
      422,
      /resourceVersion: Invalid value: 0: must be specified for an update/,
    ],
    [
      'stale',
      (old) => ({ ...old, metadata: { ...old.metadata, resourceVersion: '1' } }),
      'a',
      409,
      /the object has been modified/,
    ],
    [
      'no number',
      (old) => ({ ...old, metadata: { ...old.metadata, resourceVersion: 'x' } }),
      'a',
      422,
      /must be a decimal number/,
    ],
    [
      'other uid',
      (old) => ({ ...old, metadata: { ...old.metadata, uid: 'other' } }),
      'a',
      409,
      /UID in precondition: other/,
    ],
    ['other name', (old) => old, 'b', 400, /name of the object \(a\) does not match the name on the URL \(b\)/],
    ['missing', () => widget('zz', {}, { resourceVersion: '1' }), 'zz', 404, /"zz" not found/],
    [
      'its own rule',
      (old) => ({ ...old, spec: { ...old.spec, serial: 'other' } }),
      'a',
      422,
      /spec\.serial: Invalid value: "other": field is immutable/,
    ],
    [
      'deletionTimestamp',
      (old) => ({ ...old, metadata: { ...old.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }),
      'a',
      422,
      /deletionTimestamp/,
    ],
  ])('refuses: %s', async (_title, body, name, code, message) => {
    const old = await create('a', { serial: 'S' });
    const answer = await call('PUT', `${widgets}/${name}`, { body: body(old) });
    expect(answer.code).toBe(code);
    expect(answer.body.message).toMatch(message);
    expect((await call('GET', `${widgets}/a`)).body).toEqual(old);
  });
});

describe('patch', () => {
  test('merge and JSON', async () => {
    await create('a', { tags: { x: '1', y: '2' } });
    const merged = await mergePatch(`${widgets}/a`, { spec: { tags: { x: null, z: '3' } } });
    expect(merged.body.spec.tags).toEqual({ y: '2', z: '3' });
    const patched = await jsonPatch(`${widgets}/a`, [
      { op: 'test', path: '/spec/size', value: 3 },
      { op: 'replace', path: '/spec/size', value: 5 },
      { op: 'remove', path: '/spec/tags/y' },
    ]);
    expect(patched.body.spec).toMatchObject({ size: 5, tags: { z: '3' } });
  });

  test.each<[string, string, string | object, string, number, RegExp]>([
    [
      'strategic',
      'application/strategic-merge-patch+json',
      {},
      '',
      415,
      /accepted media types include: application\/json-patch\+json, application\/merge-patch\+json/,
    ],
    [
      'apply of CBOR',
      'application/apply-patch+cbor',
      {},
      '',
      415,
      /accepted media types include: application\/json-patch\+json, application\/merge-patch\+json, application\/apply-patch\+yaml$/,
    ],
    ['broken', 'application/merge-patch+json', '{', '', 400, /error decoding patch: unexpected end of JSON input/],
    ['no object', 'application/merge-patch+json', '[]', '', 400, /cannot unmarshal array/],
    [
      'failed test',
      'application/json-patch+json',
      [{ op: 'test', path: '/spec/size', value: 9 }],
      '',
      422,
      /rejected our request due to an error/,
    ],
    [
      'too many',
      'application/json-patch+json',
      Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/x' })),
      '',
      413,
      /maximum operations in a JSON patch is 10000, got 10001/,
    ],
    [
      'another name',
      'application/merge-patch+json',
      { metadata: { name: 'b' } },
      '',
      400,
      /does not match the name on the URL/,
    ],
    [
      'another namespace',
      'application/merge-patch+json',
      { metadata: { namespace: 'b' } },
      '',
      400,
      /does not match the namespace/,
    ],
    ['another kind', 'application/merge-patch+json', { kind: 'Foo' }, '', 422, /must be Widget/],
    [
      'another uid',
      'application/merge-patch+json',
      { metadata: { uid: 'b' } },
      '',
      422,
      /metadata\.uid: Invalid value: "b": field is immutable/,
    ],
    [
      'stale',
      'application/merge-patch+json',
      { metadata: { resourceVersion: '1' } },
      '',
      409,
      /the object has been modified/,
    ],
    [
      'unknown',
      'application/merge-patch+json',
      { spec: { x: 1 } },
      '?fieldValidation=Strict',
      422,
      /strict decoding error: unknown field "spec\.x"/,
    ],
    [
      'force',
      'application/merge-patch+json',
      {},
      '?force=true',
      422,
      /force: Forbidden: may not be specified for non-apply patch/,
    ],
    ['invalid', 'application/merge-patch+json', { spec: { size: 1000 } }, '', 422, /spec\.size/],
    ['root gone', 'application/json-patch+json', [{ op: 'replace', path: '', value: 5 }], '', 422, /./],
  ])('refuses: %s', async (_title, type, body, query, code, message) => {
    const old = await create('a');
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await call('PATCH', `${widgets}/a${query}`, { body: text, headers: { 'content-type': type } });
    expect(answer.code).toBe(code);
    expect(answer.body.message).toMatch(message);
    expect((await call('GET', `${widgets}/a`)).body).toEqual(old);
  });

  test('a missing object comes before a broken patch', async () => {
    const { code } = await call('PATCH', `${widgets}/zz`, {
      body: '{',
      headers: { 'content-type': 'application/merge-patch+json' },
    });
    expect(code).toBe(404);
  });

  test('keys named __proto__ and constructor are data', async () => {
    await create('a', { free: {}, tags: {} });
    const merged = await call('PATCH', `${widgets}/a`, {
      body: '{"__proto__":{"polluted":1},"spec":{"free":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}},"tags":{"__proto__":"t"}}}',
      headers: { 'content-type': 'application/merge-patch+json' },
    });
    expect(merged.code).toBe(200);
    expect(merged.text).toContain('"free":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
    expect(merged.text).toContain('"tags":{"__proto__":"t"}');
    const patched = await jsonPatch(`${widgets}/a`, [{ op: 'add', path: '/spec/free/__proto__/toString', value: 2 }]);
    expect(patched.text).toContain('"__proto__":{"polluted":1,"toString":2}');
    expect(({} as TestObject).polluted).toBeUndefined();
  });

  test('racing patches without resourceVersion all arrive', async () => {
    await create('a', { tags: {} });
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => mergePatch(`${widgets}/a`, { spec: { tags: { [`k${i}`]: 'v' } } })),
    );
    expect(answers.map(({ code }) => code)).toEqual(Array.from({ length: 100 }, () => 200));
    expect(Object.keys((await call('GET', `${widgets}/a`)).body.spec.tags)).toHaveLength(100);
  });
});
