import { afterEach, describe, expect, it } from 'vitest';
import { failure, MemoryCluster } from '../../test/env/memory-cluster.ts';
import type { KubeList, KubeObject } from '../apimachinery/object.ts';
import { FakeClock, settle } from '../base/fake-clock.ts';
import { createLogger } from '../base/log.ts';
import { ProtocolError } from './api-error.ts';
import type { ListCallOptions, Resource, WatchEvent } from './client.ts';
import { createInformer, type InformerOptions } from './informer.ts';
import type { ConfigMap } from './kinds.ts';
import { compareResourceVersions } from './resource-version.ts';
import { CONFIG_MAPS } from './resources.ts';
import { byLabel, byOwnerUid, splitKey } from './store.ts';

const map = (name: string, extra: Partial<ConfigMap> & { labels?: Record<string, string> } = {}): ConfigMap => {
  const { labels, ...rest } = extra;
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'ns', name, ...(labels ? { labels } : {}) },
    ...rest,
  };
};

let stop = new AbortController();
afterEach(() => {
  stop.abort();
  stop = new AbortController();
});

function setUp(options: Partial<InformerOptions<ConfigMap>> = {}, cluster = new MemoryCluster()) {
  const clock = new FakeClock();
  const lines: string[] = [];
  const log = createLogger({ clock, level: 'debug', write: (line) => void lines.push(line) });
  const informer = createInformer({
    client: cluster,
    resource: CONFIG_MAPS,
    log,
    clock,
    random: () => 0.5,
    ...options,
  });
  const seen: string[] = [];
  const offChange = informer.onChange({
    add: (object) => seen.push(`+${object.metadata.name}`),
    update: (old, object) => seen.push(`~${object.metadata.name} ${old.data?.['v']}->${object.data?.['v']}`),
    delete: (object) => seen.push(`-${object.metadata.name} ${object.data?.['v']}`),
  });
  return { cluster, clock, informer, seen, lines, offChange, start: () => informer.run(stop.signal) };
}

describe('informer', () => {
  it('lists, watches, and tells of every change', async () => {
    const { cluster, informer, seen, start } = setUp();
    cluster.put(CONFIG_MAPS, map('a', { data: { v: '1' } }));
    const synced = informer.waitForSync(stop.signal);
    expect(informer.hasSynced()).toBe(false);
    const running = start();
    await synced;
    expect(informer.hasSynced()).toBe(true);
    expect(informer.get('ns', 'a')?.data).toEqual({ v: '1' });
    cluster.put(CONFIG_MAPS, map('a', { data: { v: '2' } }));
    cluster.put(CONFIG_MAPS, map('b'));
    cluster.remove(CONFIG_MAPS, 'ns', 'a');
    await settle();
    expect(seen).toEqual(['+a', '~a 1->2', '+b', '-a 2']);
    expect(informer.list().map((object) => object.metadata.name)).toEqual(['b']);
    expect(informer.list('elsewhere')).toEqual([]);
    stop.abort();
    await running;
  });

  it('indexes, follows changes of the index, and answers late handlers what is there', async () => {
    const { cluster, informer, start, offChange, seen } = setUp({
      indexes: { app: byLabel('app'), owner: byOwnerUid },
    });
    cluster.put(CONFIG_MAPS, map('a', { labels: { app: 'x' } }));
    cluster.put(CONFIG_MAPS, map('b', { labels: { app: 'x' } }));
    void start();
    await informer.waitForSync(stop.signal);
    expect(informer.byIndex('app', 'x')).toHaveLength(2);
    cluster.put(CONFIG_MAPS, map('a', { labels: { app: 'y' } }));
    cluster.remove(CONFIG_MAPS, 'ns', 'b');
    await settle();
    expect(informer.byIndex('app', 'x')).toEqual([]);
    expect(informer.byIndex('app', 'y').map((object) => object.metadata.name)).toEqual(['a']);
    expect(informer.byIndex('owner', 'none')).toEqual([]);
    expect(() => informer.byIndex('nothing', 'x')).toThrow('no index named nothing');
    offChange();
    const before = seen.length;
    const late: string[] = [];
    informer.onChange({ add: (object) => late.push(object.metadata.name!) });
    cluster.put(CONFIG_MAPS, map('c'));
    await settle();
    expect([late, seen.length]).toEqual([['a', 'c'], before]);
  });

  it('drops managedFields, transforms, and freezes what it answers', async () => {
    const { cluster, informer, start } = setUp({
      transform: (object) => ({ ...object, data: { kept: object.data?.['v'] ?? '' } }),
    });
    const full = map('a', { data: { v: '1', big: 'x' } });
    cluster.put(CONFIG_MAPS, { ...full, metadata: { ...full.metadata, managedFields: [{ manager: 'm' }] } });
    void start();
    await informer.waitForSync(stop.signal);
    const object = informer.get('ns', 'a')!;
    expect(object.data).toEqual({ kept: '1' });
    expect(object.metadata.managedFields).toBeUndefined();
    expect(() => Object.assign(object.data!, { kept: '2' })).toThrow(TypeError);
  });

  it('goes on when a handler fails', async () => {
    const { cluster, informer, start, lines, seen } = setUp();
    informer.onChange({
      add: () => {
        throw new Error('handler broke');
      },
    });
    void start();
    await informer.waitForSync(stop.signal);
    cluster.put(CONFIG_MAPS, map('a'));
    cluster.put(CONFIG_MAPS, map('b'));
    await settle();
    expect(seen).toEqual(['+a', '+b']);
    expect(lines.filter((line) => line.includes('handler broke'))).toHaveLength(2);
  });

  it('stops waiting for the first list when told', async () => {
    const { informer } = setUp();
    const waiting = informer.waitForSync(stop.signal);
    stop.abort();
    await expect(waiting).rejects.toThrow(/abort/);
  });
});

