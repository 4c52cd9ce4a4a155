import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { StorageEvent } from '../storage.ts';
import { deliverTo, watchCache } from './cache-watch.ts';
import { CachedEvent, EventWindow } from './event-window.ts';
import { FanOut, type EventSink } from './fan-out.ts';
import { Waiters } from './waiters.ts';
import type { WatchSource } from './watch-source.ts';

/** A cache that is written by hand, before a store that remembers everything. */
class FakeCache implements WatchSource {
  readonly fanOut = new FanOut(this);
  readonly history: StorageEvent[] = [];
  readonly #waiters = new Waiters();
  readonly #window: EventWindow;
  #revision = 0;
  #ticks = 0;

  constructor(windowEvents: number) {
    this.#window = new EventWindow(windowEvents, 0);
  }

  write(key: string): void {
    this.#revision++;
    this.history.push({ type: 'put', key, value: '', previous: undefined, revision: this.#revision });
    this.#window.add(new CachedEvent('put', key, this.#revision, undefined, undefined));
    this.#waiters.wakeAll();
  }

  tick(): void {
    this.#ticks++;
    this.#waiters.wakeAll();
  }

  state() {
    return { window: this.#window, revision: this.#revision, generation: 1, ticks: this.#ticks };
  }

  reachesBackTo(revision: number): boolean {
    return revision >= this.#window.floor;
  }

  changed(signal: AbortSignal): Promise<void> {
    return this.#waiters.wait(signal);
  }

  async *fromStore(prefix: string, after: number, signal: AbortSignal): AsyncGenerator<StorageEvent> {
    for (let next = after; !signal.aborted;) {
      await setImmediate();
      // Revisions are numbered from 1 on, without gaps.
      const event = this.history[next++];
      if (event === undefined) yield { type: 'progress', revision: --next };
      else if (event.type !== 'progress' && event.key.startsWith(prefix)) yield event;
    }
  }
}

interface Watch {
  readonly seen: number[];
  readonly progress: number[];
  /** How many of what was seen came to the sink. */
  taken: number;
  readonly ended: Promise<void>;
}

function watch(
  cache: FakeCache,
  prefix: string,
  signal: AbortSignal,
  sink: { takes?(event: StorageEvent): boolean; pause?: EventSink['pause']; read?(): Promise<void> },
): Watch {
  const seen: number[] = [];
  const progress: number[] = [];
  const note = (event: StorageEvent): void => {
    (event.type === 'progress' ? progress : seen).push(event.revision);
  };
  const events = watchCache(cache, cache.fanOut, prefix, 0, signal);
  const take = (event: StorageEvent): boolean => {
    if (sink.takes?.(event) === false) return false;
    note(event);
    found.taken++;
    return true;
  };
  deliverTo(events, { take, pause: sink.pause ?? (() => undefined) });
  const read = async (): Promise<void> => {
    for await (const event of events) {
      note(event);
      await sink.read?.();
    }
  };
  const found = { seen, progress, taken: 0, ended: read() };
  return found;
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await setImmediate();
}

test('what comes while the reader waits goes to the sink, and nothing twice', async () => {
  const stop = new AbortController();
  const cache = new FakeCache(100);
  const watches = Array.from({ length: 100 }, () => watch(cache, '/a/', stop.signal, {}));
  await settle();
  for (const key of ['/a/1', '/b/1', '/a/2']) cache.write(key);
  await settle();
  cache.tick();
  await settle();
  for (const { seen, progress, taken } of watches) {
    expect(seen).toEqual([1, 3]);
    expect(progress).toEqual([3]);
    expect(taken).toBe(3);
  }
  stop.abort();
  await Promise.all(watches.map((each) => each.ended));
});

test.each([1, 2, 3, 4])('each event comes once and in order, whatever sinks and readers do, seed %i', async (seed) => {
  let state = seed * 2_654_435_761;
  const pick = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) % below;
  };
  const stop = new AbortController();
  const cache = new FakeCache(20);
  const turns = async (count: number): Promise<void> => {
    for (let turn = 0; turn < count; turn++) await setImmediate();
  };
  const watches = Array.from({ length: 60 }, (_, number) =>
    watch(cache, '/a/', stop.signal, {
      takes: () => pick(1 + (number % 4)) === 0,
      pause: () => (pick(10) === 0 ? turns(1) : undefined),
      read: () => turns(number % 7 === 0 ? pick(30) : 0),
    }),
  );
  for (let write = 0; write < 300; write++) {
    cache.write(pick(5) === 0 ? '/b/x' : '/a/x');
    if (pick(3) === 0) await turns(pick(4));
  }
  for (let turn = 0; turn < 20_000 && watches.some((each) => each.seen.at(-1) !== lastOf(cache)); turn++)
    await turns(1);
  const expected = cache.history.flatMap((event) => (isUnder('/a/', event) ? [event.revision] : []));
  for (const { seen } of watches) expect(seen).toEqual(expected);
  expect(watches.some((each) => each.taken > 0)).toBe(true);
  expect(watches.some((each) => each.taken < expected.length)).toBe(true);
  stop.abort();
  await Promise.all(watches.map((each) => each.ended));
});

function isUnder(prefix: string, event: StorageEvent): boolean {
  return event.type !== 'progress' && event.key.startsWith(prefix);
}

function lastOf(cache: FakeCache): number | undefined {
  return cache.history.findLast((event) => isUnder('/a/', event))?.revision;
}

test('a reader that does not go on holds nobody up', async () => {
  const stop = new AbortController();
  const cache = new FakeCache(100);
  const never = new Promise<void>((resolve) => {
    stop.signal.addEventListener('abort', () => resolve());
  });
  const stuck = watch(cache, '/', stop.signal, { takes: () => false, read: () => never });
  const other = watch(cache, '/', stop.signal, {});
  await settle();
  for (let write = 0; write < 10; write++) {
    cache.write('/x');
    await setImmediate();
  }
  await settle();
  expect(stuck.seen).toEqual([1]);
  expect(other.seen).toHaveLength(10);
  stop.abort();
  await Promise.all([stuck.ended, other.ended]);
});

test('a pause lasts for all, and what comes meanwhile comes behind it', async () => {
  const stop = new AbortController();
  const cache = new FakeCache(100);
  let pause: Promise<void> | undefined;
  const watches = Array.from({ length: 3 }, () => watch(cache, '/', stop.signal, { pause: () => pause }));
  await settle();
  const { promise, resolve } = Promise.withResolvers<void>();
  pause = promise;
  cache.write('/x');
  await settle();
  cache.write('/x');
  await settle();
  expect(watches.map((each) => each.seen)).toEqual([[], [], []]);
  pause = undefined;
  resolve();
  await settle();
  expect(watches.map((each) => each.seen)).toEqual([
    [1, 2],
    [1, 2],
    [1, 2],
  ]);
  stop.abort();
  await Promise.all(watches.map((each) => each.ended));
});

test('what a sink throws ends its own watch alone', async () => {
  const stop = new AbortController();
  const cache = new FakeCache(100);
  const failing = watch(cache, '/', stop.signal, {
    takes: () => {
      throw new Error('no frame');
    },
  });
  const other = watch(cache, '/', stop.signal, {});
  const failure = failing.ended.catch((error: unknown) => (error as Error).message);
  await settle();
  cache.write('/x');
  cache.write('/x');
  expect(await failure).toBe('no frame');
  await settle();
  expect(other.seen).toEqual([1, 2]);
  stop.abort();
  await other.ended;
});

test('an aborted watch is handed nothing more, also when that happens during a pause', async () => {
  const stop = new AbortController();
  const stopFirst = new AbortController();
  const cache = new FakeCache(100);
  let pause: Promise<void> | undefined;
  const first = watch(cache, '/', stopFirst.signal, { pause: () => pause });
  const second = watch(cache, '/', stop.signal, {});
  await settle();
  const { promise, resolve } = Promise.withResolvers<void>();
  pause = promise;
  cache.write('/x');
  await settle();
  stopFirst.abort();
  await first.ended;
  pause = undefined;
  resolve();
  await settle();
  expect(first.seen).toEqual([]);
  expect(second.seen).toEqual([1]);
  stop.abort();
  await second.ended;
});
