import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { gadgetDefinition, widgetDefinition } from './testing/widget.ts';
import { TestServer } from './testing/test-server.ts';
import type { TestObject, TestWatch } from './testing/test-server.ts';

const widgets = '/apis/own.example.com/v1/namespaces/default/widgets';
const everywhere = '/apis/own.example.com/v1/widgets';
const asTable = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
const asPartial = { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' };
const asPartialList = { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' };
const initialEvents = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';

let server: TestServer;
const watches: TestWatch[] = [];

beforeAll(async () => {
  server = await TestServer.open({ definitions: [widgetDefinition, gadgetDefinition], historyWrites: 2000 });
});

afterAll(async () => {
  for (const watch of watches) watch.stop();
  await server.close();
  // The one request that was to time out.
  expect(server.complaints.map(({ fields }) => fields?.['code'])).toEqual([504]);
});

beforeEach(async () => {
  await server.call('DELETE', widgets);
  await server.call('DELETE', widgets.replace('default', 'other'));
});

async function create(name: string, labels: object = {}, namespace = 'default'): Promise<TestObject> {
  const body = { apiVersion: 'own.example.com/v1', kind: 'Widget', metadata: { name, labels }, spec: { size: 3 } };
  const answer = await server.call('POST', widgets.replace('default', namespace), { body });
  expect(answer.code).toBe(201);
  return answer.body;
}

async function label(name: string, labels: object): Promise<TestObject> {
  const headers = { 'content-type': 'application/merge-patch+json' };
  return (await server.call('PATCH', `${widgets}/${name}`, { body: { metadata: { labels } }, headers })).body;
}

async function list(query = '', headers = {}, path = widgets): Promise<TestObject> {
  return (await server.call('GET', path + query, { headers })).body;
}

async function watch(query: string, headers = {}, path = widgets): Promise<TestWatch> {
  const opened = await server.watch(`${path}?${query}`, { headers });
  watches.push(opened);
  return opened;
}

const names = (listed: TestObject): readonly string[] => listed.items.map((item: TestObject) => item.metadata.name);

describe('list', () => {
  test('is never null and always has a resourceVersion', async () => {
    expect(await list()).toEqual({
      kind: 'WidgetList',
      apiVersion: 'own.example.com/v1',
      metadata: { continue: '', resourceVersion: expect.stringMatching(/^[1-9]\d*$/) },
      items: [],
    });
  });

  test('holds the objects as a get answers them, in order of namespace and name', async () => {
    await create('b');
    await create('a');
    await create('c', {}, 'another');
    const all = await list('', {}, everywhere);
    expect(names(all)).toEqual(['c', 'a', 'b']);
    expect(all.items[1]).toEqual((await server.call('GET', `${widgets}/a`)).body);
    await server.call('DELETE', `${widgets.replace('default', 'another')}/c`);
  });

  test('by labels and fields', async () => {
    await create('a', { x: '1' });
    await create('b', { x: '2' });
    await create('ab');
    expect(names(await list('?labelSelector=x'))).toEqual(['a', 'b']);
    expect(names(await list('?labelSelector=x%21%3D1'))).toEqual(['ab', 'b']);
    expect(names(await list('?fieldSelector=metadata.name%3Da'))).toEqual(['a']);
    expect(names(await list('?fieldSelector=metadata.name%3Da&labelSelector=x%3D2'))).toEqual([]);
    expect(names(await list('?fieldSelector=metadata.name%21%3Da'))).toEqual(['ab', 'b']);
    expect(names(await list('?fieldSelector=metadata.namespace%3Ddefault', {}, everywhere))).toEqual(['a', 'ab', 'b']);
    expect(names(await list('?fieldSelector=metadata.namespace%3Dother', {}, everywhere))).toEqual([]);
  });

  test('in pages, all as of one moment', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await create(name, { odd: String('ace'.includes(name)) });
    const first = await list('?limit=2');
    expect(names(first)).toEqual(['a', 'b']);
    expect(first.metadata.remainingItemCount).toBe(3);
    await create('bb');
    const second = await list(`?limit=2&continue=${first.metadata.continue}`);
    expect(names(second)).toEqual(['c', 'd']);
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    const last = await list(`?limit=2&continue=${second.metadata.continue}`);
    expect(names(last)).toEqual(['e']);
    expect(last.metadata).toEqual({ continue: '', resourceVersion: first.metadata.resourceVersion });
    const filtered = await list('?limit=2&labelSelector=odd%3Dtrue');
    expect(names(filtered)).toEqual(['a', 'c']);
    expect(filtered.metadata.remainingItemCount).toBeUndefined();
    expect(names(await list(`?limit=2&labelSelector=odd%3Dtrue&continue=${filtered.metadata.continue}`))).toEqual([
      'e',
    ]);
  });

  test('as of a resourceVersion', async () => {
    const { metadata } = await create('a');
    await create('b');
    expect(names(await list(`?resourceVersion=${metadata.resourceVersion}&resourceVersionMatch=Exact`))).toEqual(['a']);
    expect(names(await list(`?resourceVersion=${metadata.resourceVersion}&limit=5`))).toEqual(['a']);
    expect(names(await list(`?resourceVersion=${metadata.resourceVersion}`))).toEqual(['a', 'b']);
    expect(names(await list('?resourceVersion=0'))).toEqual(['a', 'b']);
  });

  test.each([
    ['limit=x', 400, /invalid syntax/],
    ['resourceVersion=x', 400, /invalid resource version/],
    ['resourceVersionMatch=Exact', 422, /resourceVersionMatch is forbidden unless resourceVersion is provided/],
    ['resourceVersion=0&resourceVersionMatch=Exact', 422, /forbidden for resourceVersion "0"/],
    ['resourceVersion=1&resourceVersionMatch=x', 422, /Unsupported value: "x"/],
    ['sendInitialEvents=true', 422, /sendInitialEvents is forbidden for list/],
    ['continue=x', 400, /continue key is not valid/],
    ['continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiIuLi94In0', 400, /continue key is not valid/],
    ['labelSelector=a%3D%3D%3Db', 400, /unable to parse requirement/],
    ['fieldSelector=spec.size%3D3', 400, /field label not supported: spec\.size/],
    ['fieldSelector=x', 400, /can't understand/],
    ['timeout=x', 400, /invalid timeout/],
  ])('refuses %s', async (query, code, message) => {
    const answer = await server.call('GET', `${widgets}?${query}`);
    expect(answer.code).toBe(code);
    expect(answer.body.message).toMatch(message);
  });

  test('of the future times out, of the forgotten past has expired and can go on', async () => {
    const future = server.call('GET', `${widgets}?resourceVersion=99999999`);
    for (let i = 0; i < 80; i++) {
      await server.clock.advance(50);
      await new Promise((resolve) => void setTimeout(resolve, 2));
    }
    expect((await future).body).toMatchObject({
      code: 504,
      reason: 'Timeout',
      details: { causes: [{ reason: 'ResourceVersionTooLarge' }] },
    });

    for (const name of ['a', 'b', 'c']) await create(name);
    const first = await list('?limit=1');
    await create('d');
    await server.clock.advance(600_000);
    await server.storage.compact();
    const expired = await server.call('GET', `${widgets}?limit=1&continue=${first.metadata.continue}`);
    expect(expired.body).toMatchObject({ code: 410, reason: 'Expired' });
    const rest = await list(`?continue=${expired.body.metadata.continue}`);
    expect(names(rest)).toEqual(['b', 'c', 'd']);
    const old = await server.call(
      'GET',
      `${widgets}?resourceVersion=${first.metadata.resourceVersion}&resourceVersionMatch=Exact`,
    );
    expect(old.body).toMatchObject({
      code: 410,
      reason: 'Expired',
      message: 'The resourceVersion for the provided list is too old.',
    });
  });
});

describe('forms', () => {
  test('tables of lists and objects', async () => {
    await create('a');
    const table = await list('', asTable);
    expect(table).toMatchObject({
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { resourceVersion: expect.any(String) },
    });
    expect(table.columnDefinitions.map(({ name, priority }: TestObject) => [name, priority])).toEqual([
      ['Name', 0],
      ['Size', 0],
      ['Color', 1],
      ['Ready', 0],
      ['Age', 0],
    ]);
    expect(table.rows[0].cells.slice(0, 4)).toEqual(['a', 3, 'red', null]);
    expect(table.rows[0].object).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'a' } });
    expect(table.rows[0].object.spec).toBeUndefined();
    expect((await list('?includeObject=Object', asTable)).rows[0].object.spec.size).toBe(3);
    expect((await list('?includeObject=None', asTable)).rows[0].object).toBeNull();
    expect((await list('?includeObject=x', asTable)).code).toBe(400);
    expect((await server.call('GET', `${widgets}/a`, { headers: asTable })).body.rows).toHaveLength(1);
    const scale = await server.call('GET', `${widgets}/a/scale`, { headers: asTable });
    expect(scale.body.rows[0].cells.slice(0, 3)).toEqual(['a', 1, 0]);
  });

  test('metadata alone', async () => {
    const { metadata } = await create('a', { x: 'a "quoted\\" brace } and {'.replace(/[^\w]/g, '') });
    expect((await server.call('GET', `${widgets}/a`, { headers: asPartial })).body).toEqual({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata,
    });
    expect((await list('', asPartialList)).items).toEqual([
      { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata },
    ]);
    expect((await list('', asPartial)).code).toBe(406);
    expect((await server.call('GET', `${widgets}/a`, { headers: asPartialList })).code).toBe(406);
  });

  test('what the client likes best of what there is', async () => {
    await create('a');
    const type = async (accept: string): Promise<string | undefined> =>
      (await server.call('GET', `${widgets}/a`, { headers: { accept } })).headers['content-type'];
    expect(await type('*/*')).toBe('application/json');
    expect(await type('application/yaml')).toBe('application/yaml');
    expect(await type('application/yaml;q=0.5, application/json;q=0.9')).toBe('application/json');
    expect(await type('application/vnd.kubernetes.protobuf, application/json')).toBe('application/json');
    const refused = await server.call('GET', `${widgets}/a`, { headers: { accept: 'text/plain' } });
    expect(refused.body).toMatchObject({ code: 406, reason: 'NotAcceptable' });
    const pretty = await server.call('GET', `${widgets}/a?pretty=true`);
    expect(pretty.text.startsWith('{\n  "')).toBe(true);
    const browser = await server.call('GET', `${widgets}/a`, { headers: { 'user-agent': 'curl/8' } });
    expect(browser.text.startsWith('{\n  "')).toBe(true);
  });

  test('large answers are compressed for those who ask', async () => {
    for (let i = 0; i < 5; i++) {
      const body = {
        apiVersion: 'own.example.com/v1',
        kind: 'Widget',
        metadata: { name: `big${i}`, annotations: { a: 'x'.repeat(40_000) } },
        spec: { size: 1 },
      };
      await server.call('POST', widgets, { body });
    }
    const response = await server.open('GET', widgets, { headers: { 'accept-encoding': 'gzip' } });
    expect(response.headers['content-encoding']).toBe('gzip');
    let bytes = 0;
    for await (const chunk of response) bytes += (chunk as Buffer).length;
    expect(bytes).toBeLessThan(20_000);
    expect((await server.call('GET', widgets)).headers['content-encoding']).toBeUndefined();
  });
});

