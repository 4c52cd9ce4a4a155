/** SIGTERM under load: first nobody is sent here any more, then what was accepted is answered, and watches end as they should. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeList } from '../../src/apimachinery/object.ts';
import type { TenantControlPlane } from '../../src/tenancy/api/tenant-control-plane.ts';
import { dataStoreObject, tenantObject } from '../env/api-objects.ts';
import { startApiServer, type ApiServerProcess } from '../env/api-server.ts';
import {
  GROUP_PATH,
  kubeconfigCredentials,
  openClusterApi,
  openOwnPort,
  OWN_PORT,
  type RawApi,
  type RawWatch,
} from '../env/raw-api.ts';
import { eventually } from '../env/run.ts';

const tenants = `${GROUP_PATH}/namespaces/default/tenantcontrolplanes`;
const DELAY_MS = 3_000;

let server: ApiServerProcess;
let cluster: RawApi;
let own: RawApi;

beforeAll(async () => {
  server = await startApiServer([`--shutdown-delay=${DELAY_MS}ms`]);
  cluster = await openClusterApi();
  own = openOwnPort(await kubeconfigCredentials());
  await cluster.read(`${GROUP_PATH}/datastores`, { method: 'POST', body: dataStoreObject('default') });
});
afterAll(async () => {
  cluster?.close();
  own?.close();
  await server?.remove();
});

interface Told {
  readonly method: string;
  /** Of the object that a write was to make. */
  readonly name: string;
  readonly beganMs: number;
  readonly code: number;
  readonly text: string;
}

/** Asks one thing after the other through the cluster, and keeps what it is told. */
async function ask(user: number, told: Told[], over: AbortSignal): Promise<void> {
  for (let index = 0; !over.aborted; index++) {
    const beganMs = performance.now();
    const name = `t-${user}-${index}`;
    const isWrite = (user + index) % 2 === 0;
    const answer = await cluster.ask(
      isWrite ? tenants : `${tenants}?limit=5`,
      isWrite ? { method: 'POST', body: tenantObject(name) } : {},
    );
    told.push({ method: isWrite ? 'POST' : 'GET', name, beganMs, code: answer.code, text: answer.text });
    // When it is gone, kube-apiserver says so as fast as one can ask.
    if (answer.code === 503) await sleep(50);
  }
}

describe('a server that is told to go while it is used', () => {
  const told: Told[] = [];
  const watches: RawWatch<TenantControlPlane>[] = [];
  let signalledMs: number;
  let unreadyMs: number | undefined;
  let exitedMs: number;
  let slow: { readonly code: number; readonly text: string };

  beforeAll(async () => {
    for (const api of [cluster, cluster, cluster, own, own]) {
      watches.push(await api.watch(`${tenants}?watch=true&allowWatchBookmarks=true`));
    }
    const over = new AbortController();
    const users = Promise.all(Array.from({ length: 8 }, (_, user) => ask(user, told, over.signal)));
    await eventually('the load to run', () => Promise.resolve(told.length > 50 ? true : undefined), { intervalMs: 10 });

    signalledMs = performance.now();
    const stopped = server.stop('SIGTERM');
    const accepted = slowCreate('slow');
    await eventually(
      'the server to be not ready',
      async () => ((await own.ask('/readyz')).code === 200 ? undefined : true),
      { timeoutMs: DELAY_MS, intervalMs: 10 },
    );
    unreadyMs = performance.now();
    expect((await own.ask('/livez')).code).toBe(200);
    slow = await accepted;
    await stopped;
    exitedMs = performance.now();
    await sleep(500);
    over.abort();
    await users;
  }, 120_000);

  /** A create whose body ends only after the port has been closed. */
  async function slowCreate(name: string): Promise<{ readonly code: number; readonly text: string }> {
    const text = JSON.stringify(tenantObject(name));
    const outgoing = request({
      ...OWN_PORT,
      ...(await kubeconfigCredentials()),
      rejectUnauthorized: false,
      agent: false,
      path: tenants,
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) },
    });
    outgoing.write(text.slice(0, 20));
    await sleep(DELAY_MS + 1_000);
    outgoing.end(text.slice(20));
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    let answer = '';
    for await (const chunk of response) answer += String(chunk);
    return { code: response.statusCode ?? 0, text: answer };
  }

  it('says at once that it is not ready, and serves on while that gets round', () => {
    expect(unreadyMs! - signalledMs).toBeLessThan(1_000);
    const meanwhile = told.filter(({ beganMs }) => beganMs > unreadyMs! && beganMs < signalledMs + DELAY_MS - 500);
    expect(meanwhile.length).toBeGreaterThan(20);
    expect(meanwhile.filter(({ code }) => code >= 300)).toEqual([]);
  });

  it('answers everything that it has accepted', async () => {
    const before = told.filter(({ beganMs }) => beganMs < signalledMs + DELAY_MS - 500);
    expect(before.filter(({ code }) => code >= 300)).toEqual([]);
    // Once it is gone, kube-apiserver says that nobody is there, and nothing else.
    const failed = told.filter(({ code }) => code >= 300);
    expect(failed.filter(({ code }) => code !== 503)).toEqual([]);
    // None of those was done all the same; and all that was acknowledged is there.
    await server.start();
    const { items } = await cluster.read<KubeList<TenantControlPlane>>(tenants);
    const stored = new Set(items.map(({ metadata }) => metadata.name));
    const writes = told.filter(({ method }) => method === 'POST');
    expect(writes.filter(({ name, code }) => stored.has(name) !== (code === 201)).map(({ name }) => name)).toEqual([]);
  });

  it('waits for a body that was on its way', () => {
    expect([slow.code, (JSON.parse(slow.text) as TenantControlPlane).metadata.name]).toEqual([201, 'slow']);
  });

  it('ends watches in order: the last frame is whole and the stream is closed, not broken', async () => {
    for (const watch of watches) {
      await watch.ended;
      expect(watch.isComplete).toBe(true);
      expect(watch.frames.length).toBeGreaterThan(0);
      expect(watch.frames.map(({ type }) => type)).not.toContain('ERROR');
    }
    // Each was told of everything that was acknowledged before the watches ended.
    const written = told.filter(({ method, code, beganMs }) => {
      return method === 'POST' && code === 201 && beganMs < signalledMs + DELAY_MS - 500;
    });
    for (const { frames } of watches) {
      const seen = new Set(frames.map(({ object }) => object.metadata.name));
      expect(written.filter(({ name }) => !seen.has(name))).toEqual([]);
    }
  });

  it('ends by itself, soon after its last answer', async () => {
    expect(exitedMs - signalledMs).toBeGreaterThan(DELAY_MS);
    expect(exitedMs - signalledMs).toBeLessThan(DELAY_MS + 10_000);
    const log = await readFile(join(server.folder, 'server.log'), 'utf8');
    expect(log).toMatch(/"stopped".*"exitCode":0/);
  });
});
