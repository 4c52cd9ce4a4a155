import { setTimeout as sleep } from 'node:timers/promises';
import { connect, constants } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Authorizer } from './authorization/authorizer.ts';
import { TestServer } from './testing/test-server.ts';
import { widgetDefinition } from './testing/widget.ts';

const path = '/apis/own.example.com/v1/namespaces/default/widgets';
const widget = (name: string, text = ''): object => ({
  apiVersion: 'own.example.com/v1',
  kind: 'Widget',
  metadata: { name, annotations: { text } },
  spec: { size: 1 },
});

let server: TestServer;
let session: ClientHttp2Session;
let groups: readonly string[] = [];
const authorizer: Authorizer = {
  authorize: (asked) => {
    groups = asked.user.groups;
    return Promise.resolve({ allowed: true, reason: '' });
  },
};

beforeEach(async () => {
  server = await TestServer.open({ definitions: [widgetDefinition], authorizer });
  session = connect(`https://127.0.0.1:${server.port}`, {
    rejectUnauthorized: false,
    maxSendHeaderBlockLength: 1 << 20,
  });
  session.on('error', () => undefined);
});
afterEach(async () => {
  session.destroy();
  await server.close();
});

interface Answer {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
}

function open(headers: OutgoingHttpHeaders, endStream = true): ClientHttp2Stream {
  const stream = session.request({ 'x-test-user': 'jane', ...headers }, { endStream });
  stream.on('error', () => undefined);
  return stream;
}

async function ask(headers: OutgoingHttpHeaders, body?: string): Promise<Answer> {
  const stream = open(headers, body === undefined);
  const answered = Promise.withResolvers<IncomingHttpHeaders>();
  stream.once('response', answered.resolve);
  stream.once('close', () => answered.reject(new Error('no answer')));
  if (body !== undefined) stream.end(body);
  const answer = await answered.promise;
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return { code: Number(answer[':status']), headers: answer, bytes: Buffer.concat(chunks) };
}

const create = (object: object): Promise<Answer> =>
  ask({ ':method': 'POST', ':path': path, 'content-type': 'application/json' }, JSON.stringify(object));

test('requests are answered as over HTTP/1.1', async () => {
  expect((await create(widget('a'))).code).toBe(201);
  const one = await ask({ ':path': `${path}/a` });
  expect(one.headers['content-type']).toBe('application/json');
  const sameOne = await server.call('GET', `${path}/a`);
  expect(one.bytes.toString()).toBe(sameOne.text);
  expect((await ask({ ':path': `${path}/b` })).code).toBe(404);
  expect((await ask({ ':method': 'HEAD', ':path': path })).code).toBe((await server.call('HEAD', path)).code);
});

test('a user of very many groups is known by all of them', async () => {
  const names = Array.from({ length: 3_000 }, (_, index) => `group-${index}`);
  expect((await ask({ ':path': path, 'x-test-group': names })).code).toBe(200);
  expect(groups).toEqual([...names, 'system:authenticated']);
});

test('a list of megabytes comes whole, compressed or not', async () => {
  for (let index = 0; index < 12; index++) {
    expect((await create(widget(`w${index}`, String(index).repeat(100_000)))).code).toBe(201);
  }
  const plain = await ask({ ':path': path });
  expect(plain.headers['content-length']).toBe(String(plain.bytes.length));
  const packed = await ask({ ':path': path, 'accept-encoding': 'gzip' });
  expect(packed.headers['content-encoding']).toBe('gzip');
  expect(packed.bytes.length).toBeLessThan(plain.bytes.length / 10);
  expect(gunzipSync(packed.bytes).toString()).toBe(plain.bytes.toString());
  expect((JSON.parse(plain.bytes.toString()) as { items: unknown[] }).items).toHaveLength(12);
});

test('many watches share a connection, and get every event', async () => {
  const seen = Array.from({ length: 150 }, () => '');
  await Promise.all(
    seen.map(async (_, index) => {
      const stream = open({ ':path': `${path}?watch=true` });
      stream.on('data', (chunk: Buffer) => (seen[index] += chunk.toString()));
      await new Promise((resolve) => stream.once('response', resolve));
    }),
  );
  for (const name of ['a', 'b', 'c']) expect((await create(widget(name))).code).toBe(201);
  for (let turn = 0; turn < 500 && seen.some((text) => text.split('\n').length < 4); turn++) await sleep(5);
  for (const text of seen) expect(text.match(/"type":"ADDED"/g)).toHaveLength(3);
  expect(new Set(seen).size).toBe(1);
});

test('a client that leaves in the middle does no harm', async () => {
  expect((await create(widget('a', 'x'.repeat(200_000)))).code).toBe(201);
  const uploading = open({ ':method': 'POST', ':path': path, 'content-type': 'application/json' }, false);
  uploading.write('{"apiVersion":"own.example.com/v1",');
  await sleep(20);
  uploading.close(constants.NGHTTP2_CANCEL);
  const watching = open({ ':path': `${path}?watch=true` });
  await new Promise((resolve) => watching.once('response', resolve));
  watching.close(constants.NGHTTP2_CANCEL);
  for (let index = 0; index < 5; index++) {
    const listing = open({ ':path': path });
    await new Promise((resolve) => listing.once('response', resolve));
    listing.close(constants.NGHTTP2_CANCEL);
  }
  await sleep(50);
  expect((await ask({ ':path': `${path}/a` })).code).toBe(200);
  expect(server.complaints).toEqual([]);
});

test('a body that is too large is refused without being read', async () => {
  const stream = open(
    { ':method': 'POST', ':path': path, 'content-type': 'application/json', 'content-length': 50_000_000 },
    false,
  );
  stream.write(' '.repeat(1_000));
  const headers = await new Promise<IncomingHttpHeaders>((resolve) => stream.once('response', resolve));
  expect(headers[':status']).toBe(413);
  stream.resume();
  await new Promise((resolve) => stream.once('close', resolve));
});

test('who is nobody is answered, and has to connect anew', async () => {
  const closed = new Promise((resolve) => session.once('close', resolve));
  const stream = session.request({ ':path': path });
  const headers = await new Promise<IncomingHttpHeaders>((resolve) => stream.once('response', resolve));
  expect(headers[':status']).toBe(401);
  stream.resume();
  await closed;
});

test('at the end clients are told to go elsewhere, and watches end in order', async () => {
  const goAway = new Promise((resolve) => session.once('goaway', resolve));
  const watching = open({ ':path': `${path}?watch=true` });
  await new Promise((resolve) => watching.once('response', resolve));
  watching.resume();
  const ended = new Promise((resolve) => watching.once('end', resolve));
  const stopped = server.server.stop({ drainMs: 5_000 });
  await goAway;
  await ended;
  await stopped;
  expect(watching.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
});
