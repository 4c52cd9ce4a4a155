import { getEventListeners } from 'node:events';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newTestAuthority, type TestAuthority } from '../../test/env/certificates.ts';
import { answerJson, answerStatus, startTestServer, type TestServer } from '../../test/env/scripted-server.ts';
import type { KubeObject } from '../apimachinery/object.ts';
import { settle } from '../base/fake-clock.ts';
import { ApiError, ConnectionError, isAlreadyExists, isConflict, isNotFound, ProtocolError } from './api-error.ts';
import type { KubeClient, WatchEvent } from './client.ts';
import { fixedCredentials, type Credentials } from './connection.ts';
import type { ConfigMap } from './kinds.ts';
import { CONFIG_MAPS, NAMESPACES, NODES, resourceFor } from './resources.ts';
import { createKubeClient, createTenantClient } from './rest-client.ts';

const map = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'ns' },
  data,
});

let server: TestServer;
let client: KubeClient & { readonly openSockets: number };

beforeEach(async () => {
  server = await startTestServer((_, response) => answerJson(response, 200, {}));
  client = createKubeClient(
    { server: `${server.url}/prefix/`, credentials: fixedCredentials({}) },
    { random: () => 0.5 },
  );
});
afterEach(async () => {
  client.close();
  await server.close();
});

describe('verbs', () => {
  it('speaks to the paths of Kubernetes', async () => {
    const answer = map('a');
    server.handler = (_, response) => answerJson(response, 200, answer);
    await client.get(CONFIG_MAPS, 'ns', 'a');
    await client.get(NODES, 'ignored', 'n:1');
    await client.find(CONFIG_MAPS, 'ns', 'a');
    await client.find(CONFIG_MAPS, 'ns', 'a', { fromCache: true });
    await client.create(CONFIG_MAPS, map('a'), { dryRun: true });
    await client.update(CONFIG_MAPS, map('a'), { subresource: 'status' });
    await client.mergePatch(CONFIG_MAPS, 'ns', 'a', { data: { b: null } });
    await client.apply(CONFIG_MAPS, map('a'), { fieldManager: 'me & you' });
    await client.delete(CONFIG_MAPS, 'ns', 'a', { propagationPolicy: 'Foreground', uid: 'u' });
    await client.request('POST', '/apis/x?y=1', { body: { a: 1 } });
    const seen = server.requests.map(({ method, path, query, headers, body }) => [
      method,
      `${path}?${query.toString()}`,
      headers['content-type'] ?? '',
      body === '' ? '' : (JSON.parse(body) as unknown),
    ]);
    const one = '/prefix/api/v1/namespaces/ns/configmaps/a?';
    expect(seen).toEqual([
      ['GET', one, '', ''],
      ['GET', '/prefix/api/v1/nodes/n%3A1?', '', ''],
      ['GET', one, '', ''],
      ['GET', `${one}resourceVersion=0`, '', ''],
      ['POST', '/prefix/api/v1/namespaces/ns/configmaps?dryRun=All', 'application/json', map('a')],
      ['PUT', '/prefix/api/v1/namespaces/ns/configmaps/a/status?', 'application/json', map('a')],
      ['PATCH', one, 'application/merge-patch+json', { data: { b: null } }],
      ['PATCH', `${one}fieldManager=me+%26+you&force=true`, 'application/apply-patch+yaml', map('a')],
      [
        'DELETE',
        one,
        'application/json',
        { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Foreground', preconditions: { uid: 'u' } },
      ],
      ['POST', '/prefix/apis/x?y=1', 'application/json', { a: 1 }],
    ]);
    expect(server.requests[0]!.headers['user-agent']).toBe('kamaji/0');
  });

  it('refuses what addresses nothing before it sends', async () => {
    await expect(client.get(CONFIG_MAPS, '', 'a')).rejects.toThrow('needs a namespace');
    await expect(client.get(CONFIG_MAPS, 'ns', '')).rejects.toThrow('is not a name');
    await expect(client.get(CONFIG_MAPS, 'ns', '../secrets/x')).rejects.toThrow('is not a name');
    await expect(client.delete(NODES, '', '..')).rejects.toThrow('is not a name');
    await expect(client.create(CONFIG_MAPS, { ...map('a'), metadata: { name: 'a' } })).rejects.toThrow(
      'needs a namespace',
    );
    expect(server.requests).toEqual([]);
  });

  it('tells what is not there from what failed', async () => {
    server.handler = ({ path }, response) =>
      path.endsWith('/gone')
        ? answerStatus(response, 404, 'NotFound', 'configmaps "gone" not found')
        : answerStatus(response, 403, 'Forbidden', 'no');
    expect(await client.find(CONFIG_MAPS, 'ns', 'gone')).toBeUndefined();
    expect(await client.delete(CONFIG_MAPS, 'ns', 'gone')).toBe(false);
    await expect(client.find(CONFIG_MAPS, 'ns', 'a')).rejects.toMatchObject({ code: 403, reason: 'Forbidden' });
    const error = await client.get(CONFIG_MAPS, 'ns', 'gone').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApiError);
    expect(isNotFound(error)).toBe(true);
    expect((error as Error).message).toBe(
      'GET /api/v1/namespaces/ns/configmaps/gone: 404: configmaps "gone" not found',
    );
  });

  it('tells the two kinds of 409 apart', async () => {
    server.handler = (_, response) => answerStatus(response, 409, 'AlreadyExists', 'x');
    const exists = await client.create(CONFIG_MAPS, map('a')).catch((thrown: unknown) => thrown);
    expect([isAlreadyExists(exists), isConflict(exists)]).toEqual([true, false]);
    server.handler = (_, response) => answerStatus(response, 409, 'Conflict', 'x');
    const conflict = await client.update(CONFIG_MAPS, map('a')).catch((thrown: unknown) => thrown);
    expect([isAlreadyExists(conflict), isConflict(conflict)]).toEqual([false, true]);
  });

  it('makes an error of any other answer', async () => {
    server.handler = (_, response) =>
      response.writeHead(503, { 'content-type': 'text/plain' }).end('error trying to reach service');
    await expect(client.get(CONFIG_MAPS, 'ns', 'a')).rejects.toMatchObject({
      code: 503,
      reason: '',
      message: expect.stringContaining('error trying to reach service') as string,
    });
    server.handler = (_, response) => response.writeHead(200).end('{"secret":"S3cr3t"');
    const error = await client.get(CONFIG_MAPS, 'ns', 'a').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ProtocolError);
    expect(JSON.stringify(error) + String(error)).not.toContain('S3cr3t');
  });
});

