import { setImmediate } from 'node:timers/promises';
import assert from 'node:assert/strict';
import {
  ClaimTakenError,
  CompactedError,
  FutureRevisionError,
  KeyExistsError,
  RevisionMismatchError,
  SlowConsumerError,
  StorageFailedError,
  type Storage,
  type StorageEvent,
} from './storage.ts';

/** What a driver's test gives the suite. Each call of `open` is a new, empty store; the test removes it afterwards. */
export interface ConformanceHarness {
  open(): Promise<ConformanceStore>;
}

export interface ConformanceStore {
  readonly storage: Storage;
  /** Closes the store and opens the same data again. */
  readonly reopen: () => Promise<ConformanceStore>;
  /** Forgets all history. */
  readonly compact: () => Promise<void>;
}

export interface ConformanceCase {
  readonly name: string;
  readonly run: (harness: ConformanceHarness) => Promise<void>;
}

/** What every driver must do, as cases for any test runner. The idea is k8s.io/apiserver/pkg/storage/testing. */
export const storageConformance: readonly ConformanceCase[] = [
  onStore('starts empty, at a revision of at least 1', async ({ storage }) => {
    const revision = await storage.currentRevision();
    assert.ok(revision >= 1);
    assert.deepEqual(await storage.list('/', {}), { items: [], revision, remaining: 0 });
    assert.equal(await storage.get('/a'), undefined);
  }),

  onStore('creates, reads, updates and deletes, each with a new revision', async ({ storage }) => {
    const created = await storage.commit({ key: '/a', value: '{"n":1}', expectedRevision: 0 });
    assert.deepEqual(await storage.get('/a'), { key: '/a', value: '{"n":1}', revision: created.revision });
    const updated = await storage.commit({ key: '/a', value: '{"n":2}', expectedRevision: created.revision });
    assert.ok(updated.revision > created.revision);
    assert.deepEqual(await storage.get('/a'), { key: '/a', value: '{"n":2}', revision: updated.revision });
    const deleted = await storage.commit({ key: '/a', value: undefined, expectedRevision: updated.revision });
    assert.ok(deleted.revision > updated.revision);
    assert.equal(await storage.get('/a'), undefined);
    assert.equal(await storage.currentRevision(), deleted.revision);
  }),

  onStore('keeps any text as it is', async ({ storage }) => {
    const value = JSON.stringify({ quote: '"\\', control: '\u0000\u001f', wide: 'ü€😀', long: 'x'.repeat(1_500_000) });
    await storage.commit({ key: '/ä/😀/%', value, expectedRevision: 0 });
    assert.equal((await storage.get('/ä/😀/%'))?.value, value);
    assert.equal((await storage.list('/ä/', {})).items[0]?.value, value);
  }),

  onStore('refuses keys that cannot be kept, and writes that make no sense', async ({ storage }) => {
    await assert.rejects(storage.commit({ key: '', value: '1', expectedRevision: 0 }), TypeError);
    await assert.rejects(storage.commit({ key: '/a\0b', value: '1', expectedRevision: 0 }), TypeError);
    await assert.rejects(storage.commit({ key: '/\ud800', value: '1', expectedRevision: 0 }), TypeError);
    await assert.rejects(storage.commit({ key: '/a', value: '1', expectedRevision: -1 }), TypeError);
    await assert.rejects(storage.commit({ key: '/a', value: '1', expectedRevision: 1.5 }), TypeError);
    await assert.rejects(storage.commit({ key: '/a', value: undefined, expectedRevision: 0 }), TypeError);
  }),

  onStore('a create of an existing key fails and changes nothing', async ({ storage }) => {
    const { revision } = await put(storage, '/a', '1');
    await assert.rejects(storage.commit({ key: '/a', value: '2', expectedRevision: 0, claims: ['c'] }), KeyExistsError);
    assert.equal(await storage.currentRevision(), revision);
    assert.equal((await storage.get('/a'))?.value, '1');
    await storage.commit({ key: '/b', value: '1', expectedRevision: 0, claims: ['c'] });
  }),

  onStore('a write on another revision fails and tells the current item', async ({ storage }) => {
    const first = await put(storage, '/a', '1');
    const second = await storage.commit({ key: '/a', value: '2', expectedRevision: first.revision });
    for (const value of ['3', undefined]) {
      await assert.rejects(storage.commit({ key: '/a', value, expectedRevision: first.revision }), (error) => {
        assert.ok(error instanceof RevisionMismatchError);
        assert.deepEqual(error.current, { key: '/a', value: '2', revision: second.revision });
        return true;
      });
    }
    await assert.rejects(storage.commit({ key: '/gone', value: '1', expectedRevision: first.revision }), (error) => {
      assert.ok(error instanceof RevisionMismatchError);
      assert.equal(error.current, undefined);
      return true;
    });
    assert.equal(await storage.currentRevision(), second.revision);
  }),

  onStore('of many concurrent writers of one revision exactly one wins', async ({ storage }) => {
    const { revision } = await put(storage, '/a', '0');
    const attempts = Array.from({ length: 50 }, (_, n) =>
      storage.commit({ key: '/a', value: String(n), expectedRevision: revision }),
    );
    const results = await Promise.allSettled(attempts);
    const winners = results.flatMap((result, n) => (result.status === 'fulfilled' ? [{ n, ...result.value }] : []));
    assert.equal(winners.length, 1);
    assert.deepEqual(await storage.get('/a'), {
      key: '/a',
      value: String(winners[0]!.n),
      revision: winners[0]!.revision,
    });
  }),

  onStore('concurrent writes each have a revision of their own', async ({ storage }) => {
    const before = await storage.currentRevision();
    const results = await Promise.all(Array.from({ length: 300 }, (_, n) => put(storage, `/n/${n}`, String(n))));
    const revisions = new Set(results.map(({ revision }) => revision));
    assert.equal(revisions.size, 300);
    assert.ok(Math.min(...revisions) > before);
    assert.equal(Math.max(...revisions), await storage.currentRevision());
  }),

  onStore('lists exactly the prefix, in key order', async ({ storage }) => {
    for (const key of ['/a/2', '/a/10', '/a/1', '/a0', '/ab', '/a', '/a/1/x', '/b/1', '/A/1']) {
      await put(storage, key, key);
    }
    const { items, revision, remaining } = await storage.list('/a/', {});
    assert.deepEqual(
      items.map(({ key }) => key),
      ['/a/1', '/a/1/x', '/a/10', '/a/2'],
    );
    assert.equal(revision, await storage.currentRevision());
    assert.equal(remaining, 0);
    assert.equal((await storage.list('', {})).items.length, 9);
  }),

  onStore('pages through a prefix and counts what remains', async ({ storage }) => {
    for (let n = 0; n < 7; n += 1) {
      await put(storage, `/p/${n}`, String(n));
    }
    await put(storage, '/q/1', '1');
    const first = await storage.list('/p/', { limit: 3 });
    assert.deepEqual([first.items.map(({ value }) => value).join(''), first.remaining], ['012', 4]);
    await put(storage, '/p/45', '45');
    const at = { limit: 3, atRevision: first.revision };
    const second = await storage.list('/p/', { ...at, afterKey: '/p/2' });
    assert.deepEqual([second.items.map(({ value }) => value).join(''), second.remaining], ['345', 1]);
    assert.equal(second.revision, first.revision);
    const third = await storage.list('/p/', { ...at, afterKey: '/p/5' });
    assert.deepEqual([third.items.map(({ value }) => value).join(''), third.remaining], ['6', 0]);
    const newest = await storage.list('/p/', { limit: 3, afterKey: '/p/4' });
    assert.deepEqual(
      newest.items.map(({ value }) => value),
      ['45', '5', '6'],
    );
    assert.equal((await storage.list('/p/', { limit: 8 })).remaining, 0);
  }),

  onStore('lists the past as it was', async ({ storage }) => {
    const a1 = await put(storage, '/l/a', 'a1');
    const b1 = await put(storage, '/l/b', 'b1');
    const a2 = await storage.commit({ key: '/l/a', value: 'a2', expectedRevision: a1.revision });
    const gone = await storage.commit({ key: '/l/b', value: undefined, expectedRevision: b1.revision });
    const b2 = await put(storage, '/l/b', 'b2');
    const at = async (atRevision: number) =>
      (await storage.list('/l/', { atRevision })).items.map(({ value }) => value).join(' ');
    assert.equal(await at(a1.revision), 'a1');
    assert.equal(await at(b1.revision), 'a1 b1');
    assert.equal(await at(a2.revision), 'a2 b1');
    assert.equal(await at(gone.revision), 'a2');
    assert.equal(await at(b2.revision), 'a2 b2');
    assert.equal(await at(a1.revision - 1), '');
    const past = await storage.list('/l/', { atRevision: a2.revision });
    assert.deepEqual(
      past.items.map(({ revision }) => revision),
      [a2.revision, b1.revision],
    );
  }),

  onStore('refuses to list the future and what history has forgotten', async ({ storage, compact }) => {
    const { revision } = await put(storage, '/a', '1');
    await assert.rejects(storage.list('/', { atRevision: revision + 1 }), (error) => {
      assert.ok(error instanceof FutureRevisionError);
      assert.equal(error.current, revision);
      return true;
    });
    await storage.commit({ key: '/a', value: '2', expectedRevision: revision });
    await compact();
    await assert.rejects(storage.list('/', { atRevision: revision }), CompactedError);
    assert.equal((await storage.list('/', { atRevision: await storage.currentRevision() })).items.length, 1);
  }),

  onStore('a claim has one holder', async ({ storage }) => {
    const a = await storage.commit({ key: '/a', value: '1', expectedRevision: 0, claims: ['x', 'y'] });
    await assert.rejects(
      storage.commit({ key: '/b', value: '1', expectedRevision: 0, claims: ['z', 'y'] }),
      (error) => {
        assert.ok(error instanceof ClaimTakenError);
        assert.deepEqual([error.claim, error.holder], ['y', '/a']);
        return true;
      },
    );
    assert.equal(await storage.get('/b'), undefined);
    // Its own claims are no hindrance, and those it no longer names are free.
    const a2 = await storage.commit({ key: '/a', value: '2', expectedRevision: a.revision, claims: ['y', 'w', 'w'] });
    const b = await storage.commit({ key: '/b', value: '1', expectedRevision: 0, claims: ['x', 'z'] });
    // A write without claims leaves them alone.
    await storage.commit({ key: '/a', value: '3', expectedRevision: a2.revision });
    await assert.rejects(
      storage.commit({ key: '/b', value: '2', expectedRevision: b.revision, claims: ['w'] }),
      ClaimTakenError,
    );
  }),

  onStore('of two concurrent claimants one wins, and a delete frees all claims', async ({ storage }) => {
    const results = await Promise.allSettled(
      ['/a', '/b'].map((key) => storage.commit({ key, value: key, expectedRevision: 0, claims: ['only'] })),
    );
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const { items } = await storage.list('/', {});
    assert.equal(items.length, 1);
    await storage.commit({ key: items[0]!.key, value: undefined, expectedRevision: items[0]!.revision });
    await storage.commit({ key: '/c', value: '1', expectedRevision: 0, claims: ['only'] });
  }),

  onStore('watches the past and goes on with what happens', async ({ storage }) => {
    const start = await storage.currentRevision();
    const a1 = await put(storage, '/w/a', 'a1');
    await put(storage, '/x/a', 'other');
    const watch = openWatch(storage, '/w/', start);
    assert.deepEqual(await watch.next(), {
      type: 'put',
      key: '/w/a',
      value: 'a1',
      previous: undefined,
      revision: a1.revision,
    });
    const a2 = await storage.commit({ key: '/w/a', value: 'a2', expectedRevision: a1.revision });
    assert.deepEqual(await watch.next(), {
      type: 'put',
      key: '/w/a',
      value: 'a2',
      previous: 'a1',
      revision: a2.revision,
    });
    await put(storage, '/x/b', 'other');
    const gone = await storage.commit({ key: '/w/a', value: undefined, expectedRevision: a2.revision });
    assert.deepEqual(await watch.next(), { type: 'delete', key: '/w/a', previous: 'a2', revision: gone.revision });
    await watch.end();
    // All of it once more, from history alone.
    const again = openWatch(storage, '/w/', a1.revision);
    assert.deepEqual(await again.next(), {
      type: 'put',
      key: '/w/a',
      value: 'a2',
      previous: 'a1',
      revision: a2.revision,
    });
    assert.deepEqual(await again.next(), { type: 'delete', key: '/w/a', previous: 'a2', revision: gone.revision });
    await again.end();
  }),

  onStore('a watcher that starts amid writes misses nothing and sees nothing twice', async ({ storage }) => {
    const start = await storage.currentRevision();
    const writes = Array.from({ length: 400 }, (_, n) => put(storage, `/m/${n}`, String(n)));
    const seen = await Promise.all(
      [0, 1, 2].map(async (turn) => {
        await Promise.all(writes.slice(0, turn * 100));
        const watch = openWatch(storage, '/m/', start);
        const revisions: number[] = [];
        while (revisions.length < 400) {
          revisions.push((await watch.next()).revision);
        }
        await watch.end();
        return revisions;
      }),
    );
    const expected = (await Promise.all(writes)).map(({ revision }) => revision).sort((a, b) => a - b);
    for (const revisions of seen) {
      assert.deepEqual(revisions, expected);
    }
  }),

  onStore('a slow watcher misses nothing while history lasts', async ({ storage }) => {
    const watch = openWatch(storage, '/s/', await storage.currentRevision());
    await put(storage, '/s/first', '0');
    await watch.next();
    await Promise.all(Array.from({ length: 3000 }, (_, n) => put(storage, `/s/${n}`, String(n))));
    const keys = new Set<string>();
    for (let n = 0; n < 3000; n += 1) {
      const event = await watch.next();
      assert.ok(event.type === 'put');
      keys.add(event.key);
    }
    assert.equal(keys.size, 3000);
    await watch.end();
  }),

  onStore('a watcher that lags behind history is told so', async ({ storage, compact }) => {
    const watch = openWatch(storage, '/s/', await storage.currentRevision());
    await put(storage, '/s/first', '0');
    await watch.next();
    await Promise.all(Array.from({ length: 3000 }, (_, n) => put(storage, `/s/${n}`, String(n))));
    await compact();
    await assert.rejects(async () => {
      for (let n = 0; n < 3001; n += 1) {
        await watch.next();
      }
    }, SlowConsumerError);
  }),

  onStore('refuses to watch what history has forgotten', async ({ storage, compact }) => {
    const { revision } = await put(storage, '/a', '1');
    await put(storage, '/b', '1');
    await compact();
    await assert.rejects(openWatch(storage, '/', revision - 1).next(), CompactedError);
    const newest = openWatch(storage, '/', await storage.currentRevision());
    const pending = newest.next();
    await put(storage, '/c', '1');
    assert.equal((await pending).type, 'put');
    await newest.end();
  }),

  onStore('a watch from the future is silent until then', async ({ storage }) => {
    const current = await storage.currentRevision();
    const watch = openWatch(storage, '/', current + 2);
    const pending = watch.next();
    await put(storage, '/a', '1');
    storage.requestProgress();
    await put(storage, '/b', '1');
    const third = await put(storage, '/c', '1');
    assert.deepEqual(await pending, {
      type: 'put',
      key: '/c',
      value: '1',
      previous: undefined,
      revision: third.revision,
    });
    await watch.end();
  }),

  onStore('progress tells how far a quiet watcher has seen', async ({ storage }) => {
    const controller = new AbortController();
    const watch = iterate(storage.watch('/quiet/', await storage.currentRevision(), controller.signal));
    const { revision } = await put(storage, '/other/a', '1');
    const pending = watch.next();
    storage.requestProgress();
    assert.deepEqual((await pending).value, { type: 'progress', revision });
    controller.abort();
    assert.equal((await watch.next()).done, true);
  }),

  onStore('progress never overtakes changes', async ({ storage }) => {
    const watch = iterate(storage.watch('/p/', await storage.currentRevision(), new AbortController().signal));
    const writes = Array.from({ length: 200 }, (_, n) => {
      storage.requestProgress();
      return put(storage, `/p/${n}`, '1');
    });
    let last = 0;
    for (let changes = 0; changes < 200;) {
      storage.requestProgress();
      const event = (await watch.next()).value as StorageEvent;
      assert.ok(event.type === 'progress' ? event.revision >= last : event.revision > last);
      last = event.revision;
      changes += event.type === 'progress' ? 0 : 1;
      // Progress is answered at once, so a loop of nothing else would never let the writes through.
      if (event.type === 'progress') await setImmediate();
    }
    await Promise.all(writes);
    await watch.return?.();
  }),

  onStore('an aborted watch ends normally, also while it waits', async ({ storage }) => {
    const controller = new AbortController();
    const watch = storage.watch('/', await storage.currentRevision(), controller.signal)[Symbol.asyncIterator]();
    const pending = watch.next();
    controller.abort();
    assert.equal((await pending).done, true);
    const late = iterate(storage.watch('/', 0, AbortSignal.abort()));
    assert.equal((await late.next()).done, true);
  }),

  onStore('data, claims, history and revisions outlive a restart', async (store) => {
    const a = await store.storage.commit({ key: '/r/a', value: '1', expectedRevision: 0, claims: ['c'] });
    const b = await put(store.storage, '/r/b', '1');
    const last = await store.storage.commit({ key: '/r/b', value: undefined, expectedRevision: b.revision });
    const { storage } = await store.reopen();
    assert.equal(await storage.currentRevision(), last.revision);
    assert.deepEqual(await storage.get('/r/a'), { key: '/r/a', value: '1', revision: a.revision });
    await assert.rejects(
      storage.commit({ key: '/r/x', value: '1', expectedRevision: 0, claims: ['c'] }),
      ClaimTakenError,
    );
    const watch = openWatch(storage, '/r/', a.revision);
    assert.equal((await watch.next()).revision, b.revision);
    assert.equal((await watch.next()).revision, last.revision);
    const next = await put(storage, '/r/c', '1');
    assert.ok(next.revision > last.revision);
    assert.equal((await watch.next()).revision, next.revision);
    await watch.end();
  }),

  onStore('what was compacted stays so over a restart', async (store) => {
    const { revision } = await put(store.storage, '/a', '1');
    const last = await put(store.storage, '/b', '1');
    await store.compact();
    const { storage } = await store.reopen();
    assert.equal(await storage.currentRevision(), last.revision);
    await assert.rejects(storage.list('/', { atRevision: revision }), CompactedError);
  }),

  onStore('closing finishes writes, ends watches and refuses what comes later', async ({ storage }) => {
    const watch = iterate(storage.watch('/', await storage.currentRevision(), new AbortController().signal));
    const pending = watch.next();
    const writes = Array.from({ length: 20 }, (_, n) => put(storage, `/${n}`, '1'));
    await Promise.all([storage.close(), storage.close()]);
    assert.equal(new Set((await Promise.all(writes)).map(({ revision }) => revision)).size, 20);
    const first = await pending;
    assert.ok(first.done === true || first.value.type === 'put');
    while (!(await watch.next()).done) {
      // what was written before is still delivered, or not: the watch may end at any point
    }
    const isClosed = (error: unknown) => error instanceof StorageFailedError && error.failure === 'closed';
    await assert.rejects(put(storage, '/late', '1'), isClosed);
    await assert.rejects(storage.get('/0'), isClosed);
    await assert.rejects(storage.list('/', {}), isClosed);
    await assert.rejects(storage.currentRevision(), isClosed);
  }),
];

function onStore(name: string, run: (store: ConformanceStore) => Promise<void>): ConformanceCase {
  return { name, run: async (harness) => run(await harness.open()) };
}

function put(storage: Storage, key: string, value: string): Promise<{ readonly revision: number }> {
  return storage.commit({ key, value, expectedRevision: 0 });
}

function iterate(events: AsyncIterable<StorageEvent>): AsyncIterator<StorageEvent, unknown> {
  return events[Symbol.asyncIterator]();
}

/** A watch whose `next` skips progress and fails when the watch ends. */
function openWatch(storage: Storage, prefix: string, after: number) {
  const controller = new AbortController();
  const iterator = storage.watch(prefix, after, controller.signal)[Symbol.asyncIterator]();
  return {
    async next(): Promise<Exclude<StorageEvent, { type: 'progress' }>> {
      for (;;) {
        const { value, done } = await iterator.next();
        assert.ok(!done, 'the watch ended');
        if (value.type !== 'progress') {
          return value;
        }
      }
    },
    async end(): Promise<void> {
      controller.abort();
      assert.equal((await iterator.next()).done, true);
    },
  };
}
