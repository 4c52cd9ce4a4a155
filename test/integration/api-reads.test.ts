/** Lists, watches and the forms of answers, as raw HTTP through the aggregation layer of a real kube-apiserver. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { KubeList } from '../../src/apimachinery/object.ts';
import type { Status } from '../../src/apimachinery/status.ts';
import { SqliteStorage } from '../../src/apiserver/storage/sqlite/sqlite-storage.ts';
import type { TenantControlPlane } from '../../src/tenancy/api/tenant-control-plane.ts';
import { dataStoreObject, tenantObject } from '../env/api-objects.ts';
import { startApiServer, type ApiServerProcess } from '../env/api-server.ts';
import { GROUP_PATH, kubeconfigCredentials, openClusterApi, openOwnPort, type RawApi } from '../env/raw-api.ts';

const all = `${GROUP_PATH}/tenantcontrolplanes`;
const tenants = `${GROUP_PATH}/namespaces/default/tenantcontrolplanes`;
const mergePatch = { 'Content-Type': 'application/merge-patch+json' };
type Tenants = KubeList<TenantControlPlane>;

let server: ApiServerProcess;
let api: RawApi;
/** Revision before the first tenant. */
let beginning: string;

const list = (query = ''): Promise<Tenants> => api.read<Tenants>(`${tenants}${query}`);
const revision = async (): Promise<string> => (await list('?limit=1')).metadata.resourceVersion ?? '';
const create = (name: string, labels: Readonly<Record<string, string>> = {}): Promise<TenantControlPlane> =>
  api.read<TenantControlPlane>(tenants, { method: 'POST', body: tenantObject(name, {}, { labels }) });
const label = (name: string, labels: Readonly<Record<string, string | null>>): Promise<TenantControlPlane> =>
  api.read<TenantControlPlane>(`${tenants}/${name}`, {
    method: 'PATCH',
    headers: mergePatch,
    body: { metadata: { labels } },
  });
const remove = (name: string): Promise<unknown> => api.read(`${tenants}/${name}`, { method: 'DELETE' });
const names = (of: Tenants): readonly (string | undefined)[] => of.items.map((item) => item.metadata.name);

beforeAll(async () => {
  server = await startApiServer();
  api = await openClusterApi();
  await api.read(`${GROUP_PATH}/datastores`, { method: 'POST', body: dataStoreObject('default') });
  beginning = await revision();
  for (let index = 0; index < 7; index++) await create(`t${index}`, { parity: index % 2 === 0 ? 'even' : 'odd' });
});
afterAll(async () => {
  api?.close();
  await server?.remove();
});

