/** The etcd driver on real servers that stop, freeze, lose their data, run full or change their certificates. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createConnection, createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/base/log.ts';
import { openStorage } from '../../src/apiserver/storage/drivers.ts';
import type { EtcdConfig } from '../../src/apiserver/storage/etcd/driver.ts';
import { EtcdStorage } from '../../src/apiserver/storage/etcd/etcd-storage.ts';
import {
  CompactedError,
  SlowConsumerError,
  StorageFailedError,
  ValueTooLargeError,
  type Storage,
} from '../../src/apiserver/storage/storage.ts';
import { createCertificateAuthority } from '../../src/pki/issue.ts';
import {
  startStoreServer,
  STORE_PREFIX,
  writeClientCertificate,
  type StoreServer,
  type StoreServerKind,
  type StoreServerOptions,
} from '../env/store-server.ts';
import { eventually } from '../env/run.ts';

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startServer(kind: StoreServerKind, options?: StoreServerOptions): Promise<StoreServer> {
  const server = await startStoreServer(kind, options);
  cleanups.push(() => server.remove());
  return server;
}

async function open(config: EtcdConfig, onFailure?: (error: StorageFailedError) => void): Promise<Storage> {
  const storage = await openStorage('etcd:', { etcd: config, log: silentLogger, ...(onFailure && { onFailure }) });
  cleanups.push(() => storage.close());
  return storage;
}

interface Follower {
  readonly revisions: number[];
  readonly ended: Promise<unknown>;
}

function follow(storage: Storage, prefix: string, after: number): Follower {
  const controller = new AbortController();
  cleanups.push(async () => controller.abort());
  const revisions: number[] = [];
  const run = async (): Promise<void> => {
    for await (const event of storage.watch(prefix, after, controller.signal)) {
      if (event.type !== 'progress') revisions.push(event.revision);
    }
  };
  const ended = run().then(
    () => undefined,
    (error: unknown) => error,
  );
  return { revisions, ended };
}

/** Creates keys one after the other; answers the acknowledged ones with their revisions. Only `unavailable` may happen to it. */
async function write(storage: Storage, name: string, signal: AbortSignal): Promise<Map<string, number>> {
  const acknowledged = new Map<string, number>();
  for (let n = 0; !signal.aborted; n += 1) {
    const key = `/w/${name}/${n}`;
    try {
      acknowledged.set(key, (await storage.commit({ key, value: key, expectedRevision: 0 })).revision);
    } catch (error) {
      if (!(error instanceof StorageFailedError) || error.failure !== 'unavailable') throw error;
      await sleep(20);
    }
  }
  return acknowledged;
}

/** Writes and watches while `disturb` runs, then checks that nothing acknowledged is lost and no watcher has a gap or a repetition. */
async function survive(server: StoreServer, disturb: () => Promise<void>): Promise<number> {
  const storage = await open(server.config(`${STORE_PREFIX}/faults`));
  const other = await open(server.config(`${STORE_PREFIX}/faults`));
  const start = await storage.currentRevision();
  const followers = [follow(storage, '/w/', start), follow(other, '/w/', start)];
  const over = new AbortController();
  const writers = [storage, other].flatMap((one, index) => [0, 1].map((n) => write(one, `${index}${n}`, over.signal)));
  await disturb();
  await sleep(500);
  over.abort();
  const acknowledged = new Map((await Promise.all(writers)).flatMap((each) => [...each]));
  const last = await eventually('writes to go through', () =>
    storage.commit({ key: '/w/last', value: 'x', expectedRevision: 0 }).catch((error: unknown) => {
      if (error instanceof StorageFailedError) return undefined;
      throw error;
    }),
  );
  const { items } = await storage.list('/w/', {});
  const stored = new Map(items.map(({ key, revision }) => [key, revision]));
  expect([...acknowledged].filter(([key, revision]) => stored.get(key) !== revision)).toEqual([]);
  // Also what was written without anybody being told is told to watchers: they see exactly what is there.
  const expected = [...stored.values()].sort((a, b) => a - b);
  for (const { revisions } of followers) {
    await eventually('the watcher to see the end', async () => (revisions.at(-1) === last.revision ? true : undefined));
    expect(revisions).toEqual(expected);
  }
  return acknowledged.size;
}

