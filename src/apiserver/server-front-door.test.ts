import { connect } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import type { Authorizer } from './authorization/authorizer.ts';
import { gadgetDefinition, widgetDefinition } from './testing/widget.ts';
import { TestServer } from './testing/test-server.ts';
import type { TestServerOptions } from './testing/test-server.ts';

const widgets = '/apis/own.example.com/v1/namespaces/default/widgets';
const widget = { apiVersion: 'own.example.com/v1', kind: 'Widget', metadata: { name: 'a' }, spec: { size: 3 } };

let server: TestServer;

async function open(options: Partial<TestServerOptions> = {}): Promise<void> {
  server = await TestServer.open({ definitions: [widgetDefinition, gadgetDefinition], ...options });
}

afterEach(() => server.close());

describe('who may what', () => {
  test('nobody sees more than the health', async () => {
    await open();
    for (const path of [widgets, '/apis', '/openapi/v2', '/metrics', '/version', '/']) {
      expect((await server.call('GET', path, { anonymous: true })).body).toMatchObject({
        code: 401,
        reason: 'Unauthorized',
      });
    }
    for (const path of ['/healthz', '/livez', '/readyz'])
      expect((await server.call('GET', path, { anonymous: true })).text).toBe('ok');
  });

  test('discovery needs no permission, all else does', async () => {
    const asked: string[] = [];
    const authorizer: Authorizer = {
      authorize: ({
        user,
        verb,
        isResourceRequest,
        path,
        resource,
        subresource,
        namespace,
        name,
        fieldSelector,
        labelSelector,
      }) => {
        asked.push(
          [
            user.name,
            verb,
            isResourceRequest ? `${resource}/${subresource} ${namespace}/${name}` : path,
            fieldSelector,
            labelSelector,
          ]
            .join(' ')
            .trim(),
        );
        return Promise.resolve({ allowed: false, reason: '' });
      },
    };
    await open({ authorizer });
    for (const path of [
      '/apis',
      '/apis/own.example.com',
      '/apis/own.example.com/v1',
      '/openapi/v2',
      '/openapi/v3',
      '/version',
    ]) {
      expect((await server.call('GET', path)).code).toBe(200);
    }
    expect(asked).toEqual([]);
    const refused = await server.call('GET', '/metrics');
    expect(refused.body.message).toBe('forbidden: User "jane" cannot get path "/metrics"');
    await server.call('GET', widgets);
    await server.call('GET', `${widgets}?fieldSelector=metadata.name%3Dx&labelSelector=y`);
    await server.call('GET', `${widgets}?watch=true`);
    await server.call('PUT', `${widgets}/a/status`, { body: {} });
    await server.call('DELETE', widgets);
    await server.call('POST', `${widgets}/a/token`, { body: {} });
    expect(asked).toEqual([
      'jane get /metrics',
      'jane list widgets/ default/',
      'jane list widgets/ default/x metadata.name=x y',
      'jane watch widgets/ default/',
      'jane update widgets/status default/a',
      'jane deletecollection widgets/ default/',
      'jane create widgets/token default/a',
    ]);
  });

  test('an authorizer without an answer lets nobody in and tells nothing', async () => {
    await open({ authorizer: { authorize: () => Promise.reject(new Error('secret reason')) } });
    const { code, text } = await server.call('GET', widgets);
    expect(code).toBe(500);
    expect(text).not.toContain('secret reason');
    expect(server.complaints.map(({ message }) => message)).toEqual(['request failed', 'request']);
  });
});

describe('paths and methods', () => {
  test.each([
    ['GET', '/apis/own.example.com/v1/namespaces/default/foos', 404],
    ['GET', '/apis/own.example.com/v2/namespaces/default/widgets', 404],
    ['GET', '/apis/other.example.com/v1/widgets', 404],
    ['GET', `${widgets}/a/nothing`, 404],
    ['GET', `${widgets}/a/status/more`, 404],
    ['GET', '/apis/own.example.com/v1/widgets/a', 404],
    ['GET', '/nothing', 404],
    ['GET', '/apis/own.example.com/v1/namespaces/%ff/widgets', 400],
    ['GET', `${widgets}/..%2f..%2fsecrets`, 404],
    ['GET', `${widgets}/%00`, 404],
    ['POST', '/apis/own.example.com/v1/widgets', 405],
    ['DELETE', '/apis/own.example.com/v1/widgets', 405],
    ['POST', `${widgets}/a`, 405],
    ['PUT', widgets, 405],
    ['PATCH', widgets, 405],
    ['OPTIONS', widgets, 405],
    ['POST', '/apis', 405],
  ])('%s %s: %i', async (method, path, code) => {
    await open();
    const answer = await server.call(method, path);
    expect(answer.code).toBe(code);
    expect(answer.body).toMatchObject({ kind: 'Status', status: 'Failure', code });
  });

  test('HEAD is answered as GET is, without a body', async () => {
    await open();
    expect(await server.call('HEAD', widgets)).toMatchObject({ code: 200, text: '' });
    expect(await server.call('HEAD', `${widgets}/nope`)).toMatchObject({ code: 404, text: '' });
  });

  test('a request whose bytes are nonsense gets 400, and the server lives on', async () => {
    await open();
    await new Promise<void>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false }, () =>
        socket.write('NONSENSE\r\n\r\n'),
      );
      socket
        .on('close', () => resolve())
        .on('error', reject)
        .resume();
    });
    expect((await server.call('GET', '/livez')).code).toBe(200);
  });
});