describe('lists', () => {
  it('are empty lists and not null, with a resourceVersion', async () => {
    const empty = await api.ask(`${GROUP_PATH}/namespaces/nowhere/tenantcontrolplanes`);
    expect(empty.text).toContain('"items":[]');
    expect(empty.json() as Tenants).toMatchObject({
      kind: 'TenantControlPlaneList',
      metadata: { resourceVersion: expect.stringMatching(/^[1-9]\d*$/) },
    });
  });

  it('come in pages that are all as of one moment', async () => {
    const first = await list('?limit=3');
    expect([names(first), first.metadata.remainingItemCount]).toEqual([['t0', 't1', 't2'], 4]);
    await create('t1a');
    const second = await list(`?limit=3&continue=${first.metadata.continue}`);
    expect([names(second), second.metadata.remainingItemCount]).toEqual([['t3', 't4', 't5'], 1]);
    const third = await list(`?limit=3&continue=${second.metadata.continue}`);
    expect([names(third), third.metadata.continue, third.metadata.remainingItemCount]).toEqual([['t6'], '', undefined]);
    expect(new Set([first, second, third].map((page) => page.metadata.resourceVersion)).size).toBe(1);
    await remove('t1a');
  });

  it('do not tell how many remain where a selector would have to look at them', async () => {
    const first = await list('?limit=2&labelSelector=parity%3Deven');
    expect([names(first), first.metadata.remainingItemCount]).toEqual([['t0', 't2'], undefined]);
    const second = await list(`?limit=2&labelSelector=parity%3Deven&continue=${first.metadata.continue}`);
    expect([names(second), second.metadata.continue]).toEqual([['t4', 't6'], '']);
  });

  it('select by label sets and by name', async () => {
    expect(names(await list('?labelSelector=parity+notin+(even)'))).toEqual(['t1', 't3', 't5']);
    expect(names(await list('?labelSelector=!parity'))).toEqual([]);
    expect(names(await list('?fieldSelector=metadata.name%3Dt3'))).toEqual(['t3']);
    expect(
      names(
        await api.read<Tenants>(
          `${all}?fieldSelector=metadata.name!%3Dt3,metadata.namespace%3Ddefault&labelSelector=parity%3Dodd`,
        ),
      ),
    ).toEqual(['t1', 't5']);
  });

  it('are of the revision that was asked for when it must be exactly that', async () => {
    const then = await revision();
    await label('t0', { changed: 'yes' });
    const labelsOf = (of: Tenants) => of.items[0]?.metadata.labels;
    const exact = await list(`?resourceVersion=${then}&resourceVersionMatch=Exact`);
    expect([exact.metadata.resourceVersion, labelsOf(exact)]).toEqual([then, { parity: 'even' }]);
    const atLeast = await list(`?resourceVersion=${then}&resourceVersionMatch=NotOlderThan`);
    expect(labelsOf(atLeast)).toEqual({ parity: 'even', changed: 'yes' });
    expect(names(await list(`?resourceVersion=${beginning}&resourceVersionMatch=Exact`))).toEqual([]);
    expect(names(await list('?resourceVersion=0'))).toHaveLength(7);
    await label('t0', { changed: null });
  });

  it.each([
    ['a revision that is no number', '?resourceVersion=new', 400, 'BadRequest'],
    ['a match without a revision', '?resourceVersionMatch=Exact', 422, 'Invalid'],
    ['exactly revision 0', '?resourceVersion=0&resourceVersionMatch=Exact', 422, 'Invalid'],
    ['an unknown match', '?resourceVersion=1&resourceVersionMatch=Roughly', 422, 'Invalid'],
    ['initial events of a list', '?sendInitialEvents=true', 422, 'Invalid'],
    ['a limit that is no number', '?limit=many', 400, 'BadRequest'],
    ['a broken continue token', '?continue=bm9uc2Vuc2U', 400, 'BadRequest'],
    ['an unreadable label selector', '?labelSelector=a+in+(', 400, 'BadRequest'],
    ['an unsupported field', '?fieldSelector=spec.dataStore%3Ddefault', 400, 'BadRequest'],
    [
      'continue and a revision',
      `?continue=${Buffer.from('{"v":"meta.k8s.io/v1","rv":1,"start":"a"}').toString('base64url')}&resourceVersion=5`,
      400,
      'BadRequest',
    ],
  ])('refuse %s', async (_, query, code, reason) => {
    const answer = await api.ask(`${tenants}${query}`);
    expect([answer.code, (answer.json() as Status).kind, (answer.json() as Status).reason]).toEqual([
      code,
      'Status',
      reason,
    ]);
  });

  it('of a revision that is still to come end in 504, which clients know to try again', async () => {
    const future = Number(await revision()) + 1_000;
    const answer = await api.ask(`${tenants}?resourceVersion=${future}`);
    expect(answer.code).toBe(504);
    expect(answer.json() as Status).toMatchObject({
      reason: 'Timeout',
      details: { retryAfterSeconds: 1, causes: [{ reason: 'ResourceVersionTooLarge' }] },
    });
  });
});

