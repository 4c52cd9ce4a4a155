import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../../../base/fake-clock.ts';
import { seededNumbers } from '../../../base/testing/seeded-random.ts';
import { silentLogger } from '../../../base/log.ts';
import { storageConformance, type ConformanceStore } from '../conformance.ts';
import { SqliteStorage } from '../sqlite/sqlite-storage.ts';
import { CompactedError, type ListResult, type Storage, type StorageEvent, type StoredItem } from '../storage.ts';
import { CachedStorage } from './cached-storage.ts';

let directory: string;
let opened: Storage[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cache-'));
  opened = [];
});

afterEach(async () => {
  await Promise.all(opened.map((storage) => storage.close()));
  rmSync(directory, { recursive: true, force: true });
});

interface World {
  readonly clock: FakeClock;
  readonly sqlite: SqliteStorage;
  readonly cache: CachedStorage;
}

async function open(windowEvents: number, wrap: (storage: Storage) => Storage = (storage) => storage): Promise<World> {
  const clock = new FakeClock();
  const sqlite = await SqliteStorage.open({ path: join(directory, 'test.db'), clock, historyMs: 60_000 });
  const cut = (value: string) => (value.length > 9 ? { head: 2, front: 9 } : undefined);
  const cache = new CachedStorage(wrap(sqlite), { clock, log: silentLogger, windowEvents, cut });
  opened.push(cache);
  return { clock, sqlite, cache };
}

/** Items and events as plain objects, as the suite compares them. */
function plain(storage: Storage): Storage {
  const item = ({ key, value, revision }: StoredItem): StoredItem => ({ key, value, revision });
  const event = (from: StorageEvent): StorageEvent => {
    if (from.type === 'progress') return from;
    const { key, previous, revision } = from;
    return from.type === 'put'
      ? { type: 'put', key, value: from.value, previous, revision }
      : { type: 'delete', key, previous: previous ?? '', revision };
  };
  return {
    currentRevision: () => storage.currentRevision(),
    get: (key) => storage.get(key),
    async list(prefix, options) {
      const found = await storage.list(prefix, options);
      return { ...found, items: found.items.map(item) };
    },
    commit: (write) => storage.commit(write),
    async *watch(prefix, after, signal) {
      for await (const next of storage.watch(prefix, after, signal)) yield event(next);
    },
    requestProgress: () => storage.requestProgress(),
    close: () => storage.close(),
  };
}

describe.each([1_000, 2])('conformance, with the last %i changes in memory', (windowEvents) => {
  async function openStore(): Promise<ConformanceStore> {
    const { clock, sqlite, cache } = await open(windowEvents);
    return {
      storage: plain(cache),
      reopen: async () => {
        await cache.close();
        return openStore();
      },
      compact: async () => {
        await clock.advance(60_001);
        await sqlite.compact();
      },
    };
  }

  for (const { name, run } of storageConformance) {
    test(name, () => run({ open: openStore }));
  }
});

/** What a store must answer, kept as the whole history. */
class Model {
  readonly writes: { readonly revision: number; readonly key: string; readonly value: string | undefined }[] = [];

  at(revision: number): ReadonlyMap<string, StoredItem> {
    const state = new Map<string, StoredItem>();
    for (const write of this.writes) {
      if (write.revision > revision) break;
      if (write.value === undefined) state.delete(write.key);
      else state.set(write.key, { key: write.key, value: write.value, revision: write.revision });
    }
    return state;
  }

  list(prefix: string, revision: number, afterKey: string, limit: number): Pick<ListResult, 'items' | 'remaining'> {
    const keys = [...this.at(revision).keys()].filter((key) => key.startsWith(prefix) && key > afterKey).toSorted();
    const taken = limit === 0 ? keys : keys.slice(0, limit);
    return { items: taken.map((key) => this.at(revision).get(key)!), remaining: keys.length - taken.length };
  }

  events(prefix: string, after: number): readonly string[] {
    return this.writes
      .filter((write) => write.revision > after && write.key.startsWith(prefix))
      .map(
        (write) => `${write.revision} ${write.key} ${this.at(write.revision - 1).get(write.key)?.value} ${write.value}`,
      );
  }
}