describe('discovery', () => {
  test('aggregated, with a tag', async () => {
    await open();
    const accept =
      'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList';
    const { headers, body } = await server.call('GET', '/apis', { headers: { accept } });
    expect(headers).toMatchObject({
      'content-type': 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
      'cache-control': 'public',
      vary: 'Accept',
    });
    expect(headers.etag).toMatch(/^"[0-9A-F]{128}"$/);
    expect(body.items[0].versions[0].resources[1]).toEqual({
      resource: 'widgets',
      responseKind: { group: 'own.example.com', version: 'v1', kind: 'Widget' },
      scope: 'Namespaced',
      singularResource: 'widget',
      verbs: ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'],
      shortNames: ['wd'],
      categories: ['toys'],
      subresources: [
        {
          subresource: 'status',
          responseKind: { group: 'own.example.com', version: 'v1', kind: 'Widget' },
          verbs: ['get', 'patch', 'update'],
        },
        {
          subresource: 'scale',
          responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
          verbs: ['get', 'patch', 'update'],
        },
        { subresource: 'token', responseKind: { group: '', version: 'v1', kind: 'Config' }, verbs: ['get', 'create'] },
      ],
    });
    const unchanged = await server.call('GET', '/apis', { headers: { accept, 'if-none-match': String(headers.etag) } });
    expect(unchanged.code).toBe(304);
    expect(unchanged.text).toBe('');
    const older = await server.call('GET', '/apis', { headers: { accept: accept.split(',')[1]! } });
    expect(older.headers['content-type']).toContain('v=v2beta1');
  });

  test('plain', async () => {
    await open();
    const groups = await server.call('GET', '/apis', { headers: { accept: 'application/json' } });
    expect(groups.body).toMatchObject({
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: [{ name: 'own.example.com' }],
    });
    const { body } = await server.call('GET', '/apis/own.example.com/v1/');
    expect(body).toMatchObject({ kind: 'APIResourceList', apiVersion: 'v1', groupVersion: 'own.example.com/v1' });
    expect(body.resources.map(({ name }: { name: string }) => name)).toEqual([
      'gadgets',
      'widgets',
      'widgets/status',
      'widgets/scale',
      'widgets/token',
    ]);
    expect((await server.call('GET', '/apis', { headers: { accept: 'text/html' } })).code).toBe(406);
  });
});