describe('list', () => {
  it('follows continue and completes the items', async () => {
    server.handler = ({ query }, response) => {
      const from = Number(query.get('continue') ?? 0);
      const metadata = { resourceVersion: '7', ...(from < 2 ? { continue: String(from + 1) } : {}) };
      answerJson(response, 200, {
        kind: 'ConfigMapList',
        apiVersion: 'v1',
        metadata,
        items: [{ metadata: { name: `i${from}` } }],
      });
    };
    const list = await client.list(CONFIG_MAPS, 'ns', { limit: 1, labelSelector: 'a=b' });
    expect(list.items.map((item) => [item.apiVersion, item.kind, item.metadata.name])).toEqual(
      [0, 1, 2].map((n) => ['v1', 'ConfigMap', `i${n}`]),
    );
    expect(list.metadata).toEqual({ resourceVersion: '7' });
    expect(server.requests.map(({ query }) => query.toString())).toEqual([
      'labelSelector=a%3Db&limit=1',
      'labelSelector=a%3Db&limit=1&continue=1',
      'labelSelector=a%3Db&limit=1&continue=2',
    ]);
  });

  it('takes all in one when the continuation expired', async () => {
    server.handler = ({ query }, response) => {
      if (query.has('continue')) answerStatus(response, 410, 'Expired', 'too old');
      else if (query.has('limit'))
        answerJson(response, 200, { metadata: { continue: 'x' }, items: [{ metadata: { name: 'old' } }] });
      else
        answerJson(response, 200, {
          metadata: { resourceVersion: '9' },
          items: [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }],
        });
    };
    const list = await client.list(CONFIG_MAPS, 'ns');
    expect(list.items.map((item) => item.metadata.name)).toEqual(['a', 'b']);
    expect(list.metadata.resourceVersion).toBe('9');
  });

  it('asks the cache without limit, takes null for no items, and can ask for metadata alone', async () => {
    server.handler = (_, response) => answerJson(response, 200, { metadata: { resourceVersion: '1' }, items: null });
    expect((await client.list(NODES, '', { resourceVersion: '0', metadataOnly: true })).items).toEqual([]);
    expect(server.requests[0]!.query.toString()).toBe('resourceVersion=0');
    expect(server.requests[0]!.headers.accept).toContain('as=PartialObjectMetadataList');
  });
});

