/** The audit log of the real server behind the real aggregation layer. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dataStoreObject, tenantObject } from '../env/api-objects.ts';
import { startApiServer, type ApiServerProcess } from '../env/api-server.ts';
import { GROUP_PATH, openClusterApi, openOwnPort, type RawAnswer, type RawApi } from '../env/raw-api.ts';
import { eventually } from '../env/run.ts';

const tenants = `${GROUP_PATH}/namespaces/default/tenantcontrolplanes`;
/** In a body, and so never in the log. */
const MARKER = 'never-to-be-logged';

let folder: string;
let server: ApiServerProcess;
let api: RawApi;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kamaji-audit-'));
  server = await startApiServer([`--audit-log-path=${join(folder, 'audit.log')}`]);
  api = await openClusterApi();
  await api.read(`${GROUP_PATH}/datastores`, { method: 'POST', body: dataStoreObject('default') });
});
afterAll(async () => {
  api?.close();
  await server?.remove();
  await rm(folder, { recursive: true, force: true });
});

type Event = Readonly<Record<string, unknown>> & { readonly auditID: string; readonly stage: string };

const logText = (): Promise<string> => readFile(join(folder, 'audit.log'), 'utf8');

async function eventsOf(answer: RawAnswer, count = 1): Promise<readonly Event[]> {
  const id = String(answer.headers['audit-id']);
  return eventually(`${count} audit events of ${id}`, async () => {
    const lines = (await logText()).split('\n').slice(0, -1);
    const found = lines.map((line) => JSON.parse(line) as Event).filter(({ auditID }) => auditID === id);
    return found.length >= count ? found : undefined;
  });
}

describe('the audit log', () => {
  it('tells who did what to which object under the id that kube-apiserver gave, and never a body', async () => {
    const tenant = tenantObject('logged');
    const body = { ...tenant, metadata: { ...tenant.metadata, annotations: { note: MARKER } } };
    const answer = await api.ask(`${tenants}?fieldManager=test`, { method: 'POST', body });
    expect(answer.code).toBe(201);
    expect(await eventsOf(answer)).toMatchObject([
      {
        kind: 'Event',
        apiVersion: 'audit.k8s.io/v1',
        level: 'Metadata',
        stage: 'ResponseComplete',
        requestURI: `${tenants}?fieldManager=test`,
        verb: 'create',
        user: { username: 'kubernetes-admin', groups: expect.arrayContaining(['system:authenticated']) as unknown },
        objectRef: { resource: 'tenantcontrolplanes', namespace: 'default', apiGroup: 'kamaji.io' },
        responseStatus: { code: 201 },
        annotations: { 'authorization.k8s.io/decision': 'allow' },
      },
    ]);
    expect(await logText()).not.toContain(MARKER);
  });

  it('tells of those who come to us directly and are nobody', async () => {
    const own = openOwnPort();
    const answer = await own.ask(`${tenants}/logged`, { method: 'DELETE' });
    own.close();
    expect(answer.code).toBe(401);
    expect(await eventsOf(answer)).toMatchObject([
      {
        verb: 'delete',
        objectRef: { name: 'logged' },
        responseStatus: { status: 'Failure', reason: 'Unauthorized', code: 401 },
      },
    ]);
  });

  it('tells who asked for credentials', async () => {
    const answer = await api.ask(`${tenants}/logged/kubeconfig`);
    expect(answer.code).toBe(503);
    expect(await eventsOf(answer)).toMatchObject([
      { verb: 'get', objectRef: { name: 'logged', subresource: 'kubeconfig' }, responseStatus: { code: 503 } },
    ]);
  });

  it('tells the beginning and the end of a watch', async () => {
    const answer = await api.ask(`${tenants}?watch=true&timeoutSeconds=1`);
    const events = await eventsOf(answer, 2);
    expect(events.map(({ stage, verb }) => [stage, verb])).toEqual([
      ['ResponseStarted', 'watch'],
      ['ResponseComplete', 'watch'],
    ]);
  });

  it('holds the last request before the end, whole lines only, for its owner alone', async () => {
    const answer = await api.ask(`${tenants}/logged`);
    await server.stop();
    expect(await eventsOf(answer)).toMatchObject([{ verb: 'get', responseStatus: { code: 200 } }]);
    expect((await logText()).endsWith('\n')).toBe(true);
    expect((await stat(join(folder, 'audit.log'))).mode & 0o777).toBe(0o600);
  });
});