describe('OpenAPI', () => {
  test('v3 by hash', async () => {
    await open();
    const { body } = await server.call('GET', '/openapi/v3');
    const url: string = body.paths['apis/own.example.com/v1'].serverRelativeURL;
    const document = await server.call('GET', url);
    expect(document.headers).toMatchObject({
      'cache-control': 'public, immutable',
      etag: expect.stringMatching(/^"[0-9A-F]{128}"$/),
    });
    const patch = document.body.paths['/apis/own.example.com/v1/namespaces/{namespace}/widgets/{name}'].patch;
    expect(patch['x-kubernetes-group-version-kind']).toEqual({
      group: 'own.example.com',
      version: 'v1',
      kind: 'Widget',
    });
    expect(patch.parameters.map(({ name }: { name: string }) => name)).toContain('fieldValidation');
    expect(Object.keys(patch.requestBody.content)).toEqual([
      'application/json-patch+json',
      'application/merge-patch+json',
      'application/apply-patch+yaml',
    ]);
    const stale = await server.call('GET', url.replace(/hash=.*/, 'hash=OLD'));
    expect(stale.code).toBe(200);
    expect(stale.headers['cache-control']).toBe('no-cache, private');
    const unchanged = await server.call('GET', url, { headers: { 'if-none-match': String(document.headers.etag) } });
    expect(unchanged.code).toBe(304);
  });

  test('v2 refers to what it defines and to nothing else', async () => {
    await open();
    const { body, text } = await server.call('GET', '/openapi/v2');
    const referred = new Set([...text.matchAll(/"#\/definitions\/([^"]+)"/g)].map(([, name]) => name));
    expect([...referred].filter((name) => body.definitions[name!] === undefined)).toEqual([]);
    expect(text).not.toContain('"default"');
    expect(text).not.toContain('#/components/');
    expect(body.definitions['com.example.own.v1.Widget']['x-kubernetes-group-version-kind']).toEqual([
      { group: 'own.example.com', version: 'v1', kind: 'Widget' },
    ]);
    expect(
      (
        await server.call('GET', '/openapi/v2', {
          headers: { accept: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf' },
        })
      ).code,
    ).toBe(406);
  });

  test('a definition that would break the cluster is refused at once', async () => {
    await open();
    const schema = { type: 'object', properties: { bad: { type: 'object', oneOf: [{ type: 'string' }] } } };
    await expect(TestServer.open({ definitions: [{ ...gadgetDefinition, schema: schema as never }] })).rejects.toThrow(
      /OpenAPI v2|oneOf/,
    );
  });
});

describe('health and metrics', () => {
  test('named checks', async () => {
    await open();
    expect((await server.call('GET', '/readyz?verbose')).text).toBe(
      '[+]ping ok\n[+]storage ok\n[+]shutdown ok\nreadyz check passed\n',
    );
    expect((await server.call('GET', '/readyz/storage')).text).toBe('ok');
    expect((await server.call('GET', '/readyz/nothing')).code).toBe(404);
    expect((await server.call('GET', '/readyz?verbose&exclude=storage')).text).toContain('[+]storage excluded: ok');
  });

  test('metrics count, but not what clients make up', async () => {
    await open();
    await server.call('POST', widgets, { body: widget });
    for (let i = 0; i < 20; i++) await server.call('GET', `/apis/group${i}.example.com/v1/things${i}`);
    const { text } = await server.call('GET', '/metrics');
    expect(text).toContain(
      'apiserver_request_total{verb="create",group="own.example.com",version="v1",resource="widgets",subresource="",scope="namespace",code="201"} 1',
    );
    expect(text).not.toContain('things1');
    expect(text).toContain('apiserver_longrunning_requests 0');
    const watch = await server.watch(`${widgets}?watch=true`);
    await watch.next();
    const { text: later } = await server.call('GET', '/metrics');
    expect(later).toContain('apiserver_watch_events_total{group="own.example.com",version="v1",resource="widgets"} 1');
    expect(later).toContain('apiserver_longrunning_requests 1');
    watch.stop();
  });
});

describe('limits', () => {
  test('too many at a time are sent away, watches and masters are not', async () => {
    const held: (() => void)[] = [];
    await open({
      inFlight: { reads: 1, writes: 1 },
      admission: [{ name: 'Slow', validate: () => new Promise((resolve) => void held.push(resolve)) }],
    });
    const first = server.call('POST', widgets, { body: widget });
    await expect.poll(() => held.length).toBe(1);
    const second = await server.call('POST', widgets, { body: { ...widget, metadata: { name: 'b' } } });
    expect(second.body).toMatchObject({ code: 429, reason: 'TooManyRequests' });
    expect(second.headers['retry-after']).toBe('1');
    expect((await server.call('GET', widgets)).code).toBe(200);
    const master = server.call('POST', widgets, {
      body: { ...widget, metadata: { name: 'c' } },
      headers: { 'x-test-group': 'system:masters' },
    });
    await expect.poll(() => held.length).toBe(2);
    for (const release of held) release();
    expect([(await first).code, (await master).code]).toEqual([201, 201]);
  });

  test('what takes too long is answered 504 and given up', async () => {
    let entered = false;
    await open({
      admission: [
        {
          name: 'Stuck',
          validate: () => {
            entered = true;
            return new Promise(() => undefined);
          },
        },
      ],
    });
    const stuck = server.call('POST', `${widgets}?timeout=5s`, { body: widget });
    await expect.poll(() => entered).toBe(true);
    await server.clock.advance(5_000);
    expect((await stuck).body).toMatchObject({
      code: 504,
      reason: 'Timeout',
      message: 'Timeout: request did not complete within the allotted timeout',
    });
  });

  test('a body that never ends costs only its connection', async () => {
    await open();
    await new Promise<void>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false }, () => {
        socket.write(`POST ${widgets} HTTP/1.1\r\nhost: x\r\nx-test-user: jane\r\ntransfer-encoding: chunked\r\n\r\n`);
        const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
        const send = (): void => {
          while (!socket.destroyed && socket.write(chunk));
        };
        socket.on('drain', send);
        send();
      });
      let answer = '';
      socket.on('data', (data) => (answer += data.toString()));
      socket.on('error', () => undefined);
      socket.on('close', () =>
        answer.startsWith('HTTP/1.1 413') || answer === '' ? resolve() : reject(new Error(answer)),
      );
    });
    expect((await server.call('GET', '/livez')).code).toBe(200);
  });
});

describe('stopping', () => {
  test('not ready first, watches end in order, running requests finish', async () => {
    const held: (() => void)[] = [];
    await open({ admission: [{ name: 'Slow', validate: () => new Promise((resolve) => void held.push(resolve)) }] });
    const watch = await server.watch(`${widgets}?watch=true&resourceVersion=100000`);
    const running = server.call('POST', widgets, { body: widget });
    await expect.poll(() => held.length).toBe(1);
    const stopped = server.server.stop({ delayMs: 1_000, drainMs: 60_000 });
    expect((await server.call('GET', '/readyz')).code).toBe(500);
    expect((await server.call('GET', '/livez')).code).toBe(200);
    await server.clock.advance(1_000);
    expect(await watch.next()).toBeUndefined();
    expect(watch.response.complete).toBe(true);
    await expect(server.call('GET', '/livez')).rejects.toThrow();
    held[0]!();
    expect((await running).code).toBe(201);
    await stopped;
  });
});
