/** The documents at our own port and merged by the cluster: their structure, and the headers they come with. */
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import {
  danglingReferences,
  operationsUnder,
  pathParameterFindings,
  repeatedOperationIds,
  schemaFindings,
} from './structure.ts';
import { openWorld, OWN_DOCUMENT, PROTOBUF_V2 } from './world.ts';

const world = await openWorld();
afterAll(() => world.close());
const { own, cluster } = world;

interface Operation {
  readonly operationId: string;
  readonly 'x-kubernetes-group-version-kind'?: {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  };
  readonly consumes?: readonly string[];
  readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> };
}
interface Swagger {
  readonly swagger: string;
  readonly paths: Readonly<Record<string, object>>;
  readonly definitions: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}
interface OpenApi {
  readonly openapi: string;
  readonly components: { readonly schemas: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
}

const prefix = '/apis/kamaji.io/';
const isOurs = (name: string): boolean => name.startsWith('io.kamaji.v1alpha1.');
const ownV2 = await own.read<Swagger>('/openapi/v2');
const ownV3 = await own.read<OpenApi>(OWN_DOCUMENT);
const merged = await cluster.read<Swagger>('/openapi/v2');
const mainKinds = ['DataStore', 'KubeconfigGenerator', 'TenantControlPlane'];

describe.each([
  ['v2 as we publish it', ownV2, 'v2', ownV2.definitions],
  ['v2 as the cluster merges it', merged, 'v2', merged.definitions],
  ['v3', ownV3, 'v3', ownV3.components.schemas],
] as const)('%s', (_title, document, version, schemas) => {
  const ourNames = Object.keys(schemas).filter(isOurs);

  it('holds all our kinds and lists', () => {
    expect(ourNames).toEqual(
      expect.arrayContaining(
        mainKinds.flatMap((kind) => [`io.kamaji.v1alpha1.${kind}`, `io.kamaji.v1alpha1.${kind}List`]),
      ),
    );
  });

  it('is typed all through, with items in every list and no object that is also a map', () => {
    expect(schemaFindings({ version, schemas }, ourNames)).toEqual([]);
  });

  it('has no reference that leads nowhere', () => {
    expect(danglingReferences(document)).toEqual([]);
  });

  it('names no two operations alike', () => {
    expect(repeatedOperationIds(document)).toEqual([]);
  });

  it('declares the parameters of its paths', () => {
    expect(pathParameterFindings(document, prefix)).toEqual([]);
  });

  it('says which kind an operation and a schema are about', () => {
    const operations = operationsUnder(document, prefix);
    expect(operations.length).toBeGreaterThan(30);
    for (const { path, method, operation } of operations) {
      const kind = (operation as unknown as Operation)['x-kubernetes-group-version-kind'];
      expect(kind, `${method} ${path}`).toMatchObject({ version: expect.any(String), kind: expect.any(String) });
    }
    for (const name of ourNames.filter((candidate) => !candidate.endsWith('Request')))
      expect(schemas[name]?.['x-kubernetes-group-version-kind'], name).toHaveLength(1);
  });

  it('offers the patches that a custom resource takes, and no strategic one', () => {
    const patches = operationsUnder(document, prefix).filter(({ method }) => method === 'patch');
    expect(patches.length).toBeGreaterThan(5);
    for (const { path, operation } of patches) {
      const { consumes, requestBody } = operation as unknown as Operation;
      expect(consumes ?? Object.keys(requestBody?.content ?? {}), path).toEqual([
        'application/json-patch+json',
        'application/merge-patch+json',
        'application/apply-patch+yaml',
      ]);
    }
  });
});

it('the cluster renames none of our definitions', () => {
  expect(Object.keys(merged.definitions).filter((name) => /_v\d+$/.test(name))).toEqual([]);
});

it('the cluster shares its own definitions with us instead of having them twice', () => {
  for (const [name, schema] of Object.entries(ownV2.definitions).filter(([candidate]) => !isOurs(candidate))) {
    const { 'x-kubernetes-group-version-kind': _own, ...ours } = schema;
    const { 'x-kubernetes-group-version-kind': _theirs, ...theirs } = merged.definitions[name] ?? {};
    expect(ours, name).toEqual(theirs);
  }
});

describe('/openapi/v3', () => {
  it('lists our group and version and nothing else', async () => {
    const { paths } = await own.read<{ readonly paths: Readonly<Record<string, unknown>> }>('/openapi/v3');
    expect(Object.keys(paths)).toEqual(['apis/kamaji.io/v1alpha1']);
  });

  it('is listed by the cluster with a hash that leads to the document', async () => {
    const { paths } = await cluster.read<{
      readonly paths: Readonly<Record<string, { readonly serverRelativeURL: string }>>;
    }>('/openapi/v3');
    const url = paths['apis/kamaji.io/v1alpha1']?.serverRelativeURL ?? '';
    expect(url).toMatch(/^\/openapi\/v3\/apis\/kamaji\.io\/v1alpha1\?hash=[0-9A-F]{128}$/);
    const answer = await cluster.ask(url);
    expect(answer.code).toBe(200);
    expect(answer.json()).toEqual(ownV3);
    expect(answer.headers['etag']).toBe(`"${url.split('=')[1]}"`);
  });
});

describe('caching', () => {
  const hash = async (): Promise<string> => String((await own.ask(OWN_DOCUMENT)).headers['etag']).replaceAll('"', '');

  it('the current hash makes a document last for a year', async () => {
    const { code, headers } = await own.ask(`${OWN_DOCUMENT}?hash=${await hash()}`);
    expect(code).toBe(200);
    expect(headers['cache-control']).toBe('public, immutable');
    const days = (Date.parse(headers['expires'] ?? '') - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(364);
    expect(days).toBeLessThan(367);
    expect(headers['vary']).toContain('Accept');
  });

  it('an old hash gets the current document, not a redirect that the aggregator refuses', async () => {
    for (const api of [own, cluster]) {
      const { code, headers, text } = await api.ask(`${OWN_DOCUMENT}?hash=0123`);
      expect(code).toBe(200);
      expect(headers['cache-control']).not.toContain('immutable');
      expect(headers['expires']).toBeUndefined();
      expect(JSON.parse(text)).toEqual(ownV3);
    }
  });

  it.each(['/openapi/v2', '/openapi/v3', OWN_DOCUMENT])('%s has a strong quoted ETag and honours it', async (path) => {
    const first = await own.ask(path);
    expect(first.headers['content-type']).toBe('application/json');
    const etag = String(first.headers['etag']);
    expect(etag).toMatch(/^"[0-9A-F]{128}"$/);
    const again = await own.ask(path, { headers: { 'If-None-Match': etag } });
    expect([again.code, again.text, again.headers['etag']]).toEqual([304, '', etag]);
    expect((await own.ask(path, { headers: { 'If-None-Match': '"other"' } })).code).toBe(200);
    expect((await own.ask(path, { headers: { 'If-None-Match': `"other", ${etag}` } })).code).toBe(304);
  });

  it('a document that has not changed is not sent again through the aggregator', async () => {
    const { headers } = await cluster.ask(OWN_DOCUMENT);
    const again = await cluster.ask(OWN_DOCUMENT, { headers: { 'If-None-Match': String(headers['etag']) } });
    expect([again.code, again.text]).toEqual([304, '']);
  });

  it('the same document has the same ETag after a restart', async () => {
    const before = await hash();
    await world.server.stop();
    await world.server.start();
    expect(await hash()).toBe(before);
  });
});

describe('content types', () => {
  it.each(['', '*/*', 'application/json', 'application/*', 'application/json;q=0.5, text/html'])(
    'JSON for Accept %j',
    async (accept) => {
      for (const path of ['/openapi/v2', OWN_DOCUMENT]) {
        const { code, headers } = await own.ask(path, { headers: accept === '' ? {} : { Accept: accept } });
        expect([code, headers['content-type']]).toEqual([200, 'application/json']);
      }
    },
  );

  it.each(['text/html', PROTOBUF_V2])('406 for Accept %j', async (accept) => {
    expect((await own.ask('/openapi/v2', { headers: { Accept: accept } })).code).toBe(406);
  });

  it('the aggregator downloads v2 as a user without groups', async () => {
    // What kube-apiserver sends every minute; that it works at all is what every other test here stands on.
    const poll = await cluster.ask('/openapi/v2', { headers: { 'Impersonate-User': 'system:aggregator' } });
    expect(poll.code).toBe(200);
    const through = await cluster.ask(OWN_DOCUMENT, { headers: { 'Impersonate-User': 'system:aggregator' } });
    expect(through.code).toBe(200);
  });

  it('large documents are compressed for who asks for it, and only then', async () => {
    for (const path of ['/openapi/v2', OWN_DOCUMENT]) {
      const zipped = await own.ask(path, { headers: { 'Accept-Encoding': 'gzip' } });
      expect(zipped.headers['content-encoding']).toBe('gzip');
      expect(zipped.headers['vary']).toContain('Accept-Encoding');
      const plain = await own.ask(path);
      expect(plain.headers['content-encoding']).toBeUndefined();
      expect(gunzipSync(zipped.bytes).equals(plain.bytes)).toBe(true);
    }
    // Below the threshold.
    expect(
      (await own.ask('/openapi/v3', { headers: { 'Accept-Encoding': 'gzip' } })).headers['content-encoding'],
    ).toBeUndefined();
  });

  it('HEAD tells of a document without sending it', async () => {
    const { code, headers, text } = await own.ask(OWN_DOCUMENT, { method: 'HEAD' });
    expect([code, text]).toEqual([200, '']);
    expect(Number(headers['content-length'])).toBeGreaterThan(100_000);
  });
});
