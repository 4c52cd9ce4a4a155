/** `hack/bench tenant`: how fast a tenant comes to life, and what hundred of them cost us. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { mapLimited } from '../../src/base/limiter.ts';
import { isApiError } from '../../src/kubeclient/api-error.ts';
import type { KubeClient } from '../../src/kubeclient/client.ts';
import { loadKubeconfig, parseKubeconfig } from '../../src/kubeclient/kubeconfig.ts';
import { DEPLOYMENTS } from '../../src/kubeclient/resources.ts';
import { createKubeClient } from '../../src/kubeclient/rest-client.ts';
import { isConditionTrue } from '../../src/reconcile/conditions.ts';
import { TENANT_CONTROL_PLANES } from '../../src/tenancy/api/resources.ts';
import type { TenantControlPlane } from '../../src/tenancy/api/tenant-control-plane.ts';
import { cpuSeconds, findServer, residentMegabytes } from './process-figures.ts';

const NAMESPACE = 'default';
const GIVE_UP_MS = 120_000;
const IDLE_MS = 10_000;

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '7' }, tenants: { type: 'string', default: '100' } },
});
const runs = positive('runs', values.runs);
const tenants = positive('tenants', values.tenants);

const adminClient = createKubeClient(await loadKubeconfig(process.env['KUBECONFIG'] ?? ''), { maxSockets: 32 });
const server = findServer();

const memoryAtStart = residentMegabytes(server);
print('memory at the start', `${memoryAtStart.toFixed(0)} MB`);
await measureFirstRequest();
await measureMany();
adminClient.close();

async function measureFirstRequest(): Promise<void> {
  const firstRequest: number[] = [];
  const ready: number[] = [];
  for (let run = 0; run < runs; run++) {
    const name = `bench-one-${run}`;
    const startedMs = performance.now();
    await adminClient.create(TENANT_CONTROL_PLANES, newTenant(name, 1));
    const answered = untilFirstRequest(name).then(() => performance.now() - startedMs);
    const wasReady = until(`${name} to be Ready`, 50, async () => {
      const tenant = await adminClient.get(TENANT_CONTROL_PLANES, NAMESPACE, name);
      return isConditionTrue(tenant.status?.conditions, 'Ready') ? true : undefined;
    }).then(() => performance.now() - startedMs);
    const [answeredMs, readyMs] = await Promise.all([answered, wasReady]);
    firstRequest.push(answeredMs);
    ready.push(readyMs);
    await remove(name);
    await until('the pods to be gone', 200, async () => ((await countDeployments()) === 0 ? true : undefined));
    await sleep(2_000);
  }
  printSpread('create to first authenticated request', firstRequest, 'target p50 7.0 s');
  printSpread('create to Ready', ready, '');
}

/** The way of a user: mint a kubeconfig as soon as that works, then ask with it until the tenant answers. */
async function untilFirstRequest(name: string): Promise<void> {
  const path = `/apis/kamaji.io/v1alpha1/namespaces/${NAMESPACE}/tenantcontrolplanes/${name}/kubeconfig`;
  const text = await until(`the kubeconfig of ${name}`, 25, async () => (await adminClient.request('GET', path)).body);
  const tenantClient = createKubeClient(parseKubeconfig(JSON.parse(text)), { maxSockets: 1 });
  await until(`the API of ${name}`, 25, async () => (await tenantClient.request('GET', '/api/v1/namespaces')).body);
  tenantClient.close();
}