/** Scripts what watches answer, one after another. */
class ScriptedCluster extends MemoryCluster {
  readonly watches: { readonly resourceVersion: string; readonly signal: AbortSignal }[] = [];
  readonly lists: (string | undefined)[] = [];
  script: ((signal: AbortSignal) => AsyncIterable<WatchEvent<ConfigMap>>)[] = [];

  override watch(...[, , options]: Parameters<MemoryCluster['watch']>): AsyncIterable<WatchEvent<never>> {
    this.watches.push(options);
    const next = this.script.shift() ?? silent;
    return next(options.signal) as AsyncIterable<WatchEvent<never>>;
  }

  override list<T extends KubeObject>(
    resource: Resource<T>,
    namespace: string,
    options?: ListCallOptions,
  ): Promise<KubeList<T>> {
    this.lists.push(options?.resourceVersion);
    return super.list(resource, namespace, options);
  }
}

// oxlint-disable-next-line require-yield -- silence is what it yields
async function* silent(signal: AbortSignal): AsyncGenerator<WatchEvent<ConfigMap>> {
  await new Promise((resolve) => {
    signal.addEventListener('abort', resolve, { once: true });
  });
}

const failing = (error: Error) =>
  // oxlint-disable-next-line require-yield -- it fails instead
  async function* (): AsyncGenerator<WatchEvent<ConfigMap>> {
    throw error;
  };

const sending = (...events: WatchEvent<ConfigMap>[]) =>
  async function* (signal: AbortSignal): AsyncGenerator<WatchEvent<ConfigMap>> {
    yield* events;
    yield* silent(signal);
  };

const at = (name: string, resourceVersion: string): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'ns', name, uid: name, resourceVersion },
});

