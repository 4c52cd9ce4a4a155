/** The server dies again and again in the middle of writes: what it has acknowledged stays, and watchers miss nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeList } from '../../src/apimachinery/object.ts';
import type { TenantControlPlane } from '../../src/tenancy/api/tenant-control-plane.ts';
import { dataStoreObject, tenantObject } from '../env/api-objects.ts';
import { startApiServer, type ApiServerProcess } from '../env/api-server.ts';
import {
  GROUP_PATH,
  kubeconfigCredentials,
  openOwnPort,
  type RawApi,
  type RawAnswer,
  type RawWatch,
} from '../env/raw-api.ts';
import { eventually } from '../env/run.ts';

const tenants = `${GROUP_PATH}/namespaces/default/tenantcontrolplanes`;
const mergePatch = { 'Content-Type': 'application/merge-patch+json' };
const CRASHES = 10;
const COUNTER = 'example.com/counter';

let server: ApiServerProcess;
let api: RawApi;

beforeAll(async () => {
  server = await startApiServer();
  api = openOwnPort(await kubeconfigCredentials());
  await api.read(`${GROUP_PATH}/datastores`, { method: 'POST', body: dataStoreObject('default') });
});
afterAll(async () => {
  api?.close();
  await server?.remove();
});

/** What a server may say that has just started and does not know its callers yet. Nothing is written then. */
const STARTING: readonly number[] = [503];

/** An answer, or undefined when the server died before there was one: the write may then have happened or not. */
async function write(path: string, options: Parameters<RawApi['ask']>[1]): Promise<RawAnswer | undefined> {
  try {
    const answer = await api.ask(path, { ...options, timeoutMs: 10_000 });
    if (!STARTING.includes(answer.code)) return answer;
    await sleep(20);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!['ECONNRESET', 'ECONNREFUSED', 'EPIPE'].includes(code)) throw error;
    await sleep(20);
    return undefined;
  }
}

const revisionOf = (object: TenantControlPlane): number => Number(object.metadata.resourceVersion);

/** What the clients were told, which must be true for ever. */
class Promises {
  readonly created = new Map<string, number>();
  readonly deleted = new Set<string>();
  /** Deletions that were asked for: done or not, the server did not say. */
  readonly doubtful = new Set<string>();
  readonly counters = new Map<string, { acknowledged: number; asked: number }>();
  readonly revisions: number[] = [];

  keep(object: TenantControlPlane): void {
    this.revisions.push(revisionOf(object));
  }
}

async function createAndDelete(name: string, told: Promises, over: AbortSignal): Promise<void> {
  for (let index = 0; !over.aborted; index++) {
    const tenant = `${name}-${index}`;
    const answer = await write(tenants, { method: 'POST', body: tenantObject(tenant) });
    if (answer === undefined) continue;
    expect(answer.code).toBe(201);
    const object = answer.json() as TenantControlPlane;
    told.created.set(tenant, revisionOf(object));
    told.keep(object);
    if (index % 3 !== 0) continue;
    const gone = await write(`${tenants}/${tenant}`, { method: 'DELETE' });
    if (gone === undefined) told.doubtful.add(tenant);
    else told.deleted.add(tenant);
  }
}

async function count(name: string, told: Promises, over: AbortSignal): Promise<void> {
  const counter = { acknowledged: 0, asked: 0 };
  told.counters.set(name, counter);
  while (!over.aborted) {
    counter.asked++;
    const body = { metadata: { annotations: { [COUNTER]: String(counter.asked) } } };
    const answer = await write(`${tenants}/${name}`, { method: 'PATCH', headers: mergePatch, body });
    if (answer === undefined) continue;
    expect(answer.code).toBe(200);
    counter.acknowledged = counter.asked;
    told.keep(answer.json() as TenantControlPlane);
  }
}

/** Follows the collection through all crashes, each time from the last revision that it has seen. */
class Follower {
  readonly revisions: number[] = [];
  readonly objects = new Map<string, number>();
  resumed = 0;
  #from: string;

  constructor(from: string) {
    this.#from = from;
  }