describe.each([
  [1, 1_000],
  [2, 1_000],
  [3, 10],
  [4, 10],
  [5, 1],
  [6, 0],
])('random reads and writes, seed %i, with %i changes in memory', (seed, windowEvents) => {
  test('are those of the store itself', async () => {
    const random = seededNumbers(seed);
    const pick = (below: number): number => Math.floor(random() * below);
    const { cache } = await open(windowEvents);
    const model = new Model();
    const start = await cache.currentRevision();
    const prefixes = ['/', '/g/', '/g/a/', '/g/b/', '/g/b/3', '/h/', '/g/ab/'];
    const watches: { readonly prefix: string; readonly after: number; readonly seen: string[]; last: number }[] = [];
    const stop = new AbortController();
    const running: Promise<void>[] = [];
    let lists = 0;

    const write = async (): Promise<void> => {
      const key = `/${pick(4) === 0 ? 'h' : 'g'}/${['a', 'b', 'ab'][pick(3)]}/${pick(12)}`;
      const now = model.at(Infinity).get(key);
      const value =
        now !== undefined && pick(4) === 0 ? undefined : JSON.stringify({ n: pick(1e6), x: 'x'.repeat(pick(300)) });
      const { revision } = await cache.commit({ key, value, expectedRevision: now?.revision ?? 0 });
      model.writes.push({ revision, key, value });
    };
    const revisionSomewhere = (newest: number): number => start + pick(newest - start + 1);
    const list = async (): Promise<void> => {
      const newest = await cache.currentRevision();
      const prefix = prefixes[pick(prefixes.length)]!;
      const limit = pick(3) === 0 ? 0 : 1 + pick(6);
      const afterKey = pick(2) === 0 ? '' : `${prefix}${pick(10)}`;
      const isPast = pick(2) === 0;
      const asked = isPast ? revisionSomewhere(newest) : undefined;
      const found = await cache.list(prefix, {
        limit,
        ...(afterKey === '' ? {} : { afterKey }),
        ...(asked === undefined ? {} : { atRevision: asked }),
      });
      // Nothing else is written meanwhile, so that the newest is known.
      expect(found.revision).toBe(asked ?? newest);
      const items = found.items.map(({ key, value, revision }) => ({ key, value, revision }));
      expect({ items, remaining: found.remaining }).toEqual(model.list(prefix, found.revision, afterKey, limit));
      lists++;
    };
    const watch = async (): Promise<void> => {
      const newest = await cache.currentRevision();
      const seen: string[] = [];
      const record = { prefix: prefixes[pick(prefixes.length)]!, after: revisionSomewhere(newest), seen, last: 0 };
      watches.push(record);
      const isSlow = pick(3) === 0;
      running.push(
        (async () => {
          for await (const event of cache.watch(record.prefix, record.after, stop.signal)) {
            // Never backwards, whatever comes.
            expect(event.revision).toBeGreaterThanOrEqual(record.last);
            record.last = event.revision;
            if (event.type === 'progress') continue;
            const value = event.type === 'put' ? event.value : undefined;
            seen.push(`${event.revision} ${event.key} ${event.previous} ${value}`);
            if (isSlow) await sleep(1);
          }
        })(),
      );
      await setImmediate();
    };

    for (let step = 0; step < 400; step++) {
      const dice = pick(10);
      if (dice < 6) await write();
      else if (dice < 9) await list();
      else await watch();
    }
    const end = await cache.currentRevision();
    for (let turn = 0; turn < 1_000 && watches.some((record) => record.last < end); turn++) {
      cache.requestProgress();
      await sleep(2);
    }
    stop.abort();
    await Promise.all(running);
    expect(lists).toBeGreaterThan(50);
    expect(watches.length).toBeGreaterThan(15);
    for (const record of watches) expect(record.seen).toEqual(model.events(record.prefix, record.after));
  });
});

describe('a cache that has lost its watch', () => {
  test('loads anew, and tells watches what history cannot', async () => {
    let breakOff = (): void => undefined;
    const { clock, sqlite, cache } = await open(1_000, (storage) => ({
      currentRevision: () => storage.currentRevision(),
      get: (key) => storage.get(key),
      list: (prefix, options) => storage.list(prefix, options),
      commit: (write) => storage.commit(write),
      async *watch(prefix, after, signal) {
        const broken = Promise.withResolvers<never>();
        broken.promise.catch(() => undefined);
        if (prefix === '/') breakOff = () => broken.reject(new CompactedError('history is gone'));
        const events = storage.watch(prefix, after, signal)[Symbol.asyncIterator]();
        for (;;) {
          const next = await Promise.race([events.next(), broken.promise]);
          if (next.done === true) return;
          yield next.value;
        }
      },
      requestProgress: () => storage.requestProgress(),
      close: () => storage.close(),
    }));
    const first = await cache.commit({ key: '/a/1', value: '1', expectedRevision: 0 });
    expect((await cache.list('/a/', {})).items).toHaveLength(1);
    const stop = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      for await (const event of cache.watch('/a/', first.revision, stop.signal)) {
        if (event.type !== 'progress') seen.push(event.key);
      }
    })();
    await setImmediate();
    breakOff();
    await setImmediate();
    // While nothing is in the cache the store answers.
    await cache.commit({ key: '/a/2', value: '2', expectedRevision: 0 });
    expect((await cache.list('/a/', {})).items).toHaveLength(2);
    await clock.advance(500);
    await setImmediate();
    await cache.commit({ key: '/a/3', value: '3', expectedRevision: 0 });
    expect((await cache.list('/a/', {})).items.map(({ key }) => key)).toEqual(['/a/1', '/a/2', '/a/3']);
    expect((await sqlite.list('/a/', {})).items).toHaveLength(3);
    for (let turn = 0; turn < 100 && seen.length < 2; turn++) await sleep(2);
    expect(seen).toEqual(['/a/2', '/a/3']);
    stop.abort();
    await watching;
  });
});

test('a list that started keeps what it saw, whatever is written meanwhile', async () => {
  const { cache } = await open(1_000);
  await cache.commit({ key: '/a/1', value: '1', expectedRevision: 0 });
  await cache.list('/', {});
  const page = await cache.list('/a/', {});
  await cache.commit({ key: '/a/0', value: '0', expectedRevision: 0 });
  await cache.list('/a/', {});
  expect(page.items.map(({ key }) => key)).toEqual(['/a/1']);
});