async function measureMany(): Promise<void> {
  const names = Array.from({ length: tenants }, (_, index) => `bench-many-${index}`);
  const memoryBefore = residentMegabytes(server);
  const cpuBefore = cpuSeconds(server);
  const startedMs = performance.now();
  await mapLimited(names, 10, (name) => adminClient.create(TENANT_CONTROL_PLANES, newTenant(name, 0)));
  const createdMs = performance.now() - startedMs;
  await until('all Deployments', 100, async () => ((await countDeployments()) >= tenants ? true : undefined));
  const wallMs = performance.now() - startedMs;
  const cpu = cpuSeconds(server) - cpuBefore;
  await quiet();
  const cpuSettled = cpuSeconds(server) - cpuBefore;
  const memoryAfter = residentMegabytes(server);
  await sleep(IDLE_MS);
  const idleCpu = (cpuSeconds(server) - cpuBefore - cpuSettled) / (IDLE_MS / 1000);
  const deleteStartedMs = performance.now();
  await mapLimited(names, 10, (name) => adminClient.delete(TENANT_CONTROL_PLANES, NAMESPACE, name));
  await until('all tenants to be gone', 200, async () => {
    const { items } = await adminClient.list(TENANT_CONTROL_PLANES, NAMESPACE);
    return items.some(({ metadata }) => metadata.name?.startsWith('bench-many-')) ? undefined : true;
  });
  const goneMs = performance.now() - deleteStartedMs;
  print(`${tenants} tenants: create accepted`, seconds(createdMs));
  print(`${tenants} tenants: all Deployments present`, `${seconds(wallMs)} (target 15 s)`);
  print('  CPU of our process until then', `${cpu.toFixed(1)} s (target 15 s); until quiet ${cpuSettled.toFixed(1)} s`);
  print('  CPU of our process when idle', `${(idleCpu * 100).toFixed(1)} % of a core`);
  print('  memory before', `${memoryBefore.toFixed(0)} MB (target 150 MB)`);
  print(
    '  memory after',
    `${memoryAfter.toFixed(0)} MB, ${((memoryAfter - memoryBefore) / tenants).toFixed(2)} MB a tenant (target 0.5 MB)`,
  );
  print(`${tenants} tenants: deleted`, seconds(goneMs));
}

/** Until our process has used next to nothing for five seconds. */
async function quiet(): Promise<void> {
  const deadline = performance.now() + GIVE_UP_MS;
  for (;;) {
    const before = cpuSeconds(server);
    await sleep(5_000);
    if (cpuSeconds(server) - before < 0.25) return;
    if (performance.now() > deadline) {
      print('  never quiet', `still ${((cpuSeconds(server) - before) * 20).toFixed(0)} % of a core`);
      return;
    }
  }
}

async function countDeployments(): Promise<number> {
  const { items } = await adminClient.list(DEPLOYMENTS, NAMESPACE, {
    labelSelector: 'kamaji.io/project=kamaji',
    metadataOnly: true,
  });
  return items.filter(({ metadata }) => metadata.name?.startsWith('bench-')).length;
}

async function remove(name: string): Promise<void> {
  await adminClient.delete(TENANT_CONTROL_PLANES, NAMESPACE, name);
  await until(`${name} to be gone`, 100, async () =>
    (await adminClient.find(TENANT_CONTROL_PLANES, NAMESPACE, name)) === undefined ? true : undefined,
  );
}

function newTenant(name: string, replicas: number): TenantControlPlane {
  return {
    apiVersion: 'kamaji.io/v1alpha1',
    kind: 'TenantControlPlane',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      dataStore: 'default',
      controlPlane: { deployment: { replicas }, service: { serviceType: 'ClusterIP' } },
      kubernetes: { version: 'v1.36.3', kubelet: {} },
      addons: { coreDNS: {}, kubeProxy: {} },
    },
  } as unknown as TenantControlPlane;
}

/** Asks again every `everyMs` while the answer is undefined or an error of the API or the connection. */
async function until<T>(
  what: string,
  everyMs: number,
  ask: (client: KubeClient) => Promise<T | undefined>,
): Promise<T> {
  const deadline = performance.now() + GIVE_UP_MS;
  let last = '';
  for (;;) {
    try {
      const answer = await ask(adminClient);
      if (answer !== undefined) return answer;
    } catch (error) {
      const expected = isApiError(error) || (error instanceof Error && error.name === 'ConnectionError');
      if (!expected) throw error;
      last = error.message;
    }
    if (performance.now() > deadline) throw new Error(`gave up waiting for ${what}: ${last}`);
    await sleep(everyMs);
  }
}

function printSpread(what: string, samplesMs: readonly number[], note: string): void {
  const sorted = samplesMs.toSorted((a, b) => a - b);
  const p50 = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  print(
    what,
    `p50 ${seconds(p50)}, min ${seconds(sorted[0] ?? 0)}, max ${seconds(sorted.at(-1) ?? 0)} of ${sorted.length} ${note}`,
  );
}

function print(what: string, figure: string): void {
  process.stdout.write(`${what.padEnd(44)} ${figure}\n`);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1_000) throw new Error(`--${flag} must be between 1 and 1000`);
  return value;
}