describe('watch', () => {
  test('from a list on, nothing lost and nothing twice', async () => {
    await create('a');
    const { metadata } = await list();
    const stream = await watch(`watch=true&resourceVersion=${metadata.resourceVersion}`);
    expect(stream.response.headers['content-type']).toBe('application/json');
    expect(stream.response.headers['content-length']).toBeUndefined();
    await create('b');
    await label('a', { x: '1' });
    const { body } = await server.call('DELETE', `${widgets}/b`);
    expect(body.status).toBe('Success');
    expect(await stream.take(2)).toEqual(['ADDED b', 'MODIFIED a']);
    const deleted = await stream.next();
    expect(deleted.type).toBe('DELETED');
    expect(Number(deleted.object.metadata.resourceVersion)).toBeGreaterThan(Number(metadata.resourceVersion) + 2);
  });

  test('from nowhere or 0 begins with what is there', async () => {
    await create('a');
    expect(await (await watch('watch=1')).take(1)).toEqual(['ADDED a']);
    expect(await (await watch('watch=true&resourceVersion=0')).take(1)).toEqual(['ADDED a']);
  });

  test('with initial events ends them with a bookmark, also when there are none', async () => {
    const empty = await (await watch(initialEvents)).next();
    expect(empty).toMatchObject({
      type: 'BOOKMARK',
      object: { kind: 'Widget', metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
    });
    await create('a');
    const stream = await watch(`${initialEvents}&resourceVersion=0`);
    expect(await stream.take(2)).toEqual(['ADDED a', 'BOOKMARK']);
    const { metadata } = await list();
    const named = await watch(`${initialEvents}&fieldSelector=metadata.name%3Da`);
    await named.next();
    expect((await named.next()).object.metadata.resourceVersion).toBe(metadata.resourceVersion);
    await create('ab');
    await label('a', { x: '1' });
    expect(await named.take(1)).toEqual(['MODIFIED a']);
    expect(await stream.take(2)).toEqual(['ADDED ab', 'MODIFIED a']);
  });

  test('sees objects enter and leave its selection', async () => {
    const stream = await watch(`${initialEvents}&labelSelector=x%3D1`);
    await stream.next();
    await create('a', { x: '0' });
    await label('a', { x: '1' });
    await label('a', { x: '1', y: '2' });
    const left = await label('a', { x: '2' });
    await server.call('DELETE', `${widgets}/a`);
    await create('b', { x: '1' });
    expect(await stream.take(2)).toEqual(['ADDED a', 'MODIFIED a']);
    const gone = await stream.next();
    expect(gone).toMatchObject({
      type: 'DELETED',
      object: { metadata: { labels: { x: '1', y: '2' }, resourceVersion: left.metadata.resourceVersion } },
    });
    expect(await stream.take(1)).toEqual(['ADDED b']);
  });

  test('as table: columns once; as metadata', async () => {
    await create('a');
    await create('b');
    const table = await watch(initialEvents, asTable);
    const [first, second, bookmark] = [await table.next(), await table.next(), await table.next()];
    expect(first.object.columnDefinitions).toHaveLength(5);
    expect(second.object).toMatchObject({
      kind: 'Table',
      columnDefinitions: null,
      rows: [{ cells: ['b', 3, 'red', null, expect.any(String)] }],
    });
    expect(bookmark.object.rows[0].object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
    const partial = await (await watch(initialEvents, asPartial)).next();
    expect(partial.object).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'a' } });
    expect(partial.object.spec).toBeUndefined();
  });

  test('across namespaces', async () => {
    const stream = await watch(initialEvents, {}, everywhere);
    await stream.next();
    await create('x', {}, 'other');
    await create('y');
    expect(await stream.take(2)).toEqual(['ADDED x', 'ADDED y']);
  });

  test('bookmarks tell how far it is, though nothing it watches has changed', async () => {
    const { metadata } = await list();
    const stream = await watch(
      `watch=true&allowWatchBookmarks=true&resourceVersion=${metadata.resourceVersion}`,
      {},
      everywhere.replace('widgets', 'gadgets'),
    );
    const { metadata: written } = await create('a');
    await server.clock.advance(10_000);
    await new Promise((resolve) => void setTimeout(resolve, 50));
    await server.clock.advance(60_000);
    expect(await stream.next()).toEqual({
      type: 'BOOKMARK',
      object: {
        kind: 'Gadget',
        apiVersion: 'own.example.com/v1',
        metadata: { resourceVersion: written.resourceVersion },
      },
    });
  });

  test('a minute later a bookmark comes again, and the last one two seconds before the end, as new as can be', async () => {
    const { metadata } = await list();
    const stream = await watch(
      `watch=true&allowWatchBookmarks=true&timeoutSeconds=70&resourceVersion=${metadata.resourceVersion}`,
      {},
      everywhere.replace('widgets', 'gadgets'),
    );
    await server.clock.advance(60_000);
    expect(await stream.take(1)).toEqual(['BOOKMARK']);
    const { metadata: written } = await create('a');
    await server.clock.advance(7_999);
    await server.clock.advance(1);
    expect((await stream.next()).object.metadata).toEqual({ resourceVersion: written.resourceVersion });
    await server.clock.advance(2_000);
    expect(await stream.next()).toBeUndefined();
  });

  test('gets no bookmark when it lasts too short for one, or did not ask', async () => {
    const { metadata } = await list();
    for (const query of ['allowWatchBookmarks=true&timeoutSeconds=2', 'timeoutSeconds=70']) {
      const stream = await watch(`watch=true&${query}&resourceVersion=${metadata.resourceVersion}`);
      await server.clock.advance(70_000);
      expect(await stream.next()).toBeUndefined();
    }
  });

  test('ends after its timeout, in order', async () => {
    const stream = await watch('watch=true&timeoutSeconds=5&resourceVersion=1000000');
    await server.clock.advance(5_000);
    expect(await stream.next()).toBeUndefined();
    expect(stream.response.complete).toBe(true);
  });

  test('from a forgotten revision is told so in the stream', async () => {
    const { metadata } = await create('a');
    await create('b');
    await server.clock.advance(600_000);
    await server.storage.compact();
    const stream = await watch(`watch=true&resourceVersion=${Number(metadata.resourceVersion) - 5}`);
    expect(stream.response.statusCode).toBe(200);
    expect(await stream.next()).toMatchObject({
      type: 'ERROR',
      object: { kind: 'Status', code: 410, reason: 'Expired' },
    });
    expect(await stream.next()).toBeUndefined();
  });

  test.each([
    [
      'watch=true&sendInitialEvents=true',
      422,
      /sendInitialEvents requires setting resourceVersionMatch to NotOlderThan/,
    ],
    ['watch=true&resourceVersionMatch=NotOlderThan', 422, /forbidden for watch unless sendInitialEvents is provided/],
    ['watch=true&resourceVersion=x', 400, /invalid resource version/],
    ['watch=true&labelSelector=a%3D%3D%3Db', 400, /unable to parse requirement/],
  ])('refuses %s', async (query, code, message) => {
    const answer = await server.call('GET', `${widgets}?${query}`);
    expect(answer.code).toBe(code);
    expect(answer.body.message).toMatch(message);
  });

  test('is JSON only', async () => {
    const answer = await server.call('GET', `${widgets}?watch=true`, { headers: { accept: 'application/yaml' } });
    expect(answer.code).toBe(406);
  });

  test('a client that goes leaves nothing behind', async () => {
    const before = server.clock.pendingTimers;
    const opened = await Promise.all(Array.from({ length: 20 }, () => watch('watch=true&resourceVersion=1000000')));
    expect(server.clock.pendingTimers).toBeGreaterThan(before);
    for (const stream of opened) stream.stop();
    await expect.poll(() => server.clock.pendingTimers).toBeLessThanOrEqual(before);
  });
});