describe('nothing is lost and nothing comes twice', () => {
  test('when etcd is killed again and again', async () => {
    const server = await startServer('etcd');
    let told = 0;
    told = await survive(server, async () => {
      for (let round = 0; round < 8; round += 1) {
        await sleep(200 + 60 * round);
        await server.stop('SIGKILL');
        await sleep(20 * round);
        await server.start();
      }
    });
    expect(told).toBeGreaterThan(100);
  }, 120_000);

  test('when etcd with TLS and users is killed', async () => {
    const server = await startServer('etcd-secure');
    const told = await survive(server, async () => {
      for (let round = 0; round < 3; round += 1) {
        await sleep(300);
        await server.stop('SIGKILL');
        await server.start();
      }
    });
    expect(told).toBeGreaterThan(50);
  }, 120_000);

  test('when etcd freezes', async () => {
    const server = await startServer('etcd');
    const told = await survive(server, async () => {
      for (const pauseMs of [100, 1_500, 12_000]) {
        await sleep(300);
        process.kill(server.pid()!, 'SIGSTOP');
        await sleep(pauseMs);
        process.kill(server.pid()!, 'SIGCONT');
      }
    });
    expect(told).toBeGreaterThan(100);
  }, 120_000);

  test('when kine is killed', async () => {
    const server = await startServer('kine');
    const told = await survive(server, async () => {
      for (let round = 0; round < 3; round += 1) {
        await sleep(400);
        await server.stop('SIGKILL');
        await server.start();
      }
    });
    expect(told).toBeGreaterThan(20);
  }, 120_000);
});

/** A way to a server that can be cut. */
async function startCuttable(target: string): Promise<{ readonly url: string; cut(): void; mend(): void }> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let whole = true;
  const proxy = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    if (!whole) {
      socket.destroy();
      return;
    }
    const onward = createConnection(Number(port), hostname);
    sockets.add(onward);
    onward.on('error', () => socket.destroy());
    socket.on('close', () => onward.destroy());
    onward.on('close', () => socket.destroy());
    socket.pipe(onward).pipe(socket);
  });
  await new Promise<void>((resolve) => void proxy.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    whole = false;
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  cleanups.push(async () => {
    cut();
    proxy.close();
  });
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, cut, mend: () => void (whole = true) };
}

test('who was cut off while history was compacted is told to list again, and can', async () => {
  const server = await startServer('etcd');
  const config = server.config('/cut');
  const way = await startCuttable(config.servers[0]!);
  const here = await open({ ...config, servers: [way.url] });
  const there = await EtcdStorage.open({ client: await server.client(), prefix: '/cut', compactMs: 0 });
  cleanups.push(() => there.close());
  const start = await here.currentRevision();
  const follower = follow(here, '/', start);
  const first = await there.commit({ key: '/a', value: '1', expectedRevision: 0 });
  await eventually('the first event', async () => (follower.revisions.length === 1 ? true : undefined));
  way.cut();
  const second = await there.commit({ key: '/a', value: '2', expectedRevision: first.revision });
  await there.commit({ key: '/b', value: '1', expectedRevision: 0 });
  await there.compact();
  way.mend();
  const ended = await follower.ended;
  expect(ended).toBeInstanceOf(SlowConsumerError);
  expect(follower.revisions).toEqual([first.revision]);
  expect(await follow(here, '/', second.revision - 1).ended).toBeInstanceOf(CompactedError);
  const anew = await here.list('/', {});
  expect(anew.items.map(({ key }) => key)).toEqual(['/a', '/b']);
  const again = follow(here, '/', anew.revision);
  const last = await there.commit({ key: '/c', value: '1', expectedRevision: 0 });
  await eventually('the new watch', async () => (again.revisions[0] === last.revision ? true : undefined));
}, 60_000);

test('a connection that is cut and mended is not noticed by watchers', async () => {
  const server = await startServer('etcd');
  const config = server.config('/mend');
  const way = await startCuttable(config.servers[0]!);
  const here = await open({ ...config, servers: [way.url] });
  const there = await open(config);
  const follower = follow(here, '/', await here.currentRevision());
  const written: number[] = [];
  for (let n = 0; n < 60; n += 1) {
    if (n % 15 === 5) way.cut();
    if (n % 15 === 10) way.mend();
    written.push((await there.commit({ key: `/${n}`, value: 'x'.repeat(5_000), expectedRevision: 0 })).revision);
    await sleep(20);
  }
  way.mend();
  await eventually('all events', async () => (follower.revisions.length >= 60 ? true : undefined));
  expect(follower.revisions).toEqual(written);
}, 60_000);

