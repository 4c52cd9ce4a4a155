/** The documents that clients find their way by, through the aggregation layer of a real kube-apiserver. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApiServer, type ApiServerProcess } from '../env/api-server.ts';
import { kubeconfigCredentials, openClusterApi, openOwnPort, type RawApi } from '../env/raw-api.ts';
import { eventually } from '../env/run.ts';

let server: ApiServerProcess;
let api: RawApi;
let own: RawApi;

beforeAll(async () => {
  server = await startApiServer();
  api = await openClusterApi();
  own = openOwnPort(await kubeconfigCredentials());
});
afterAll(async () => {
  api?.close();
  own?.close();
  await server?.remove();
});

interface DiscoveryList {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly versions: readonly {
      readonly version: string;
      readonly freshness: string;
      readonly resources: readonly {
        readonly resource: string;
        readonly scope: string;
        readonly shortNames?: readonly string[];
        readonly responseKind: { readonly kind: string };
        readonly subresources?: readonly {
          readonly subresource: string;
          readonly responseKind: object;
          readonly verbs: readonly string[];
        }[];
      }[];
    }[];
  }[];
}

describe('discovery', () => {
  const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

  it('is served in the aggregated form with a tag that a second question is answered by', async () => {
    const first = await own.ask('/apis', { headers: { Accept: aggregated } });
    expect(first.code).toBe(200);
    expect(first.headers['content-type']).toBe(aggregated);
    expect(first.headers['vary']).toBe('Accept');
    expect(first.headers['etag']).toMatch(/^"[0-9A-F]{128}"$/);
    const second = await own.ask('/apis', { headers: { Accept: aggregated, 'If-None-Match': first.headers['etag'] } });
    expect([second.code, second.text]).toEqual([304, '']);
    const stale = await own.ask('/apis', { headers: { Accept: aggregated, 'If-None-Match': '"another"' } });
    expect(stale.code).toBe(200);
  });

  it('falls back to the plain form, and takes the first form that it has', async () => {
    const plain = await own.read<{ kind: string }>('/apis', { headers: { Accept: 'application/json' } });
    expect(plain.kind).toBe('APIGroupList');
    const both = await own.ask('/apis', {
      headers: {
        Accept: `application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList,${aggregated},application/json`,
      },
    });
    expect(both.headers['content-type']).toBe(aggregated);
  });

  it('is merged into that of the cluster as current', async () => {
    const group = await eventually(
      'our group in the merged discovery',
      async () => {
        const list = await api.read<DiscoveryList>('/apis', { headers: { Accept: aggregated } });
        const found = list.items.find((item) => item.metadata.name === 'kamaji.io');
        return found?.versions[0]?.freshness === 'Current' ? found : undefined;
      },
      { timeoutMs: 30_000 },
    );
    const resources = group.versions[0]?.resources ?? [];
    expect(resources.map((resource) => [resource.resource, resource.responseKind.kind, resource.scope])).toEqual(
      expect.arrayContaining([
        ['tenantcontrolplanes', 'TenantControlPlane', 'Namespaced'],
        ['datastores', 'DataStore', 'Cluster'],
        ['kubeconfiggenerators', 'KubeconfigGenerator', 'Cluster'],
      ]),
    );
    const subresources = resources.find((resource) => resource.resource === 'tenantcontrolplanes')?.subresources ?? [];
    expect(Object.fromEntries(subresources.map(({ subresource, verbs }) => [subresource, [...verbs].sort()]))).toEqual({
      status: ['get', 'patch', 'update'],
      scale: ['get', 'patch', 'update'],
      kubeconfig: ['create', 'get'],
      'join-token': ['create', 'get'],
    });
    // The horizontal pod autoscaler and `kubectl scale` find out what to send by this.
    const scale = subresources.find(({ subresource }) => subresource === 'scale');
    expect(scale?.responseKind).toEqual({ group: 'autoscaling', version: 'v1', kind: 'Scale' });
  });
});

describe('OpenAPI', () => {
  it('v2 of the cluster holds our kinds, and its protobuf form is not broken by them', async () => {
    await eventually(
      'our definitions in the merged document',
      async () =>
        (await api.ask('/openapi/v2')).text.includes('io.kamaji.v1alpha1.TenantControlPlane') ? true : undefined,
      { timeoutMs: 90_000, intervalMs: 1_000 },
    );
    const accept = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
    const protobuf = await api.ask('/openapi/v2', { headers: { Accept: accept } });
    expect(protobuf.code).toBe(200);
    expect(protobuf.headers['content-type']).toContain('protobuf');
    expect(protobuf.text).toContain('TenantControlPlane');
  }, 100_000);

  it('v3 leads to a document of ours that may be kept for ever, and to the current one for an old hash', async () => {
    const root = await eventually(
      'our document in the index',
      async () => {
        const { paths } = await api.read<{ paths: Readonly<Record<string, { serverRelativeURL: string }>> }>(
          '/openapi/v3',
        );
        return paths['apis/kamaji.io/v1alpha1'];
      },
      { timeoutMs: 90_000, intervalMs: 1_000 },
    );
    const document = await api.ask(root.serverRelativeURL);
    expect(document.code).toBe(200);
    expect(document.headers['cache-control']).toContain('immutable');
    expect(document.headers['etag']).toBe(`"${new URLSearchParams(root.serverRelativeURL.split('?')[1]).get('hash')}"`);
    const { components } = document.json() as { components: { schemas: Readonly<Record<string, object>> } };
    expect(Object.keys(components.schemas)).toEqual(expect.arrayContaining(['io.kamaji.v1alpha1.TenantControlPlane']));
    const known = await api.ask(root.serverRelativeURL, { headers: { 'If-None-Match': document.headers['etag'] } });
    expect(known.code).toBe(304);
    // kube-apiserver would turn a redirect into 502.
    const old = await api.ask('/openapi/v3/apis/kamaji.io/v1alpha1?hash=OLD');
    expect([old.code, old.text === document.text]).toEqual([200, true]);
    expect(old.headers['cache-control'] ?? '').not.toContain('immutable');
  }, 100_000);
});
