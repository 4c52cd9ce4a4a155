/**
 * Stores on demand for upstream's storage tests: each POST to /stores opens a fresh store of the driver named on the command line with the
 * engine in front of it. The engine answers on a port of its own; what no API offers, such as compaction, is asked here.
 *
 *   node test/storage/server.ts sqlite
 *
 * Prints its URL on stdout and ends when stdin does.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { newEngineTls, startEngine, type Engine } from './engine.ts';
import { podDefinitions } from './pods.ts';
import { openTestStore, type TestStore } from './stores.ts';

interface Running {
  readonly store: TestStore;
  readonly engine: Engine;
  compacted: number;
}

const driver = process.argv[2] ?? '';
const open = openTestStore[driver];
if (open === undefined) {
  throw new Error(`no such driver: ${JSON.stringify(driver)}; known: ${Object.keys(openTestStore).join(', ')}`);
}
const tls = await newEngineTls();
const stores = new Map<string, Running>();
let opened = 0;

async function create(): Promise<object> {
  const store = await open!();
  const engine = await startEngine(store.storage, podDefinitions, tls.material);
  const id = String(++opened);
  stores.set(id, { store, engine, compacted: 0 });
  return { id, url: engine.url, token: engine.token, ca: tls.ca };
}

async function remove(id: string, { store, engine }: Running): Promise<object> {
  stores.delete(id);
  await engine.stop();
  await store.remove();
  return {};
}

/** A write that no API shows, for the revision alone; the twin of the write to a key of etcd beside those of kube-apiserver. */
async function bump({ store: { storage } }: Running): Promise<object> {
  const key = '/bump';
  const expectedRevision = (await storage.get(key))?.revision ?? 0;
  return storage.commit({ key, value: JSON.stringify({ metadata: {} }), expectedRevision });
}

async function compact(running: Running, query: URLSearchParams): Promise<object> {
  const revision = Number(query.get('revision'));
  await running.store.compact(revision);
  running.compacted = revision;
  return { compacted: revision };
}

async function raw({ store }: Running, query: URLSearchParams): Promise<object> {
  const item = await store.storage.get(query.get('key') ?? '');
  return { value: item?.value ?? '' };
}

async function answer(request: IncomingMessage): Promise<object> {
  const url = new URL(request.url ?? '', 'http://127.0.0.1');
  const [, root, id = '', action = ''] = url.pathname.split('/');
  if (root !== 'stores' || request.method !== 'POST')
    throw new Error(`no such request: ${request.method} ${url.pathname}`);
  if (id === '') return create();
  const running = stores.get(id);
  if (running === undefined) throw new Error(`no such store: ${id}`);
  switch (action) {
    case 'bump':
      return bump(running);
    case 'compact':
      return compact(running, url.searchParams);
    case 'compacted':
      return { compacted: running.compacted };
    case 'raw':
      return raw(running, url.searchParams);
    case 'remove':
      return remove(id, running);
    default:
      throw new Error(`no such action: ${action}`);
  }
}

const control = createServer((request, response) => {
  answer(request).then(
    (body) => response.end(JSON.stringify(body)),
    (error: unknown) => {
      response.statusCode = 500;
      response.end(error instanceof Error ? (error.stack ?? error.message) : 'failed');
    },
  );
});
control.listen(0, '127.0.0.1', () => {
  const { port } = control.address() as AddressInfo;
  process.stdout.write(`http://127.0.0.1:${port}\n`);
});

process.stdin.resume();
process.stdin.once('close', () => {
  control.close();
  control.closeAllConnections();
  void Promise.all([...stores].map(([id, running]) => remove(id, running))).then(() => process.exit(0));
});