test('one of several servers is enough, whichever it is', async () => {
  const server = await startServer('etcd');
  const config = server.config('/several');
  const ways = [await startCuttable(config.servers[0]!), await startCuttable(config.servers[0]!)];
  const storage = await open({ ...config, servers: ways.map(({ url }) => url) });
  const follower = follow(storage, '/', await storage.currentRevision());
  const written: number[] = [];
  for (let n = 0; n < 6; n += 1) {
    ways[n % 2]!.mend();
    ways[(n + 1) % 2]!.cut();
    // A create whose answer was lost may fail; one that was never sent goes to the other server.
    await sleep(50);
    written.push((await storage.commit({ key: `/${n}`, value: 'x', expectedRevision: 0 })).revision);
    expect((await storage.list('/', {})).items).toHaveLength(n + 1);
  }
  await eventually('all events', async () => (follower.revisions.length === 6 ? true : undefined));
  expect(follower.revisions).toEqual(written);
}, 60_000);

test('an etcd that lost its data is not taken for the old one', async () => {
  const server = await startServer('etcd');
  const failures: string[] = [];
  const storage = await open(server.config('/lost'), (error) => failures.push(error.failure));
  for (let n = 0; n < 10; n += 1) await storage.commit({ key: `/${n}`, value: 'x', expectedRevision: 0 });
  const follower = follow(storage, '/', await storage.currentRevision());
  await server.stop('SIGKILL');
  await rm(join(server.folder, 'data'), { recursive: true });
  await server.start();
  await expect(storage.list('/', {})).rejects.toMatchObject({ name: 'StorageFailedError', failure: 'corrupt' });
  await expect(storage.commit({ key: '/new', value: 'x', expectedRevision: 0 })).rejects.toMatchObject({
    failure: 'corrupt',
  });
  expect(await follower.ended).toMatchObject({ failure: 'corrupt' });
  expect(failures).toEqual(['corrupt']);
}, 60_000);

test('an etcd at its quota takes no more writes, and says why; reads go on', async () => {
  const server = await startServer('etcd', { flags: ['--quota-backend-bytes=4194304'] });
  const storage = await open(server.config('/full'));
  const value = 'x'.repeat(500_000);
  const fill = async (): Promise<void> => {
    for (let n = 0; n < 40; n += 1) await storage.commit({ key: `/${n}`, value, expectedRevision: 0 });
  };
  await expect(fill()).rejects.toMatchObject({ name: 'StorageFailedError', failure: 'full' });
  const { items } = await storage.list('/', {});
  expect(items.length).toBeGreaterThan(2);
  expect((await storage.get('/0'))?.value).toBe(value);
}, 60_000);

test('a value larger than etcd takes is refused alone', async () => {
  const server = await startServer('etcd');
  const storage = await open(server.config('/large'));
  for (const size of [1_572_864, 5_000_000]) {
    const commit = storage.commit({ key: '/large', value: 'x'.repeat(size), expectedRevision: 0, claims: ['c'] });
    await expect(commit).rejects.toThrow(ValueTooLargeError);
  }
  await storage.commit({ key: '/small', value: 'x', expectedRevision: 0, claims: ['c'] });
});

test('lists of many pages are of one revision and count what is behind', async () => {
  const server = await startServer('etcd');
  const storage = await open(server.config('/pages'));
  const count = 2_300;
  await Promise.all(
    Array.from({ length: count }, (_, n) => storage.commit({ key: `/p/${n}`, value: String(n), expectedRevision: 0 })),
  );
  await storage.commit({ key: '/q', value: 'x', expectedRevision: 0 });
  const writing = Promise.all(
    Array.from({ length: 50 }, (_, n) => storage.commit({ key: `/p/zz${n}`, value: 'late', expectedRevision: 0 })),
  );
  const all = await storage.list('/p/', {});
  await writing;
  const late = all.items.filter(({ value }) => value === 'late');
  expect(all.items).toHaveLength(count + late.length);
  expect(late.every(({ revision }) => revision <= all.revision)).toBe(true);
  expect((await storage.list('/p/', { atRevision: all.revision })).items).toEqual(all.items);
  const page = await storage.list('/p/', { limit: 1_500, atRevision: all.revision });
  expect([page.items.length, page.remaining]).toEqual([1_500, all.items.length - 1_500]);
}, 60_000);

