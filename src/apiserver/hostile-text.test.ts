/** Texts of a request that make careless parsers and expressions try every way to fail: each is answered at once. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Call } from './testing/test-server.ts';
import { TestServer } from './testing/test-server.ts';
import { gadgetDefinition, widgetDefinition } from './testing/widget.ts';

/** Nearly what a URL or a header may hold. */
const LENGTH = 200_000;
const LIMIT_MS = 1_000;
const widgets = '/apis/own.example.com/v1/namespaces/default/widgets';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.open({ definitions: [widgetDefinition, gadgetDefinition] });
});
afterAll(() => server.close());

const of = (piece: string, ending = ''): string => piece.repeat(Math.floor(LENGTH / piece.length)) + ending;

const texts: readonly string[] = [
  of('a'),
  of('a', '!'),
  of('0', 'x'),
  of('9'),
  of(' ', 'x'),
  of(','),
  of('a,'),
  of('a=b,'),
  of('a!=b,', '!'),
  of('!a,'),
  `a in (${of('b,')})`,
  `a in (${of('(')}`,
  of('a in (b),'),
  of('a notin (b,c),', '('),
  of('a>1,'),
  of('='),
  of('\\='),
  of('metadata.name=a,'),
  of('metadata.name!=a,', '\\'),
  of('-a'),
  of('a.'),
  of('a/'),
  of('1s'),
  of('1.', 'h'),
  of('0', '!'),
];

type Ask = readonly [method: string, path: string, call: Call];

/** Each place in which a client's text is parsed. */
const places = new Map<string, (text: string) => Ask>();

for (const name of [
  'labelSelector',
  'fieldSelector',
  'continue',
  'resourceVersion',
  'resourceVersionMatch',
  'limit',
  'timeout',
  'timeoutSeconds',
  'includeObject',
  'pretty',
]) {
  places.set(name, (text) => ['GET', `${widgets}?${name}=${encoded(text)}`, {}]);
}
for (const name of ['fieldManager', 'fieldValidation', 'dryRun', 'force']) {
  places.set(name, (text) => ['PATCH', `${widgets}/a?${name}=${encoded(text)}`, { body: {} }]);
}
for (const name of ['accept', 'accept-encoding', 'user-agent', 'if-none-match', 'audit-id', 'kubectl-command']) {
  places.set(name, (text) => ['GET', widgets, { headers: { [name]: text } }]);
}
places.set('content-type', (text) => ['POST', widgets, { body: '{}', headers: { 'content-type': text } }]);
places.set('the path', (text) => ['GET', `/apis/${encodeURI(text).slice(0, LENGTH)}`, {}]);
places.set('a name', (text) => ['GET', `${widgets}/${encoded(text)}`, {}]);
for (const name of ['name', 'generateName', 'namespace', 'creationTimestamp', 'resourceVersion', 'uid']) {
  places.set(`metadata.${name}`, (text) => post({ name: 'a', [name]: text }));
}
places.set('a label', (text) => post({ labels: { [text]: text } }));
places.set('an annotation', (text) => post({ annotations: { [text]: 'x' } }));
places.set('a finalizer', (text) => post({ finalizers: [text] }));
places.set('an owner', (text) => post({ ownerReferences: [{ apiVersion: text, kind: text, name: text, uid: text }] }));
places.set('a manager', (text) => post({ managedFields: [{ manager: text, fieldsV1: { [text]: {} }, time: text }] }));
places.set('a number', (text) => ['POST', widgets, { body: `{"spec":{"size":${text}}}` }]);
places.set('JSON', (text) => ['POST', widgets, { body: text }]);
places.set('YAML', (text) => withType('POST', widgets, 'application/yaml', text));
places.set('a value in YAML', (text) => withType('POST', widgets, 'application/yaml', `a: ${text}`));
places.set('a path of a JSON patch', (text) =>
  withType(
    'PATCH',
    `${widgets}/a`,
    'application/json-patch+json',
    JSON.stringify([{ op: 'add', path: `/${text}`, value: 1 }]),
  ),
);
places.set('a key of an apply', (text) =>
  withType('PATCH', `${widgets}/a?fieldManager=x`, 'application/apply-patch+yaml', `"${text.replaceAll('\\', '')}": 1`),
);

function encoded(text: string): string {
  return encodeURIComponent(text).slice(0, LENGTH);
}

function withType(method: string, path: string, type: string, body: string): Ask {
  return [method, path, { body, headers: { 'content-type': type } }];
}

function post(metadata: object): Ask {
  const body = {
    apiVersion: 'own.example.com/v1',
    kind: 'Widget',
    metadata: { name: 'a', ...metadata },
    spec: { size: 1 },
  };
  return ['POST', widgets, { body }];
}

test.each([...places])('%s', async (_place, request) => {
  for (const text of texts) {
    const began = performance.now();
    const { code } = await server.call(...request(text));
    const ms = performance.now() - began;
    const what = `${text.slice(0, 12)}...${text.slice(-3)}`;
    expect(ms, what).toBeLessThan(LIMIT_MS);
    expect(code, what).toBeLessThan(500);
    expect(code, what).toBeGreaterThanOrEqual(200);
  }
});

const deep = '{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000);
const hugeKey = `{"${'k'.repeat(1_000_000)}":1}`;

test.each([
  ['POST', widgets, 'application/json'],
  ['POST', widgets, 'application/yaml'],
  ['PUT', `${widgets}/a`, 'application/json'],
  ['PATCH', `${widgets}/a`, 'application/merge-patch+json'],
  ['PATCH', `${widgets}/a`, 'application/json-patch+json'],
  ['PATCH', `${widgets}/a?fieldManager=x`, 'application/apply-patch+yaml'],
  ['PATCH', `${widgets}/a/status`, 'application/merge-patch+json'],
])('10,000 levels, and a key of a million letters: %s %s as %s', async (method, path, type) => {
  await server.call(...post({}));
  const inSpec = (value: string): string =>
    `{"apiVersion":"own.example.com/v1","kind":"Widget","metadata":{"name":"a"},"spec":{"size":1,"free":${value}}}`;
  const inPatch = (value: string): string => `[{"op":"add","path":"/spec/free","value":${value}}]`;
  const wrap = type === 'application/json-patch+json' ? inPatch : inSpec;
  for (const [text, codes] of [
    [deep, [400, 413, 422]],
    [wrap(deep), [400, 413, 422]],
    ['['.repeat(100_000), [400, 413, 422]],
    // It is a key like others where anything may be.
    [wrap(hugeKey), [200, 201, 400, 409, 413, 422]],
  ] as const) {
    const began = performance.now();
    const { code, body } = await server.call(method, path, { body: text, headers: { 'content-type': type } });
    const what = `${text.slice(0, 12)}: ${code} ${String(body?.message).slice(0, 200)}`;
    expect(codes, what).toContain(code);
    expect(performance.now() - began, what).toBeLessThan(LIMIT_MS * 2);
  }
  expect((await server.call('GET', '/livez', {})).code).toBe(200);
});