describe('reflector', () => {
  it('goes on from the last event or bookmark when the connection breaks', async () => {
    const cluster = new ScriptedCluster();
    const broken = async function* (): AsyncGenerator<WatchEvent<ConfigMap>> {
      yield { type: 'ADDED', object: at('a', '200') };
      yield { type: 'BOOKMARK', resourceVersion: '250' };
      throw failure(503, 'ServiceUnavailable', 'gone');
    };
    cluster.script = [broken];
    const { clock, start, seen } = setUp({}, cluster);
    void start();
    await clock.advance(1000);
    expect(cluster.watches.map((watch) => watch.resourceVersion)).toEqual(['100', '250']);
    expect(cluster.lists).toEqual(['0']);
    expect(seen).toEqual(['+a']);
  });

  it('lists again when its place is no longer known, and tells of what it missed', async () => {
    const cluster = new ScriptedCluster();
    cluster.put(CONFIG_MAPS, map('gone', { data: { v: '1' } }));
    cluster.put(CONFIG_MAPS, map('changed', { data: { v: '1' } }));
    cluster.put(CONFIG_MAPS, map('same'));
    const { clock, start, seen } = setUp({}, cluster);
    cluster.script = [
      sending({ type: 'BOOKMARK', resourceVersion: '103' }),
      async function* () {
        cluster.remove(CONFIG_MAPS, 'ns', 'gone');
        cluster.put(CONFIG_MAPS, map('changed', { data: { v: '2' } }));
        cluster.put(CONFIG_MAPS, map('new'));
        yield* failing(failure(410, 'Expired', 'too old'))();
      },
    ];
    void start();
    await clock.advance(0);
    expect(seen.splice(0)).toEqual(['+gone', '+changed', '+same']);
    // The first watch is silent after its bookmark until it counts as dead.
    await clock.advance(180_000);
    await clock.advance(1000);
    expect(cluster.lists).toEqual(['0', '103']);
    expect(seen).toEqual(['~changed 1->2', '+new', '-gone 1']);
  });

  it('asks for the latest when even a fresh list is too old to watch from', async () => {
    const cluster = new ScriptedCluster();
    cluster.script = [failing(failure(410, 'Expired', 'too old'))];
    const { clock, start } = setUp({}, cluster);
    void start();
    await clock.advance(1000);
    expect(cluster.lists).toEqual(['0', undefined]);
  });

  it('lists again after an event that it could not read', async () => {
    const cluster = new ScriptedCluster();
    cluster.script = [failing(new ProtocolError('no JSON'))];
    const { clock, start, lines } = setUp({}, cluster);
    void start();
    await clock.advance(1000);
    expect(cluster.lists).toHaveLength(2);
    expect(lines.join('')).toContain('no JSON');
  });

  it('tries a failing list again ever more slowly, without flooding', async () => {
    const cluster = new ScriptedCluster();
    cluster.intercept = () => {
      throw failure(403, 'Forbidden', 'no');
    };
    const { clock, start, informer } = setUp({}, cluster);
    void start();
    await clock.advance(120_000);
    expect(cluster.lists.length).toBeGreaterThan(8);
    expect(cluster.lists.length).toBeLessThan(13);
    expect(informer.hasSynced()).toBe(false);
    cluster.intercept = () => undefined;
    await clock.advance(30_000);
    expect(informer.hasSynced()).toBe(true);
  });

  it('comes back soon after a quiet watch broke, whatever failed before it', async () => {
    const cluster = new ScriptedCluster();
    const reset = failure(503, 'ServiceUnavailable', 'reset');
    const clock = new FakeClock();
    // oxlint-disable-next-line require-yield -- it is quiet, and then fails
    const quiet = async function* (): AsyncGenerator<WatchEvent<ConfigMap>> {
      await clock.sleep(60_000);
      throw reset;
    };
    cluster.script = [...Array.from({ length: 6 }, () => failing(reset)), quiet];
    const { start } = setUp({ clock }, cluster);
    void start();
    await clock.advance(20_000);
    expect(cluster.watches).toHaveLength(7);
    await clock.advance(60_000);
    expect(cluster.watches).toHaveLength(8);
  });

  it('does not spin on a server that closes every watch at once', async () => {
    const cluster = new ScriptedCluster();
    cluster.script = Array.from({ length: 1000 }, () => async function* () {});
    const { clock, start } = setUp({}, cluster);
    void start();
    await clock.advance(60_000);
    expect(cluster.watches.length).toBeLessThan(12);
  });

  it('leaves a watch that fell silent, but not one without bookmarks that is merely quiet', async () => {
    const cluster = new ScriptedCluster();
    cluster.script = [sending({ type: 'BOOKMARK', resourceVersion: '300' })];
    const { clock, start } = setUp({}, cluster);
    void start();
    await clock.advance(170_000);
    expect(cluster.watches).toHaveLength(1);
    await clock.advance(10_000);
    expect(cluster.watches.map((watch) => watch.resourceVersion)).toEqual(['100', '300']);
    expect(cluster.watches[0]!.signal.aborted).toBe(true);
    await clock.advance(400_000);
    expect(cluster.watches).toHaveLength(2);
    // Neither is one kept for ever that the server should have ended.
    await clock.advance(100_000);
    expect(cluster.watches).toHaveLength(3);
  });
});

it('compares resourceVersions as numbers of any size', () => {
  expect(compareResourceVersions('9', '10')).toBeLessThan(0);
  expect(compareResourceVersions('90071992547409931', '90071992547409930')).toBeGreaterThan(0);
  expect(compareResourceVersions('7', '7')).toBe(0);
  expect(compareResourceVersions('a', '7')).toBeUndefined();
  expect(compareResourceVersions(undefined, '7')).toBeUndefined();
});

it('splits keys', () => {
  expect(splitKey('ns/a')).toEqual({ namespace: 'ns', name: 'a' });
  expect(splitKey('a')).toEqual({ namespace: '', name: 'a' });
});