describe('who we are', () => {
  test('goes on with new certificates and with those that were good when new ones are not', async () => {
    const server = await startServer('etcd-secure');
    const storage = await open({ ...server.config(`${STORE_PREFIX}/tls`), credentialsCheckMs: 50 });
    const follower = follow(storage, '/', await storage.currentRevision());
    const written: number[] = [];
    const writeOne = async (): Promise<void> => {
      written.push((await storage.commit({ key: `/${written.length}`, value: 'x', expectedRevision: 0 })).revision);
    };
    await writeOne();
    const old = await readFile(join(server.folder, 'client.crt'), 'utf8');
    for (let round = 0; round < 3; round += 1) {
      await writeClientCertificate(server.folder, server.authority!);
      for (let n = 0; n < 10; n += 1) {
        await writeOne();
        await sleep(20);
      }
    }
    expect(await readFile(join(server.folder, 'client.crt'), 'utf8')).not.toBe(old);
    await writeFile(join(server.folder, 'client.crt'), 'no certificate');
    await sleep(200);
    await writeOne();
    await writeClientCertificate(server.folder, server.authority!);
    await sleep(200);
    await writeOne();
    await eventually('all events', async () => (follower.revisions.length === written.length ? true : undefined));
    expect(follower.revisions).toEqual(written);
  }, 60_000);

  test('is asked for again when a token has run out', async () => {
    const server = await startServer('etcd-secure', { flags: ['--auth-token-ttl=1'] });
    const storage = await open(server.config(`${STORE_PREFIX}/token`));
    const { revision } = await storage.commit({ key: '/a', value: '1', expectedRevision: 0 });
    await sleep(3_500);
    const second = await storage.commit({ key: '/a', value: '2', expectedRevision: revision });
    await sleep(3_500);
    expect((await storage.get('/a'))?.revision).toBe(second.revision);
    const follower = follow(storage, '/', revision);
    await eventually('history', async () => (follower.revisions[0] === second.revision ? true : undefined));
  }, 60_000);

  test('is never in an error', async () => {
    const server = await startServer('etcd-secure');
    const config = server.config(`${STORE_PREFIX}/secret`);
    const wrong = join(server.folder, 'wrong-password');
    await writeFile(wrong, 'hunter2\n');
    const client = { ...config, passwordFile: wrong };
    const error: unknown = await openOnce(client);
    expect(error).toMatchObject({ name: 'StorageFailedError', failure: 'unavailable' });
    expect(describeAll(error)).not.toContain('hunter2');
  }, 100_000);

  test('and whom we talk to: another authority is refused', async () => {
    const server = await startServer('etcd-secure');
    const config = server.config(`${STORE_PREFIX}/ca`);
    const foreign = await createCertificateAuthority({ subject: { commonName: 'foreign' }, now: new Date() });
    const caFile = join(server.folder, 'foreign.crt');
    await writeFile(caFile, foreign.certificate);
    const error: unknown = await openOnce({ ...config, caFile });
    expect(error).toMatchObject({ failure: 'unavailable' });
    expect((error as Error).message).toContain('not signed by the certificate authority');
  }, 100_000);
});

/** What opening fails with, without the patience for servers that come up late. */
async function openOnce(config: EtcdConfig): Promise<unknown> {
  const stopping = new AbortController();
  try {
    await openStorage('etcd:', {
      etcd: config,
      signal: stopping.signal,
      log: { ...silentLogger, warn: (_message, fields) => stopping.abort(fields?.['error']) },
    });
    return undefined;
  } catch (error) {
    return error;
  }
}

function describeAll(error: unknown): string {
  return error instanceof Error ? `${error.stack} ${JSON.stringify(error)} ${describeAll(error.cause)}` : String(error);
}