describe('watches', () => {
  const watch = (query: string) => api.watch<TenantControlPlane>(`${tenants}?watch=true&${query}`);

  // It lasts long enough for the server to tell its progress, and the other tests make changes that it must not show.
  let quiet: Awaited<ReturnType<typeof watch>>;
  let quietSince: number;
  beforeAll(async () => {
    quietSince = Number(await revision());
    quiet = await watch(
      `labelSelector=color%3Dnone&resourceVersion=${quietSince}&timeoutSeconds=7&allowWatchBookmarks=true`,
    );
  });

  it('begin after a revision and tell each change once, in order', async () => {
    const stream = await watch(`resourceVersion=${await revision()}`);
    expect([stream.code, stream.headers['content-type'], stream.headers['content-length']]).toEqual([
      200,
      'application/json',
      undefined,
    ]);
    const created = await create('w');
    const changed = await label('w', { a: 'b' });
    await remove('w');
    const frames = [await stream.next(), await stream.next(), await stream.next()];
    expect(frames.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
    expect(frames[0]?.object).toEqual(created);
    expect(frames[1]?.object).toEqual(changed);
    expect(Number(frames[2]?.object.metadata.resourceVersion)).toBeGreaterThan(
      Number(changed.metadata.resourceVersion),
    );
    stream.close();
    await stream.ended;
  });

  it('send what is there first, then the mark that ends it, then what is new', async () => {
    const stream = await watch(
      'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&labelSelector=parity%3Dodd',
    );
    const initial = [await stream.next(), await stream.next(), await stream.next()];
    expect(initial.map(({ type, object }) => `${type} ${object.metadata.name}`)).toEqual([
      'ADDED t1',
      'ADDED t3',
      'ADDED t5',
    ]);
    const mark = await stream.next();
    expect(mark).toEqual({
      type: 'BOOKMARK',
      object: {
        kind: 'TenantControlPlane',
        apiVersion: 'kamaji.io/v1alpha1',
        metadata: {
          resourceVersion: expect.stringMatching(/^\d+$/),
          annotations: { 'k8s.io/initial-events-end': 'true' },
        },
      },
    });
    await create('w', { parity: 'odd' });
    expect((await stream.next()).object.metadata.name).toBe('w');
    await remove('w');
    stream.close();
  });

  it('without a revision begin with what is there', async () => {
    const stream = await watch('fieldSelector=metadata.name%3Dt2');
    expect(await stream.next()).toMatchObject({ type: 'ADDED', object: { metadata: { name: 't2' } } });
    stream.close();
  });

  it('show objects that enter and leave what the selector sees', async () => {
    const stream = await watch(`labelSelector=color%3Dred&resourceVersion=${await revision()}`);
    await create('w', { color: 'blue' });
    await label('w', { color: 'red' });
    await label('w', { shade: 'dark' });
    const left = await label('w', { color: 'green' });
    await label('w', { shade: 'light' });
    await label('w', { color: 'red' });
    await remove('w');
    const frames = [];
    for (let count = 0; count < 5; count++) frames.push(await stream.next());
    expect(frames.map(({ type, object }) => `${type} ${object.metadata.labels?.['color']}`)).toEqual([
      'ADDED red',
      'MODIFIED red',
      'DELETED red',
      'ADDED red',
      'DELETED red',
    ]);
    // What left is told as it was, at the revision at which it left.
    expect(frames[2]?.object.metadata).toMatchObject({
      labels: { color: 'red', shade: 'dark' },
      resourceVersion: left.metadata.resourceVersion,
    });
    stream.close();
  });

  it('stay silent for a revision that is still to come', async () => {
    const stream = await watch(`resourceVersion=${Number(await revision()) + 1_000}&timeoutSeconds=1`);
    await create('w');
    await remove('w');
    await stream.ended;
    expect([stream.code, stream.frames]).toEqual([200, []]);
  });

  it.each([
    ['initial events without the match', 'sendInitialEvents=true', 422],
    ['a match without initial events', 'resourceVersion=1&resourceVersionMatch=NotOlderThan', 422],
    ['a revision that is no number', 'resourceVersion=x', 400],
  ])('refuse %s', async (_, query, code) => {
    const answer = await api.ask(`${tenants}?watch=true&${query}`);
    expect([answer.code, (answer.json() as Status).kind]).toEqual([code, 'Status']);
  });

  it('are tables for those who ask for tables, with the columns once', async () => {
    interface Table {
      readonly kind: string;
      readonly columnDefinitions: readonly object[] | null;
      readonly rows: readonly { readonly cells: readonly unknown[] }[];
    }
    const stream = await api.watch<Table>(`${tenants}?watch=true&resourceVersion=${await revision()}`, {
      Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
    });
    await create('w');
    const added = (await stream.next()).object;
    await remove('w');
    const deleted = (await stream.next()).object;
    expect([added.kind, added.rows[0]?.cells[0], deleted.rows[0]?.cells[0]]).toEqual(['Table', 'w', 'w']);
    expect(added.columnDefinitions).not.toHaveLength(0);
    expect(deleted.columnDefinitions).toBeNull();
    stream.close();
  });

  it('end in order after their time, with a bookmark for where to go on', async () => {
    await quiet.ended;
    expect(quiet.frames.map(({ type }) => type)).toEqual(['BOOKMARK']);
    const { metadata } = quiet.frames[0]!.object;
    expect(Object.keys(metadata)).toEqual(['resourceVersion']);
    expect(Number(metadata.resourceVersion)).toBeGreaterThan(quietSince);
  });
});

describe('forms of an answer', () => {
  const ask = (accept: string, path = `${tenants}?limit=1`) => api.ask(path, { headers: { Accept: accept } });

  it('Table, with metadata, whole objects or nothing in its rows', async () => {
    const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    const rowObject = async (include: string) => {
      const answer = await ask(table, `${tenants}/t0?includeObject=${include}`);
      return (answer.json() as { rows: readonly { object: { kind: string; spec?: object } | null }[] }).rows[0]?.object;
    };
    expect(await rowObject('Metadata')).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 't0' } });
    expect((await rowObject('Object'))?.spec).toBeDefined();
    expect(await rowObject('None')).toBeNull();
    const answer = await ask(table);
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(answer.json() as Tenants).toMatchObject({
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { resourceVersion: expect.any(String), continue: expect.any(String), remainingItemCount: 6 },
    });
  });

  it('PartialObjectMetadataList, which the garbage collector asks for', async () => {
    const form = 'as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
    const answer = await ask(`application/vnd.kubernetes.protobuf;${form},application/json;${form}`);
    const partial = answer.json() as Tenants;
    expect([partial.kind, partial.apiVersion]).toEqual(['PartialObjectMetadataList', 'meta.k8s.io/v1']);
    expect(partial.items[0]?.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(partial.items[0]).not.toHaveProperty('spec');
  });

  it('YAML', async () => {
    const answer = await ask('application/yaml', `${tenants}/t0`);
    expect([answer.headers['content-type'], /^kind: TenantControlPlane$/m.test(answer.text)]).toEqual([
      'application/yaml',
      true,
    ]);
  });

  it.each([
    ['an unknown media type', 'application/msword', ''],
    ['protobuf', 'application/vnd.kubernetes.protobuf', ''],
    ['an unknown conversion', 'application/json;as=Poem;v=v1;g=meta.k8s.io', ''],
    ['one object for a list', 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io', ''],
    ['a list for one object', 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io', '/t0'],
    ['a watch in YAML', 'application/yaml', '?watch=true'],
  ])('none for %s', async (_, accept, suffix) => {
    const answer = await ask(accept, tenants + suffix);
    // An error comes in a form that was asked for, if that is one of ours.
    expect([answer.code, (parse(answer.text) as Status).reason]).toEqual([406, 'NotAcceptable']);
  });
});

describe('revisions that history no longer holds', () => {
  it('are told as expired: in a list, in the middle of its pages, and in a watch', async () => {
    const page = await list('?limit=2');
    await server.stop('SIGKILL');
    // What happens by itself after five minutes.
    const storage = await SqliteStorage.open({ path: join(server.folder, 'kamaji.db'), historyMs: -1, compactMs: 0 });
    await storage.commit({ key: '/example.com/pebbles/default/p', value: '{}', expectedRevision: 0 });
    await storage.compact();
    await storage.close();
    await server.start('own-port');
    api.close();
    api = openOwnPort(await kubeconfigCredentials());

    const exact = await api.ask(`${tenants}?resourceVersion=${beginning}&resourceVersionMatch=Exact`);
    expect([exact.code, (exact.json() as Status).reason]).toEqual([410, 'Expired']);

    const next = await api.ask(`${tenants}?limit=2&continue=${page.metadata.continue}`);
    expect([next.code, (next.json() as Status).reason]).toEqual([410, 'Expired']);
    const inconsistent = (next.json() as Status).metadata.continue;
    expect(names(await list(`?limit=2&continue=${inconsistent}`))).toEqual(['t2', 't3']);

    const watch = await api.watch<Status>(`${tenants}?watch=true&resourceVersion=${beginning}`);
    expect(await watch.next()).toMatchObject({
      type: 'ERROR',
      object: { kind: 'Status', code: 410, reason: 'Expired' },
    });
    await watch.ended;
  });
});