  get last(): number {
    return Number(this.#from);
  }

  async run(over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      let stream: RawWatch<TenantControlPlane>;
      try {
        stream = await api.watch<TenantControlPlane>(`${tenants}?watch=true&resourceVersion=${this.#from}`);
      } catch {
        await sleep(10);
        continue;
      }
      over.addEventListener('abort', () => stream.close(), { once: true });
      await stream.ended;
      if (STARTING.includes(stream.code)) continue;
      expect(stream.code).toBe(200);
      for (const { type, object } of stream.frames) {
        expect(['ADDED', 'MODIFIED', 'DELETED']).toContain(type);
        const { name = '', resourceVersion = '' } = object.metadata;
        this.revisions.push(Number(resourceVersion));
        if (type === 'DELETED') this.objects.delete(name);
        else this.objects.set(name, Number(resourceVersion));
        this.#from = resourceVersion;
      }
      this.resumed++;
    }
  }
}

describe(`killed ${CRASHES} times under load`, () => {
  it('it loses no acknowledged write, turns back no revision and hides no event', async () => {
    const told = new Promises();
    const counters = ['counter-0', 'counter-1', 'counter-2'];
    for (const name of counters) await api.read(tenants, { method: 'POST', body: tenantObject(name) });
    const start = await api.read<KubeList<TenantControlPlane>>(tenants);
    const follower = new Follower(start.metadata.resourceVersion ?? '');
    for (const item of start.items) follower.objects.set(item.metadata.name ?? '', revisionOf(item));

    const over = new AbortController();
    const writers = [
      ...counters.map((name) => count(name, told, over.signal)),
      ...['a', 'b', 'c'].map((name) => createAndDelete(name, told, over.signal)),
    ];
    // A writer that fails must not wait for the end to say so.
    const failed = Promise.all(writers);
    const watchOver = new AbortController();
    const following = follower.run(watchOver.signal);

    const kill = async (): Promise<void> => {
      for (let crash = 0; crash < CRASHES; crash++) {
        await sleep(100 + Math.random() * 400);
        const before = Math.max(0, ...told.revisions);
        await server.stop('SIGKILL');
        await server.start('own-port');
        const { metadata } = await api.read<KubeList>(`${tenants}?limit=1`);
        expect(Number(metadata.resourceVersion)).toBeGreaterThanOrEqual(before);
        const acknowledged = told.revisions.length;
        // So that the next crash, too, has something to lose.
        await eventually('writes to go on', async () => (told.revisions.length > acknowledged ? true : undefined), {
          timeoutMs: 10_000,
          intervalMs: 5,
        });
      }
    };
    await Promise.race([kill(), failed.then(() => undefined)]);
    over.abort();
    await failed;

    const { items, metadata } = await api.read<KubeList<TenantControlPlane>>(tenants);
    const stored = new Map(items.map((item) => [item.metadata.name ?? '', item]));

    for (const [name, revision] of told.created) {
      if (told.doubtful.has(name)) continue;
      expect([name, stored.has(name)]).toEqual([name, !told.deleted.has(name)]);
      if (stored.has(name)) expect(revisionOf(stored.get(name)!)).toBe(revision);
    }
    for (const [name, { acknowledged, asked }] of told.counters) {
      const value = Number(stored.get(name)?.metadata.annotations?.[COUNTER]);
      expect(value).toBeGreaterThanOrEqual(acknowledged);
      expect(value).toBeLessThanOrEqual(asked);
    }
    // Every write has a revision of its own.
    expect(new Set(told.revisions).size).toBe(told.revisions.length);

    // One more write, so that the end of the follower's story is known.
    const last = revisionOf(
      await api.read<TenantControlPlane>(tenants, { method: 'POST', body: tenantObject('the-end') }),
    );
    expect(last).toBeGreaterThan(Number(metadata.resourceVersion));
    await sleep(500);
    watchOver.abort();
    await following;
    expect(follower.last).toBe(last);
    expect(follower.revisions).toEqual([...new Set(follower.revisions)].sort((a, b) => a - b));
    const seen = new Set(follower.revisions);
    expect(told.revisions.filter((revision) => !seen.has(revision))).toEqual([]);
    const final = await api.read<KubeList<TenantControlPlane>>(tenants);
    expect(Object.fromEntries(follower.objects)).toEqual(
      Object.fromEntries(final.items.map((item) => [item.metadata.name ?? '', revisionOf(item)])),
    );
    expect(follower.resumed).toBeGreaterThanOrEqual(CRASHES);
    expect(told.created.size).toBeGreaterThan(CRASHES);
    expect(told.deleted.size).toBeGreaterThan(0);
  }, 180_000);
});
