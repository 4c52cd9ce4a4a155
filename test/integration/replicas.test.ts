/** Three of our API servers on one etcd: they are one API, with one leader, and can be replaced while they are used. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeList } from '../../src/apimachinery/object.ts';
import type { TenantControlPlane } from '../../src/tenancy/api/tenant-control-plane.ts';
import { dataStoreObject, tenantObject } from '../env/api-objects.ts';
import { GROUP_PATH, openClusterApi, type RawAnswer, type RawApi, type RawRequest } from '../env/raw-api.ts';
import { startReplicas, type Replica, type Replicas } from '../env/replicas.ts';
import { eventually } from '../env/run.ts';

const datastores = `${GROUP_PATH}/datastores`;
const tenants = `${GROUP_PATH}/namespaces/default/tenantcontrolplanes`;
const mergePatch = { 'Content-Type': 'application/merge-patch+json' };
const COUNTER = 'example.com/counter';

let replicas: Replicas;
let cluster: RawApi;

beforeAll(async () => {
  replicas = await startReplicas(3);
  cluster = await openClusterApi();
  await cluster.read(datastores, { method: 'POST', body: dataStoreObject('default') });
});
afterAll(async () => {
  cluster?.close();
  await replicas?.remove();
});

const replica = (index: number): Replica => replicas.all[index % replicas.all.length]!;
const revisionOf = (object: TenantControlPlane): number => Number(object.metadata.resourceVersion);

describe('three replicas', () => {
  it('are one API: what one has acknowledged is read from every other', async () => {
    for (let n = 0; n < 30; n += 1) {
      const name = `read-${n}`;
      const created = await replica(n).api.read<TenantControlPlane>(tenants, {
        method: 'POST',
        body: tenantObject(name),
      });
      for (const { api } of replicas.all) {
        const found = await api.read<TenantControlPlane>(`${tenants}/${name}`);
        expect(revisionOf(found)).toBeGreaterThanOrEqual(revisionOf(created));
        const list = await api.read<KubeList<TenantControlPlane>>(tenants);
        expect(list.items.map(({ metadata }) => metadata.name)).toContain(name);
        expect(Number(list.metadata.resourceVersion)).toBeGreaterThanOrEqual(revisionOf(created));
      }
    }
  }, 120_000);

  it('refuse together what only one tenant may have', async () => {
    const claim = { dataStoreSchema: 'shared_schema' };
    const answers = await Promise.all(
      replicas.all.map(({ api }, index) =>
        api.ask(tenants, { method: 'POST', body: tenantObject(`claim-${index}`, claim) }),
      ),
    );
    expect(answers.map(({ code }) => String(code)).sort()).toEqual(['201', '422', '422']);
  });

  it('let a watch go on at another where it ended', async () => {
    const start = await cluster.read<KubeList<TenantControlPlane>>(tenants);
    const over = new AbortController();
    const written: number[] = [];
    const writing = (async () => {
      for (let n = 0; !over.signal.aborted; n += 1) {
        const body = { metadata: { annotations: { [COUNTER]: String(n) } } };
        const options = { method: 'PATCH', headers: mergePatch, body };
        written.push(revisionOf(await replica(n).api.read<TenantControlPlane>(`${tenants}/read-${n % 5}`, options)));
        await sleep(10);
      }
    })();
    const seen: number[] = [];
    let at = start.metadata.resourceVersion ?? '';
    for (let hop = 0; hop < 15; hop += 1) {
      const watch = await replica(hop).api.watch<TenantControlPlane>(`${tenants}?watch=true&resourceVersion=${at}`);
      for (let n = 0; n < 8; n += 1) {
        const { object } = await watch.next(({ type }) => type === 'MODIFIED' || type === 'ADDED');
        at = object.metadata.resourceVersion ?? '';
        seen.push(Number(at));
      }
      watch.close();
    }
    over.abort();
    await writing;
    expect(seen).toEqual([...new Set(seen)].sort((one, other) => one - other));
    const range = written.filter((revision) => revision <= seen.at(-1)!);
    expect(range.length).toBeGreaterThan(50);
    const known = new Set(seen);
    expect(range.filter((revision) => !known.has(revision))).toEqual([]);
  }, 120_000);

  it('have one leader, and another when it dies', async () => {
    const leaders = async (): Promise<readonly string[]> => {
      const states = await Promise.all(replicas.all.map(async (one) => ({ name: one.name, leads: await one.leads() })));
      return states.filter(({ leads }) => leads).map(({ name }) => name);
    };
    const [first] = await eventually('a leader', async () => {
      const now = await leaders();
      return now.length > 0 ? now : undefined;
    });
    expect(await replicas.holder()).toBe(first);
    await reconciled('leader-1');
    const dead = replicas.all.find(({ name }) => name === first)!;
    await dead.kill();
    const killedMs = Date.now();
    let second: string | undefined;
    while (second === undefined) {
      const now = await leaders();
      expect(now.length).toBeLessThanOrEqual(1);
      [second] = now;
      expect(Date.now() - killedMs).toBeLessThan(30_000);
      await sleep(200);
    }
    expect(second).not.toBe(first);
    // Not before the lease of the dead one had run out.
    expect(Date.now() - killedMs).toBeGreaterThan(10_000);
    await reconciled('leader-2');
    await dead.start();
    expect(await leaders()).toEqual([second]);
    // One that leaves gives the lease back: nobody waits for it to run out.
    const leaving = replicas.all.find(({ name }) => name === second)!;
    const askedMs = Date.now();
    await leaving.stop();
    await eventually('the next leader', async () => ((await leaders()).length === 1 ? true : undefined));
    expect(Date.now() - askedMs).toBeLessThan(12_000);
    await leaving.start();
  }, 180_000);

  it('are replaced one after the other under load, and nobody notices', async () => {
    const over = new AbortController();
    const retried: string[] = [];
    const failed: string[] = [];
    let answered = 0;
    const ask = async (path: string, options: RawRequest): Promise<RawAnswer | undefined> => {
      const answer = await cluster.ask(path, { ...options, timeoutMs: 20_000 });
      if (answer.code < 300) answered += 1;
      else if ([429, 503].includes(answer.code)) retried.push(`${answer.code} ${answer.text.slice(0, 200)}`);
      else failed.push(`${options.method ?? 'GET'} ${answer.code} ${answer.text.slice(0, 300)}`);
      return answer.code < 300 ? answer : undefined;
    };
    const counts = new Map<string, { acknowledged: number; asked: number }>();
    const counter = async (name: string): Promise<void> => {
      const count = { acknowledged: 0, asked: 0 };
      counts.set(name, count);
      while (!over.signal.aborted) {
        const value = ++count.asked;
        const body = { metadata: { annotations: { [COUNTER]: String(value) } } };
        if (await ask(`${tenants}/${name}`, { method: 'PATCH', headers: mergePatch, body })) count.acknowledged = value;
        await sleep(5);
      }
    };
    const reader = async (): Promise<void> => {
      while (!over.signal.aborted) {
        await ask(`${tenants}?limit=5`, {});
        await sleep(5);
      }
    };
    const load = [counter('read-0'), counter('read-1'), counter('read-2'), reader(), reader()];
    for (const one of replicas.all) {
      await one.stop();
      await one.start();
      await sleep(1_000);
    }
    over.abort();
    await Promise.all(load);
    expect(failed).toEqual([]);
    expect(answered).toBeGreaterThan(200);
    expect(retried.length, retried.join('\n')).toBeLessThan(answered / 50);
    for (const [name, { acknowledged, asked }] of counts) {
      const stored = await replica(0).api.read<TenantControlPlane>(`${tenants}/${name}`);
      const value = Number(stored.metadata.annotations?.[COUNTER]);
      expect(value).toBeGreaterThanOrEqual(acknowledged);
      expect(value).toBeLessThanOrEqual(asked);
    }
  }, 180_000);

  it('wait for an etcd that restarts', async () => {
    const before = await replica(0).api.read<KubeList>(`${tenants}?limit=1`);
    await replicas.store.stop('SIGKILL');
    const during = await replica(1).api.ask(tenants, { timeoutMs: 30_000 });
    expect([during.code, during.headers['retry-after']]).toEqual([503, '1']);
    await replicas.store.start();
    for (const one of replicas.all) {
      expect(one.isRunning()).toBe(true);
      const after = await eventually('an answer', async () => {
        const answer = await one.api.ask(`${tenants}?limit=1`);
        return answer.code === 200 ? (answer.json() as KubeList) : undefined;
      });
      expect(Number(after.metadata.resourceVersion)).toBeGreaterThanOrEqual(Number(before.metadata.resourceVersion));
    }
  }, 90_000);
});

/** Creates a tenant and waits for what only controllers write. */
async function reconciled(name: string): Promise<void> {
  const { api } = replicas.all.find((one) => one.isRunning())!;
  await api.read(tenants, { method: 'POST', body: tenantObject(name) });
  await eventually(`controllers to look at ${name}`, async () => {
    const { status } = await api.read<TenantControlPlane>(`${tenants}/${name}`);
    return (status?.conditions ?? []).length > 0 ? true : undefined;
  });
}
