/** Discovery beside that of kube-apiserver's own: aggregated, by the old documents, and as the aggregator asks for it. */
import { createHash } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { openOwnPort } from '../env/raw-api.ts';
import { TWIN_GROUP } from '../env/twin-crd.ts';
import { openWorld } from './world.ts';

const world = await openWorld();
afterAll(() => world.close());
const { own, cluster } = world;

const aggregated = (version: string): string =>
  `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;

interface Named {
  readonly name: string;
  readonly kind?: string;
  readonly storageVersionHash?: string;
}
interface ResourceList {
  readonly resources: readonly Named[];
}
interface Version {
  readonly version: string;
  readonly freshness: string;
  readonly resources: readonly {
    readonly resource: string;
    readonly subresources?: readonly { readonly subresource: string }[];
  }[];
}
interface GroupList {
  readonly kind: string;
  readonly apiVersion: string;
  readonly items: readonly { readonly metadata: { readonly name: string }; readonly versions: readonly Version[] }[];
}

function inOurWords<T>(document: T): T {
  return JSON.parse(JSON.stringify(document).replaceAll(TWIN_GROUP, 'kamaji.io')) as T;
}

const isExtra = (name: string): boolean => /(^|\/)(kubeconfig|join-token)$/.test(name);
const byName = <T extends { readonly name: string }>(items: readonly T[]): readonly T[] =>
  items.toSorted((a, b) => (a.name < b.name ? -1 : 1));

describe('the old documents', () => {
  it('/apis/GROUP/VERSION is that of a custom resource, with the subresources that only we have', async () => {
    const { resources: ours, ...rest } = await cluster.read<ResourceList>('/apis/kamaji.io/v1alpha1');
    const { resources: theirs, ...theirRest } = inOurWords(
      await cluster.read<ResourceList>(`/apis/${TWIN_GROUP}/v1alpha1`),
    );
    expect(rest).toEqual(theirRest);
    // The hash is made of the group's name.
    const withHash = theirs.map((item) =>
      item.storageVersionHash === undefined ? item : { ...item, storageVersionHash: hashOf(item.kind ?? '') },
    );
    expect(byName(ours.filter(({ name }) => !isExtra(name)))).toEqual(byName(withHash));
    expect(ours.filter(({ name }) => isExtra(name)).map(({ name }) => name)).toEqual([
      'tenantcontrolplanes/kubeconfig',
      'tenantcontrolplanes/join-token',
    ]);
  });

  it('/apis/GROUP is what kube-apiserver says of a group', async () => {
    const direct = await own.read<object>('/apis/kamaji.io');
    expect(direct).toEqual(await cluster.read('/apis/kamaji.io'));
    expect(direct).toEqual(inOurWords(await cluster.read(`/apis/${TWIN_GROUP}`)));
  });

  it('/apis lists our group alone', async () => {
    const list = await own.read<{ readonly kind: string; readonly groups: readonly Named[] }>('/apis');
    expect([list.kind, list.groups.map(({ name }) => name)]).toEqual(['APIGroupList', ['kamaji.io']]);
  });

  it.each(['/apis', '/apis/kamaji.io', '/apis/kamaji.io/v1alpha1'])(
    '%s comes as JSON or YAML, else 406',
    async (path) => {
      expect((await own.ask(path)).headers['content-type']).toBe('application/json');
      const yaml = await own.ask(path, { headers: { Accept: 'application/yaml' } });
      expect([yaml.code, yaml.headers['content-type']]).toEqual([200, 'application/yaml']);
      const refused = await own.ask(path, { headers: { Accept: 'text/html' } });
      expect([refused.code, refused.json()]).toMatchObject([406, { kind: 'Status', reason: 'NotAcceptable' }]);
    },
  );

  it.each(['/apis/kamaji.io/v1', '/apis/other.io', '/apis/kamaji.io/v1alpha1/nothings'])(
    '%s is not there',
    async (path) => {
      const answer = await own.ask(path);
      expect([answer.code, answer.json()]).toMatchObject([404, { kind: 'Status', reason: 'NotFound' }]);
    },
  );
});

function hashOf(kind: string): string {
  return createHash('sha256').update(`kamaji.io/v1alpha1/${kind}`).digest().subarray(0, 8).toString('base64');
}

describe('the aggregated document', () => {
  it.each(['v2', 'v2beta1'])('comes in format %s, with an ETag that is honoured', async (version) => {
    const accept = aggregated(version);
    const first = await own.ask('/apis', { headers: { Accept: accept } });
    expect([first.code, first.headers['content-type']]).toEqual([200, accept]);
    expect(first.headers['cache-control']).toBe('public');
    expect(first.headers['vary']).toBe('Accept');
    const etag = String(first.headers['etag']);
    expect(etag).toMatch(/^"[0-9A-F]{128}"$/);
    const again = await own.ask('/apis', { headers: { Accept: accept, 'If-None-Match': etag } });
    expect([again.code, again.text]).toEqual([304, '']);
    expect(first.json()).toMatchObject({ kind: 'APIGroupDiscoveryList', apiVersion: `apidiscovery.k8s.io/${version}` });
  });

  it('is chosen as the client prefers', async () => {
    const asked = async (accept: string): Promise<unknown> =>
      (await own.ask('/apis', { headers: { Accept: accept } })).headers['content-type'];
    // As kube-apiserver and client-go ask.
    expect(await asked(`${aggregated('v2')},${aggregated('v2beta1')},application/json`)).toBe(aggregated('v2'));
    expect(await asked(`${aggregated('v2beta1')},application/json`)).toBe(aggregated('v2beta1'));
    expect(await asked(`${aggregated('v9')},application/json`)).toBe('application/json');
    expect(await asked(`application/json,${aggregated('v2')}`)).toBe('application/json');
    expect((await own.ask('/apis', { headers: { Accept: aggregated('v9') } })).code).toBe(406);
  });

  it('is taken over whole by the cluster, and is that of a custom resource', async () => {
    const list = await cluster.read<GroupList>('/apis', { headers: { Accept: aggregated('v2') } });
    const versionsOf = (document: GroupList, group: string): readonly Version[] =>
      document.items.find(({ metadata }) => metadata.name === group)?.versions ?? [];
    const merged = versionsOf(list, 'kamaji.io');
    const direct = await own.read<GroupList>('/apis', { headers: { Accept: aggregated('v2') } });
    expect(merged).toEqual(versionsOf(direct, 'kamaji.io'));
    const withoutExtras = merged.map((version) => ({
      ...version,
      resources: version.resources.map((resource) => ({
        ...resource,
        ...(resource.subresources === undefined
          ? {}
          : { subresources: resource.subresources.filter(({ subresource }) => !isExtra(subresource)) }),
      })),
    }));
    expect(withoutExtras).toEqual(inOurWords(versionsOf(list, TWIN_GROUP)));
    expect(merged.map(({ freshness }) => freshness)).toEqual(['Current']);
  });
});

describe('as the aggregator asks', () => {
  // Groups are not what it sends on some of these paths; our own server says who is authenticated.
  it.each(['/apis/kamaji.io/v1alpha1', '/openapi/v3/apis/kamaji.io/v1alpha1'])(
    'a user without groups may read %s',
    async (path) => {
      const answer = await cluster.ask(path, { headers: { 'Impersonate-User': 'system:kube-aggregator' } });
      expect(answer.code).toBe(200);
    },
  );

  it('five polls at once are answered from memory, fast', async () => {
    const began = Date.now();
    const answers = await Promise.all(Array.from({ length: 5 }, () => own.ask('/apis/kamaji.io/v1alpha1')));
    expect(answers.map(({ code }) => code)).toEqual([200, 200, 200, 200, 200]);
    expect(Date.now() - began).toBeLessThan(2_500);
  });

  it('nobody reads discovery without a name', async () => {
    const nobody = openOwnPort();
    for (const path of ['/apis', '/apis/kamaji.io/v1alpha1', '/openapi/v2', '/openapi/v3'])
      expect((await nobody.ask(path)).code).toBe(401);
    nobody.close();
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('%s is no way to ask', async (method) => {
    const answer = await own.ask('/apis/kamaji.io/v1alpha1', { method });
    expect([answer.code, answer.json()]).toMatchObject([405, { reason: 'MethodNotAllowed' }]);
  });
});