describe('failures', () => {
  it('repeats throttled calls of any verb after what the server asks for', async () => {
    let calls = 0;
    server.handler = (_, response) =>
      ++calls < 3
        ? answerStatus(response, 429, 'TooManyRequests', 'slow down', { 'retry-after': '0' })
        : answerJson(response, 201, map('a'));
    await expect(client.create(CONFIG_MAPS, map('a'))).resolves.toMatchObject({ metadata: { name: 'a' } });
    expect(calls).toBe(3);
  });

  it('does not wait longer than the call may take', async () => {
    server.handler = (_, response) =>
      answerStatus(response, 429, 'TooManyRequests', 'slow down', { 'retry-after': '60' });
    const before = performance.now();
    await expect(client.get(CONFIG_MAPS, 'ns', 'a', { timeoutMs: 2000 })).rejects.toMatchObject({
      code: 429,
      retryAfterMs: 60_000,
    });
    expect(performance.now() - before).toBeLessThan(1000);
    expect(server.requests).toHaveLength(1);
  });

  it('repeats what is idempotent after a reset, and never a POST', async () => {
    let calls = 0;
    server.handler = (_, response, raw) => {
      if (++calls % 2 === 1) raw.socket.destroy();
      else answerJson(response, 200, map('a'));
    };
    await client.apply(CONFIG_MAPS, map('a'), { fieldManager: 'm' });
    expect(calls).toBe(2);
    await expect(client.create(CONFIG_MAPS, map('a'))).rejects.toMatchObject({
      name: 'ConnectionError',
      code: 'ECONNRESET',
    });
    expect(calls).toBe(3);
  });

  it('gives up on a server that always resets, or is not there', async () => {
    server.handler = (_, __, raw) => void raw.socket.destroy();
    await expect(client.get(CONFIG_MAPS, 'ns', 'a')).rejects.toBeInstanceOf(ConnectionError);
    expect(server.requests).toHaveLength(4);
    const { port } = server;
    await server.close();
    const none = createKubeClient({ server: `http://127.0.0.1:${port}`, credentials: fixedCredentials({}) });
    await expect(none.get(NODES, '', 'a')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    none.close();
  });

  it('repeats a call whose answer was cut off, and says so when it always is', async () => {
    let calls = 0;
    server.handler = (_, response) => {
      calls++;
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"partial":');
      setTimeout(() => response.destroy(), 5);
    };
    await expect(client.get(CONFIG_MAPS, 'ns', 'a')).rejects.toMatchObject({
      name: 'ConnectionError',
      code: 'ECONNRESET',
    });
    expect(calls).toBe(4);
  });

  it('times out, before headers and in the middle of a body', async () => {
    server.handler = () => undefined;
    await expect(client.get(CONFIG_MAPS, 'ns', 'a', { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringMatching(/no answer within \d+ ms/) as string,
    });
    server.handler = (_, response) => void response.writeHead(200).write('{');
    await expect(client.get(CONFIG_MAPS, 'ns', 'a', { timeoutMs: 50 })).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect(client.openSockets).toBe(0);
  });

  it('stops when the caller does, and lets go of the signal', async () => {
    const controller = new AbortController();
    server.handler = () => controller.abort(new Error('enough'));
    await expect(client.get(CONFIG_MAPS, 'ns', 'a', { signal: controller.signal })).rejects.toThrow('enough');
    await expect(client.get(CONFIG_MAPS, 'ns', 'a', { signal: controller.signal })).rejects.toThrow('enough');
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    const other = new AbortController();
    server.handler = (_, response) => answerJson(response, 200, {});
    await client.get(CONFIG_MAPS, 'ns', 'a', { signal: other.signal });
    expect(getEventListeners(other.signal, 'abort')).toHaveLength(0);
  });

  it('does not read more than it may', async () => {
    const small = createKubeClient({ server: server.url, credentials: fixedCredentials({}) }, { maxBytes: 1000 });
    server.handler = (_, response) => response.writeHead(200).end(JSON.stringify({ data: 'x'.repeat(1000) }));
    await expect(small.get(CONFIG_MAPS, 'ns', 'a')).rejects.toThrow(/larger than 1000 bytes/);
    server.handler = (_, response) => {
      response.writeHead(200);
      for (let i = 0; i < 20; i++) response.write('x'.repeat(100));
      response.end();
    };
    await expect(small.get(CONFIG_MAPS, 'ns', 'a')).rejects.toThrow(/larger than 1000 bytes/);
    small.close();
  });

  it('counts every answer', async () => {
    const seen: [string, number][] = [];
    const counted = createKubeClient(
      { server: server.url, credentials: fixedCredentials({}) },
      { observe: (method, code) => void seen.push([method, code]) },
    );
    server.handler = (_, response) => answerStatus(response, 404, 'NotFound', 'x');
    await counted.find(NODES, '', 'a');
    await server.close();
    await counted
      .create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } })
      .catch(() => undefined);
    expect(seen).toEqual([
      ['GET', 404],
      ['POST', 0],
    ]);
    counted.close();
  });
});

