/** @kubernetes/client-node against our API, through the aggregation layer of a real kube-apiserver. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ApiException,
  CustomObjectsApi,
  KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  Watch,
  type KubernetesListObject,
  type KubernetesObject,
} from '@kubernetes/client-node';
import type { TenantControlPlane } from '../../src/tenancy/api/tenant-control-plane.ts';
import { dataStoreObject, tenantObject } from '../env/api-objects.ts';
import { adminKubeconfig, startApiServer, type ApiServerProcess } from '../env/api-server.ts';
import { GROUP_PATH } from '../env/raw-api.ts';
import { eventually } from '../env/run.ts';

const tenants = {
  group: 'kamaji.io',
  version: 'v1alpha1',
  plural: 'tenantcontrolplanes',
  namespace: 'default',
} as const;
const tenantsPath = `${GROUP_PATH}/namespaces/default/tenantcontrolplanes`;

let server: ApiServerProcess;
const config = new KubeConfig();

beforeAll(async () => {
  server = await startApiServer(['--shutdown-delay=0s']);
  config.loadFromFile(adminKubeconfig());
  const { group, version } = tenants;
  await config
    .makeApiClient(CustomObjectsApi)
    .createClusterCustomObject({ group, version, plural: 'datastores', body: dataStoreObject('default') });
});
afterAll(async () => {
  await server?.remove();
});

describe('@kubernetes/client-node', () => {
  const objects = (): CustomObjectsApi => config.makeApiClient(CustomObjectsApi);
  const list = async (): Promise<KubernetesListObject<KubernetesObject>> =>
    (await objects().listNamespacedCustomObject(tenants)) as KubernetesListObject<KubernetesObject>;

  it('creates, reads, lists, replaces and deletes', async () => {
    const created = (await objects().createNamespacedCustomObject({
      ...tenants,
      body: tenantObject('foreign'),
    })) as TenantControlPlane;
    expect(created.spec.networkProfile.port).toBe(6443);
    expect((await list()).items.map((item) => item.metadata?.name)).toEqual(['foreign']);
    const changed = {
      ...created,
      spec: {
        ...created.spec,
        controlPlane: {
          ...created.spec.controlPlane,
          deployment: { ...created.spec.controlPlane.deployment, replicas: 3 },
        },
      },
    };
    const replaced = (await objects().replaceNamespacedCustomObject({
      ...tenants,
      name: 'foreign',
      body: changed,
    })) as TenantControlPlane;
    expect(replaced.metadata.generation).toBe(2);
    const stale = objects().replaceNamespacedCustomObject({ ...tenants, name: 'foreign', body: changed });
    await expect(stale).rejects.toSatisfy((error) => error instanceof ApiException && error.code === 409);
    await objects().deleteNamespacedCustomObject({ ...tenants, name: 'foreign' });
    const gone = objects().getNamespacedCustomObject({ ...tenants, name: 'foreign' });
    await expect(gone).rejects.toSatisfy((error) => error instanceof ApiException && error.code === 404);
  });

  it('patches in both ways that we take', async () => {
    await objects().createNamespacedCustomObject({ ...tenants, body: tenantObject('patched') });
    const patch = (body: unknown, strategy: PatchStrategy): Promise<unknown> =>
      objects().patchNamespacedCustomObject(
        { ...tenants, name: 'patched', body },
        setHeaderOptions('Content-Type', strategy),
      );
    await patch({ metadata: { labels: { tier: 'gold' } } }, PatchStrategy.MergePatch);
    const operations = [{ op: 'replace', path: '/spec/controlPlane/deployment/replicas', value: 5 }];
    const patched = (await patch(operations, PatchStrategy.JsonPatch)) as TenantControlPlane;
    expect(patched.metadata.labels).toEqual({ tier: 'gold' });
    expect(patched.spec.controlPlane.deployment.replicas).toBe(5);
    await objects().deleteNamespacedCustomObject({ ...tenants, name: 'patched' });
  });

  it('finds our kinds by discovery alone', async () => {
    const generic = KubernetesObjectApi.makeApiClient(config);
    const created = await generic.create(tenantObject('discovered') as unknown as KubernetesObject);
    expect(created.metadata?.uid).toMatch(/^[0-9a-f-]{36}$/);
    await generic.delete(created);
  });

  it('watches', async () => {
    const seen: string[] = [];
    const failures: unknown[] = [];
    const watch = await new Watch(config).watch(
      tenantsPath,
      { resourceVersion: (await list()).metadata?.resourceVersion },
      (type, object: TenantControlPlane) => seen.push(`${type} ${object.metadata.name}`),
      (error) => failures.push(error),
    );
    await objects().createNamespacedCustomObject({ ...tenants, body: tenantObject('watched') });
    await objects().deleteNamespacedCustomObject({ ...tenants, name: 'watched' });
    await eventually('both events', async () => (seen.length >= 2 ? true : undefined), { timeoutMs: 10_000 });
    expect(failures).toEqual([]);
    watch.abort();
    expect(seen).toEqual(['ADDED watched', 'DELETED watched']);
  });

  it('keeps an informer that agrees with the server', async () => {
    await objects().createNamespacedCustomObject({ ...tenants, body: tenantObject('before') });
    const informer = makeInformer(config, tenantsPath, list);
    const errors: unknown[] = [];
    informer.on('error', (error) => errors.push(error));
    await informer.start();
    await objects().createNamespacedCustomObject({ ...tenants, body: tenantObject('during') });
    await objects().deleteNamespacedCustomObject({ ...tenants, name: 'before' });
    await eventually(
      'the informer to follow',
      async () =>
        informer
          .list()
          .map((item) => item.metadata?.name)
          .join() === 'during'
          ? true
          : undefined,
      { timeoutMs: 10_000 },
    );
    await informer.stop();
    expect(errors).toEqual([]);
    await objects().deleteNamespacedCustomObject({ ...tenants, name: 'during' });
  });

  it('applies server-side, is refused a field of another, and takes it by force', async () => {
    const apply = async (fieldManager: string, tier: string, force?: boolean): Promise<TenantControlPlane> =>
      (await objects().patchNamespacedCustomObject(
        {
          ...tenants,
          name: 'applied',
          body: tenantObject('applied', {}, { labels: { tier } }),
          fieldManager,
          ...(force === undefined ? {} : { force }),
        },
        setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply),
      )) as TenantControlPlane;
    const created = await apply('one', 'gold');
    expect(created.metadata.managedFields?.map(({ manager, operation }) => [manager, operation])).toEqual([
      ['one', 'Apply'],
    ]);
    await expect(apply('two', 'silver')).rejects.toSatisfy(
      (error) => error instanceof ApiException && error.code === 409 && String(error.body).includes('conflict with'),
    );
    expect((await apply('two', 'silver', true)).metadata.labels).toEqual({ tier: 'silver' });
    await objects().deleteNamespacedCustomObject({ ...tenants, name: 'applied' });
  });

  it('reads and writes status and scale', async () => {
    await objects().createNamespacedCustomObject({ ...tenants, body: tenantObject('parts') });
    const status = (await objects().patchNamespacedCustomObjectStatus(
      { ...tenants, name: 'parts', body: { status: { controlPlaneEndpoint: 'here:1' } } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    )) as TenantControlPlane;
    expect(status.status?.controlPlaneEndpoint).toBe('here:1');
    const scale = (await objects().getNamespacedCustomObjectScale({ ...tenants, name: 'parts' })) as {
      kind: string;
      spec: { replicas: number };
    };
    expect([scale.kind, scale.spec.replicas]).toEqual(['Scale', 1]);
    await objects().replaceNamespacedCustomObjectScale({
      ...tenants,
      name: 'parts',
      body: { ...scale, spec: { replicas: 2 } },
    });
    const read = (await objects().getNamespacedCustomObject({ ...tenants, name: 'parts' })) as TenantControlPlane;
    expect(read.spec.controlPlane.deployment.replicas).toBe(2);
    await objects().deleteNamespacedCustomObject({ ...tenants, name: 'parts' });
  });

  it('pages, selects, and deletes a collection', async () => {
    for (const name of ['p-1', 'p-2', 'p-3', 'p-4', 'p-5']) {
      await objects().createNamespacedCustomObject({
        ...tenants,
        body: tenantObject(name, {}, { labels: { page: 'd' } }),
      });
    }
    const names: string[] = [];
    let _continue: string | undefined;
    do {
      const page = (await objects().listNamespacedCustomObject({
        ...tenants,
        limit: 2,
        labelSelector: 'page=d',
        ...(_continue === undefined ? {} : { _continue }),
      })) as KubernetesListObject<KubernetesObject>;
      names.push(...page.items.map((item) => item.metadata?.name ?? ''));
      _continue = page.metadata?._continue ?? (page.metadata as { continue?: string } | undefined)?.continue;
    } while (_continue !== undefined && _continue !== '');
    expect(names).toEqual(['p-1', 'p-2', 'p-3', 'p-4', 'p-5']);
    await objects().deleteCollectionNamespacedCustomObject({ ...tenants, labelSelector: 'page=d' });
    expect((await list()).items).toEqual([]);
  });

  it('reads, patches, replaces, lists and deletes what it knows by discovery alone', async () => {
    const generic = KubernetesObjectApi.makeApiClient(config);
    await generic.create(tenantObject('generic') as unknown as KubernetesObject);
    const header = { apiVersion: 'kamaji.io/v1alpha1', kind: 'TenantControlPlane' };
    const metadata = { name: 'generic', namespace: 'default' };
    const patched = await generic.patch(
      { ...header, metadata: { ...metadata, labels: { a: 'b' } } },
      undefined,
      undefined,
      undefined,
      undefined,
      PatchStrategy.MergePatch,
    );
    expect(patched.metadata?.labels).toEqual({ a: 'b' });
    const read = await generic.read({ ...header, metadata });
    read.metadata!.annotations = { c: 'd' };
    const replaced = await generic.replace(read);
    expect(replaced.metadata?.annotations).toEqual({ c: 'd' });
    const listed = await generic.list('kamaji.io/v1alpha1', 'TenantControlPlane', 'default');
    expect(listed.items.map((item) => item.metadata?.name)).toEqual(['generic']);
    await generic.delete(replaced);
    await expect(generic.read({ ...header, metadata })).rejects.toSatisfy(
      (error) => error instanceof ApiException && error.code === 404,
    );
  });

  it('has an informer that catches up after the server was started again', async () => {
    await objects().createNamespacedCustomObject({ ...tenants, body: tenantObject('survivor') });
    const informer = makeInformer(config, tenantsPath, list);
    // What to do on an error is left to the informer's user: start it again, as often as it takes.
    const startLater = (): void => {
      setTimeout(() => void informer.start().catch(startLater), 250);
    };
    informer.on('error', startLater);
    await informer.start();
    await server.stop();
    await server.start();
    await objects().createNamespacedCustomObject({ ...tenants, body: tenantObject('newcomer') });
    await eventually(
      'the informer to catch up',
      async () => {
        const names = informer.list().map((item) => item.metadata?.name ?? '');
        return names.sort().join() === 'newcomer,survivor' ? true : undefined;
      },
      { timeoutMs: 30_000 },
    );
    await informer.stop();
    for (const name of ['survivor', 'newcomer']) await objects().deleteNamespacedCustomObject({ ...tenants, name });
  });
});
