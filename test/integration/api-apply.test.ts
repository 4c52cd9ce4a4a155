/** Server-side apply and the ownership of fields with kubectl, through the aggregation layer of a real kube-apiserver. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ManagedFieldsEntry } from '../../src/apimachinery/object.ts';
import type { TenantControlPlane } from '../../src/tenancy/api/tenant-control-plane.ts';
import { dataStoreObject, tenantObject } from '../env/api-objects.ts';
import { startApiServer, type ApiServerProcess } from '../env/api-server.ts';
import { GROUP_PATH, openClusterApi, type RawAnswer, type RawApi } from '../env/raw-api.ts';
import { run, runOk, type RunResult } from '../env/run.ts';

const tenants = `${GROUP_PATH}/namespaces/default/tenantcontrolplanes`;
const applyPatch = { 'Content-Type': 'application/apply-patch+yaml' };

let server: ApiServerProcess;
let api: RawApi;
let folder: string;

beforeAll(async () => {
  server = await startApiServer();
  api = await openClusterApi();
  folder = await mkdtemp(join(tmpdir(), 'kamaji-apply-'));
  await api.read(`${GROUP_PATH}/datastores`, { method: 'POST', body: dataStoreObject('default') });
});
afterAll(async () => {
  api?.close();
  await server?.remove();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await api.read(tenants, { method: 'DELETE' });
});

function kubectl(args: readonly string[], object?: object): Promise<RunResult> {
  return run('hack/kubectl', args, object === undefined ? {} : { input: JSON.stringify(object) });
}

const serverSide = (object: object, ...flags: readonly string[]): Promise<RunResult> =>
  kubectl(['apply', '--server-side', ...flags, '-f', '-'], object);
const live = (): Promise<TenantControlPlane> => api.read<TenantControlPlane>(`${tenants}/a`);
const replicas = (count: number): object => ({
  controlPlane: { deployment: { replicas: count }, service: { serviceType: 'ClusterIP' } },
});

/** `manager operation subresource` of each entry, sorted: their own order is by the second of the write. */
function owners(tenant: TenantControlPlane): readonly string[] {
  const entries = tenant.metadata.managedFields ?? [];
  return entries
    .map(({ manager, operation, subresource }: ManagedFieldsEntry) =>
      [manager, operation, subresource].filter(Boolean).join(' '),
    )
    .sort();
}

