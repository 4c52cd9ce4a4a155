import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { widgetDefinition } from '../testing/widget.ts';
import { TestServer } from '../testing/test-server.ts';
import type { TestObject } from '../testing/test-server.ts';

const widgets = '/apis/own.example.com/v1/namespaces/default/widgets';
const events: TestObject[] = [];
let server: TestServer;

beforeAll(async () => {
  server = await TestServer.open({
    definitions: [widgetDefinition],
    audit: { write: (line) => void events.push(JSON.parse(line)), close: () => Promise.resolve() },
    authorizer: {
      authorize: ({ user }) =>
        Promise.resolve(
          user.name === 'mallory'
            ? { allowed: false, reason: 'nobody likes her' }
            : { allowed: true, reason: 'by rule 7' },
        ),
    },
  });
});
afterAll(() => server.close());
beforeEach(() => void (events.length = 0));

/** The events of the calls so far: they are written once the connection has seen the whole answer. */
async function written(count: number): Promise<readonly TestObject[]> {
  for (let i = 0; i < 200 && events.length < count; i++) await delay(5);
  expect(events).toHaveLength(count);
  return events;
}

const widget = (name: string): object => ({
  apiVersion: 'own.example.com/v1',
  kind: 'Widget',
  metadata: { name },
  spec: { size: 3, tags: { password: 'hunter2' } },
});

test('a create is told with everything about it but its body', async () => {
  const answer = await server.call('POST', `${widgets}?fieldManager=m`, {
    body: widget('a'),
    headers: {
      'user-agent': 'kubectl/v1',
      'audit-id': 'abc-1',
      'x-forwarded-for': '192.0.2.7, ::ffff:192.0.2.8, junk',
    },
  });
  expect(answer.code).toBe(201);
  const [event] = await written(1);
  expect(event).toEqual({
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'Metadata',
    auditID: 'abc-1',
    stage: 'ResponseComplete',
    requestURI: `${widgets}?fieldManager=m`,
    verb: 'create',
    user: { username: 'jane', groups: ['system:authenticated'] },
    sourceIPs: ['192.0.2.7', '192.0.2.8', '127.0.0.1'],
    userAgent: 'kubectl/v1',
    objectRef: { resource: 'widgets', namespace: 'default', name: 'a', apiGroup: 'own.example.com', apiVersion: 'v1' },
    responseStatus: { metadata: {}, code: 201 },
    requestReceivedTimestamp: '2026-01-01T00:00:00.000000Z',
    stageTimestamp: '2026-01-01T00:00:00.000000Z',
    annotations: { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': 'by rule 7' },
  });
  expect(JSON.stringify(event)).not.toContain('hunter2');
});

test('a credential leaves no trace but that it was asked for', async () => {
  const { text } = await server.call('GET', `${widgets}/a/token`);
  expect(text).toContain('secret-of-a');
  const [event] = await written(1);
  expect(event).toMatchObject({
    verb: 'get',
    objectRef: { name: 'a', subresource: 'token' },
    responseStatus: { code: 200 },
  });
  expect(JSON.stringify(event)).not.toContain('secret');
});

test('a refusal is told with its reason, and why the user may not', async () => {
  await server.call('GET', `${widgets}/nothing`);
  await server.call('GET', `${widgets}/a`, { user: 'mallory' });
  const [missing, refused] = await written(2);
  expect(missing.responseStatus).toEqual({ metadata: {}, status: 'Failure', reason: 'NotFound', code: 404 });
  expect(refused).toMatchObject({
    user: { username: 'mallory' },
    responseStatus: { reason: 'Forbidden', code: 403 },
    annotations: { 'authorization.k8s.io/decision': 'forbid', 'authorization.k8s.io/reason': 'nobody likes her' },
  });
});

test('somebody whom nobody knows is told too', async () => {
  await server.call('GET', `${widgets}/a`, { anonymous: true, headers: { authorization: 'Bearer hunter2' } });
  const [event] = await written(1);
  expect(event).toMatchObject({ user: {}, responseStatus: { reason: 'Unauthorized', code: 401 } });
  expect(event.annotations).toBeUndefined();
  expect(JSON.stringify(event)).not.toContain('hunter2');
});

test('a watch is told when it begins and when it has ended', async () => {
  const watch = await server.watch(`${widgets}?watch=true`);
  await watch.next();
  const [started] = await written(1);
  expect(started).toMatchObject({ verb: 'watch', stage: 'ResponseStarted', responseStatus: { code: 200 } });
  watch.stop();
  const [, complete] = await written(2);
  expect(complete).toMatchObject({ verb: 'watch', stage: 'ResponseComplete', auditID: started.auditID });
});

test('paths without an object have none; probes are not told', async () => {
  await server.call('GET', '/healthz', { anonymous: true });
  await server.call('GET', '/version');
  const [event] = await written(1);
  expect(event).toMatchObject({ verb: 'get', requestURI: '/version' });
  expect(event.objectRef).toBeUndefined();
});