describe('connections', () => {
  it('keeps few, reuses them, and closes them when idle', async () => {
    const sockets = new Set<unknown>();
    server.handler = async (_, response, raw) => {
      sockets.add(raw.socket);
      await settle();
      answerJson(response, 200, {});
    };
    const few = createKubeClient(
      { server: server.url, credentials: fixedCredentials({}) },
      { maxSockets: 3, idleSocketMs: 100 },
    );
    await Promise.all(Array.from({ length: 50 }, (_, i) => few.get(NODES, '', `n${i}`)));
    expect(sockets.size).toBe(3);
    expect(few.openSockets).toBe(3);
    await new Promise((resolve) => {
      setTimeout(resolve, 250);
    });
    expect(few.openSockets).toBe(0);
    await few.get(NODES, '', 'again');
    expect(sockets.size).toBe(4);
    few.close();
    expect(few.openSockets).toBe(0);
    await expect(few.get(NODES, '', 'closed')).rejects.toThrow('the client is closed');
  });

  it('ends calls under way when closed', async () => {
    server.handler = () => client.close();
    await expect(client.get(NODES, '', 'a')).rejects.toThrow('the client is closed');
  });
});

describe('watch', () => {
  const events = async (signal = new AbortController().signal, options = {}): Promise<WatchEvent<KubeObject>[]> => {
    const seen: WatchEvent<KubeObject>[] = [];
    for await (const event of client.watch(CONFIG_MAPS, 'ns', { resourceVersion: '5', signal, ...options }))
      seen.push(event);
    return seen;
  };
  const line = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;

  it('yields events however they are cut', async () => {
    const text =
      line('ADDED', map('ä')) +
      line('MODIFIED', map('b')) +
      line('BOOKMARK', { metadata: { resourceVersion: '9' } }) +
      line('DELETED', map('c'));
    server.handler = async (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      for (const byte of Buffer.from(text)) {
        response.write(Buffer.from([byte]));
        if (byte % 16 === 0) await settle();
      }
      response.end();
    };
    const seen = await events(undefined, { timeoutSeconds: 5, fieldSelector: 'metadata.name=a' });
    expect(seen.map((event) => (event.type === 'BOOKMARK' ? event : [event.type, event.object.metadata.name]))).toEqual(
      [['ADDED', 'ä'], ['MODIFIED', 'b'], { type: 'BOOKMARK', resourceVersion: '9' }, ['DELETED', 'c']],
    );
    expect(server.requests[0]!.query.toString()).toBe(
      'watch=true&allowWatchBookmarks=true&resourceVersion=5&fieldSelector=metadata.name%3Da&timeoutSeconds=5',
    );
  });

  it('throws an error event, and an error answer', async () => {
    server.handler = (_, response) =>
      response.end(
        line('ADDED', map('a')) + line('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' }),
      );
    await expect(events()).rejects.toMatchObject({ name: 'ApiError', code: 410, reason: 'Expired' });
    server.handler = (_, response) => answerStatus(response, 403, 'Forbidden', 'no');
    await expect(events()).rejects.toMatchObject({ name: 'ApiError', code: 403 });
  });

  it.each([
    ['no JSON', 'nonsense\n'],
    ['no object', '{"type":"ADDED"}\n'],
    ['an unknown type', '{"type":"SYNC","object":{}}\n'],
    ['half an event', '{"type":"ADDED","obj'],
  ])('throws for %s instead of dropping it', async (_, text) => {
    server.handler = (__, response) => response.end(line('ADDED', map('a')) + text);
    await expect(events()).rejects.toBeInstanceOf(ProtocolError);
  });

  it('throws when the connection breaks and ends quietly when the caller does', async () => {
    server.handler = (_, response) => {
      response.write(line('ADDED', map('a')));
      setTimeout(() => response.destroy(), 10);
    };
    await expect(events()).rejects.toBeInstanceOf(ConnectionError);
    const controller = new AbortController();
    server.handler = (_, response) => {
      response.write(line('ADDED', map('a')));
      setTimeout(() => controller.abort(), 10);
    };
    expect(await events(controller.signal)).toHaveLength(1);
    expect(await events(controller.signal)).toHaveLength(0);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('does not take the connections of calls, and frees its own when the reader leaves', async () => {
    const one = createKubeClient({ server: server.url, credentials: fixedCredentials({}) }, { maxSockets: 1 });
    server.handler = ({ query }, response) => {
      if (query.has('watch')) response.write(line('ADDED', map('a')));
      else answerJson(response, 200, {});
    };
    const { signal } = new AbortController();
    for await (const event of one.watch(CONFIG_MAPS, '', { resourceVersion: '', signal })) {
      expect(event.type).toBe('ADDED');
      await one.get(NODES, '', 'a');
      expect(one.openSockets).toBe(2);
      break;
    }
    await expect.poll(() => one.openSockets).toBe(1);
    one.close();
  });

  it('ends with an error when the client is closed', async () => {
    server.handler = (_, response) => {
      response.write(line('ADDED', map('a')));
      setTimeout(() => client.close(), 10);
    };
    await expect(events()).rejects.toThrow('the client is closed');
  });
});

describe('TLS', () => {
  let authority: TestAuthority;
  let credentials: Credentials;
  let secure: TestServer;
  beforeAll(async () => {
    authority = await newTestAuthority();
    const leaf = await authority.issue({ commonName: 'alice', organization: 'system:masters' });
    credentials = { ca: authority.certificate, certificate: leaf.certificate, key: leaf.key };
  });
  beforeEach(async () => {
    const leaf = await authority.issue({ commonName: 'server', names: ['tenant.example'] });
    secure = await startTestServer(
      (_, response, raw) => {
        const peer = (
          raw.socket as unknown as { getPeerCertificate(): { subject?: { CN?: string } } }
        ).getPeerCertificate();
        answerJson(response, 200, { metadata: { name: peer.subject?.CN } });
      },
      {
        cert: leaf.certificate,
        key: leaf.key,
        ca: authority.certificate,
        requestCert: true,
        rejectUnauthorized: false,
      },
    );
  });
  afterEach(() => secure.close());

  it('shows its certificate and checks the name it was told', async () => {
    const tenantClient = createTenantClient({ server: secure.url, serverName: 'tenant.example', ...credentials });
    expect((await tenantClient.get(NODES, '', 'x')).metadata.name).toBe('alice');
    tenantClient.close();
  });

  it('refuses another name, and another authority', async () => {
    const wrongName = createTenantClient({ server: secure.url, ...credentials });
    await expect(wrongName.get(NODES, '', 'x')).rejects.toMatchObject({
      name: 'ConnectionError',
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    const other = await newTestAuthority('other');
    const wrongCa = createTenantClient({ server: secure.url, serverName: 'tenant.example', ca: other.certificate });
    await expect(wrongCa.get(NODES, '', 'x')).rejects.toMatchObject({ name: 'ConnectionError' });
    const insecure = createKubeClient({
      server: secure.url,
      insecureSkipTlsVerify: true,
      credentials: fixedCredentials(credentials),
    });
    expect((await insecure.get(NODES, '', 'x')).metadata.name).toBe('alice');
    const broken = createTenantClient({
      server: secure.url,
      certificate: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
    });
    await expect(broken.get(NODES, '', 'x')).rejects.toMatchObject({
      name: 'ConnectionError',
      code: 'BAD_CREDENTIALS',
    });
    for (const each of [wrongName, wrongCa, insecure, broken]) each.close();
  });

  it('takes renewed credentials for the next call, and looks for them when refused', async () => {
    const bob = await authority.issue({ commonName: 'bob' });
    let current = credentials;
    let invalidated = 0;
    const rotating = createKubeClient({
      server: secure.url,
      serverName: 'tenant.example',
      credentials: { current: () => current, invalidate: () => void invalidated++ },
    });
    expect((await rotating.get(NODES, '', 'x')).metadata.name).toBe('alice');
    current = { ...credentials, certificate: bob.certificate, key: bob.key };
    expect((await rotating.get(NODES, '', 'x')).metadata.name).toBe('bob');
    expect(rotating.openSockets).toBe(1);
    current = { ...current, token: 'new-token' };
    await rotating.get(NODES, '', 'x');
    expect(secure.requests.at(-1)!.headers.authorization).toBe('Bearer new-token');
    secure.handler = (_, response) => answerStatus(response, 401, 'Unauthorized', 'Unauthorized');
    await expect(rotating.get(NODES, '', 'x')).rejects.toMatchObject({ code: 401 });
    expect(invalidated).toBe(1);
    rotating.close();
  });
});

it('finds the resource of an object', () => {
  expect(resourceFor({ apiVersion: 'v1', kind: 'ConfigMap' })).toBe(CONFIG_MAPS);
  expect(resourceFor({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole' }).plural).toBe('clusterroles');
  expect(() => resourceFor({ apiVersion: 'v2', kind: 'ConfigMap' })).toThrow('v2 ConfigMap');
});