describe('kubectl apply --server-side', () => {
  it('makes, changes and leaves alone', async () => {
    expect((await serverSide(tenantObject('a'))).stdout).toContain('tenantcontrolplane.kamaji.io/a serverside-applied');
    const made = await live();
    expect(owners(made)).toEqual(['kubectl Apply']);
    await serverSide(tenantObject('a'));
    expect((await live()).metadata.resourceVersion).toBe(made.metadata.resourceVersion);
    await serverSide(tenantObject('a', replicas(3)));
    expect((await live()).spec.controlPlane.deployment?.replicas).toBe(3);
  });

  it('names whose fields it would take, and takes them when told to', async () => {
    await serverSide(tenantObject('a'));
    const refused = await serverSide(tenantObject('a', replicas(2)), '--field-manager=gitops');
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('conflict with "kubectl": .spec.controlPlane.deployment.replicas');
    const forced = await serverSide(tenantObject('a', replicas(2)), '--field-manager=gitops', '--force-conflicts');
    expect(forced.code).toBe(0);
    expect(owners(await live())).toEqual(['gitops Apply', 'kubectl Apply']);
  });

  it('takes over what client-side apply has made, so that its fields can be removed', async () => {
    const labelled = tenantObject('a', {}, { labels: { keep: 'yes', drop: 'yes' } });
    await kubectl(['apply', '-f', '-'], labelled);
    expect(owners(await live())).toEqual(['kubectl-client-side-apply Update']);
    await serverSide(tenantObject('a', {}, { labels: { keep: 'yes' } }));
    const after = await live();
    expect(after.metadata.labels).toEqual({ keep: 'yes' });
    // kubectl gives the annotation that it keeps up to date a manager of its own.
    expect(owners(after)).toEqual(['kubectl Apply', 'kubectl-last-applied Apply']);
    // And back again: the annotation of client-side apply is kept up to date.
    const back = await kubectl(['apply', '-f', '-'], tenantObject('a', {}, { labels: { keep: 'yes', more: 'yes' } }));
    expect([back.code, (await live()).metadata.labels]).toEqual([0, { keep: 'yes', more: 'yes' }]);
  });

  it('--dry-run=server and diff show what would be, and change nothing', async () => {
    await serverSide(tenantObject('a'));
    const before = await live();
    const dry = await serverSide(tenantObject('a', replicas(5)), '--dry-run=server', '-o', 'json');
    expect((JSON.parse(dry.stdout) as TenantControlPlane).spec.controlPlane.deployment?.replicas).toBe(5);
    const diff = await kubectl(['diff', '--server-side', '-f', '-'], tenantObject('a', replicas(5)));
    expect([diff.code, diff.stdout]).toEqual([1, expect.stringMatching(/^-\s+replicas: 1\n\+\s+replicas: 5$/m)]);
    expect((await kubectl(['diff', '--server-side', '-f', '-'], tenantObject('a'))).code).toBe(0);
    const fresh = await kubectl(['diff', '-f', '-'], tenantObject('b'));
    expect([fresh.code, fresh.stdout]).toEqual([1, expect.stringContaining('+  name: b')]);
    expect(await live()).toEqual(before);
    expect((await api.ask(`${tenants}/b`)).code).toBe(404);
  });

  it('--subresource=status', async () => {
    await serverSide(tenantObject('a'));
    const status = { kubernetesResources: { version: { version: 'v1.36.1', status: 'Provisioning' } } };
    const file = join(folder, 'status.json');
    await writeFile(file, JSON.stringify({ ...tenantObject('a'), spec: undefined, status }));
    const args = ['apply', '--server-side', '--subresource=status', '--field-manager=other', '-f', file];
    expect((await kubectl(args)).stdout).toContain('serverside-applied');
    const after = await live();
    expect(after.status?.kubernetesResources?.version?.status).toBe('Provisioning');
    expect(owners(after)).toContain('other Apply status');
  });

  it('is advertised where kubectl and others look for it', async () => {
    const document = await api.read<{ paths: Record<string, { patch?: { requestBody: { content: object } } }> }>(
      '/openapi/v3/apis/kamaji.io/v1alpha1',
    );
    for (const path of ['', '/status', '/scale']) {
      const operation = document.paths[`${GROUP_PATH}/namespaces/{namespace}/tenantcontrolplanes/{name}${path}`]?.patch;
      expect(Object.keys(operation?.requestBody.content ?? {})).toContain('application/apply-patch+yaml');
    }
  });
});

describe('what else owns fields', () => {
  it('edit, label, scale and replace each under their own name', async () => {
    await serverSide(tenantObject('a'));
    await runOk('hack/kubectl', ['label', 'tcp/a', 'team=b']);
    await runOk('hack/kubectl', ['scale', 'tcp/a', '--replicas=2']);
    await kubectl(['patch', 'tcp/a', '--type=merge', '-p', '{"metadata":{"annotations":{"x":"y"}}}']);
    expect(owners(await live())).toEqual([
      'kubectl Apply',
      'kubectl Update scale',
      'kubectl-label Update',
      'kubectl-patch Update',
    ]);
    const replaced = { ...(await live()), metadata: { ...(await live()).metadata, labels: { team: 'c' } } };
    expect((await kubectl(['replace', '-f', '-'], replaced)).code).toBe(0);
    expect(owners(await live())).toContain('kubectl-replace Update');
  });

  it('a client without a field manager is known by its User-Agent', async () => {
    const headers = { 'Content-Type': 'application/json', 'User-Agent': 'terraform/1.9 (x)' };
    await api.read(tenants, { method: 'POST', body: tenantObject('a'), headers });
    expect(owners(await live())).toEqual(['terraform Update']);
  });

  it('who may patch but not create makes nothing', async () => {
    const role = ['create', 'role', 'patcher', '--verb=get,patch', '--resource=tenantcontrolplanes.kamaji.io'];
    await kubectl(role);
    await kubectl(['create', 'rolebinding', 'patcher', '--role=patcher', '--user=patrick']);
    const headers = { ...applyPatch, 'Impersonate-User': 'patrick' };
    const ask = (): Promise<RawAnswer> =>
      api.ask(`${tenants}/a?fieldManager=p`, { method: 'PATCH', headers, body: tenantObject('a') });
    const refused = await ask();
    expect([refused.code, refused.text]).toEqual([403, expect.stringContaining('cannot create resource')]);
    expect((await api.ask(`${tenants}/a`)).code).toBe(404);
    await serverSide(tenantObject('a'), '--field-manager=p');
    expect((await ask()).code).toBe(200);
  });
});
