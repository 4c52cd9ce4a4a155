import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/log.ts';
import {
  CompactedError,
  SlowConsumerError,
  StorageFailedError,
  type ListOptions,
  type ListResult,
  type Storage,
  type StorageEvent,
  type StoredItem,
  type Write,
} from '../storage.ts';
import { CachedItem, type Cut } from './cached-item.ts';
import { watchCache } from './cache-watch.ts';
import { CachedEvent, EventWindow } from './event-window.ts';
import { FanOut } from './fan-out.ts';
import { ItemIndex, rangeOf, undo, type Items } from './item-index.ts';
import { Dictionaries } from './packed-text.ts';
import { Waiters } from './waiters.ts';
import type { WatchSource } from './watch-source.ts';

export interface CachedStorageOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** How many changes are kept for watches and for lists as of a past revision; older ones come from the store. Default 1000. */
  readonly windowEvents?: number;
  /** Where a value is cut; undefined leaves it whole. */
  readonly cut?: (value: string) => Cut | undefined;
}

const ROOT = '/';
const LOAD_CHUNK = 200;
/** So many of the newest items are kept as text: they are the ones that are written, watched and read next. */
const LOOSE_ITEMS = 64;
const LOOSE_CHARACTERS = 1_000_000;
/** How long a list waits until the cache has seen all that the store has acknowledged; then it goes to the store itself. */
const FRESHNESS_MS = 3_000;
const PROGRESS_PERIOD_MS = 100;
const RETRY_MS = 500;

/**
 * A store with all its objects, compressed, in memory in front of it, kept up to date by one watch. Lists and watches are served
 * from there, with the store's own guarantees: a list first asks the store for its revision and waits until the cache has seen it,
 * as kube-apiserver does (k8s.io/apiserver/pkg/storage/cacher, ConsistentListFromCache). What the cache cannot answer, because it
 * is still loading, has lost its watch, or reaches back less far, the store answers.
 */
export class CachedStorage implements Storage {
  readonly #storage: Storage;
  readonly #options: CachedStorageOptions;
  readonly #stopped = new AbortController();
  readonly #index = new ItemIndex();
  readonly #waiters = new Waiters();
  #window: EventWindow;
  /** Everything up to this revision is in the cache; 0: nothing is. */
  #revision = 0;
  /** Changes with every load: positions in an earlier window mean nothing any more. */
  #generation = 0;
  #ticks = 0;
  readonly #dictionaries = new Dictionaries();
  readonly #loose: CachedItem[] = [];
  #looseCharacters = 0;
  #snapshot: { readonly revision: number; readonly items: Items } | undefined;
  readonly #running: Promise<void>;

  constructor(storage: Storage, options: CachedStorageOptions) {
    this.#storage = storage;
    this.#options = options;
    this.#window = new EventWindow(0, 0);
    this.#running = this.#run(this.#stopped.signal);
  }

  currentRevision(): Promise<number> {
    return this.#storage.currentRevision();
  }

  compactedRevision(): number | undefined {
    return this.#storage.compactedRevision?.();
  }

  get(key: string): Promise<StoredItem | undefined> {
    return this.#storage.get(key);
  }

  commit(write: Write): Promise<{ readonly revision: number }> {
    return this.#storage.commit(write);
  }

  requestProgress(): void {
    this.#storage.requestProgress();
  }

  async close(): Promise<void> {
    await this.stop();
    await this.#storage.close();
  }

  /** Ends the cache's own watch and leaves the store open; what is asked later goes to the store. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async list(prefix: string, options: ListOptions): Promise<ListResult> {
    if (!prefix.startsWith(ROOT)) return this.#storage.list(prefix, options);
    const { atRevision, minRevision } = options;
    const found = atRevision === undefined ? await this.#newest(minRevision) : this.#itemsAt(atRevision);
    if (found === undefined) return this.#storage.list(prefix, options);
    const [from, to] = rangeOf(found.items, prefix, options.afterKey);
    const end = options.limit ? Math.min(to, from + options.limit) : to;
    return { items: found.items.slice(from, end), revision: found.revision, remaining: to - end };
  }

  watch(prefix: string, afterRevision: number, signal: AbortSignal): AsyncIterable<StorageEvent> {
    if (!prefix.startsWith(ROOT)) return this.#storage.watch(prefix, afterRevision, signal);
    return watchCache(this.#source, this.#fanOut, prefix, afterRevision, signal);
  }

  readonly #source: WatchSource = {
    state: () => ({
      window: this.#revision === 0 ? undefined : this.#window,
      revision: this.#revision,
      generation: this.#generation,
      ticks: this.#ticks,
    }),
    reachesBackTo: (revision) => this.#reachesBackTo(revision),
    changed: (signal) => this.#waiters.wait(signal),
    fromStore: (prefix, after, signal) => this.#storage.watch(prefix, after, signal),
  };
  readonly #fanOut = new FanOut(this.#source);

  #reachesBackTo(revision: number): boolean {
    if (this.#revision === 0 || revision < this.#window.floor) return false;
    // What the store has forgotten is gone for everybody, so that answers do not depend on whom one asks.
    const compacted = this.#storage.compactedRevision?.();
    return compacted === undefined || revision >= compacted;
  }

  async #newest(minRevision: number | undefined): Promise<Snapshot | undefined> {
    if (this.#revision === 0) return undefined;
    const wanted = minRevision ?? (await this.#storage.currentRevision());
    if (this.#revision < wanted && !(await this.#reach(wanted))) return undefined;
    return this.#revision === 0 ? undefined : { revision: this.#revision, items: this.#index.view() };
  }

  /** Whether the cache has come to `revision` in time. */
  async #reach(revision: number): Promise<boolean> {
    const { clock } = this.#options;
    const patience = new AbortController();
    const timer = clock.setTimer(FRESHNESS_MS, () => patience.abort());
    let again = { cancel: (): void => undefined };
    // A change elsewhere in the store moves its revision without an event for us.
    const ask = (): void => {
      this.#storage.requestProgress();
      again = clock.setTimer(PROGRESS_PERIOD_MS, ask);
    };
    ask();
    try {
      while (this.#revision < revision && this.#revision > 0 && !patience.signal.aborted) {
        await this.#waiters.wait(patience.signal);
      }
      return this.#revision >= revision;
    } finally {
      timer.cancel();
      again.cancel();
    }
  }

  /** What was there as of a past revision; undefined when only the store may know. */
  #itemsAt(revision: number): Snapshot | undefined {
    if (revision > this.#revision || !this.#reachesBackTo(revision)) return undefined;
    // The pages of one list ask for the same revision, one after the other.
    if (this.#snapshot?.revision !== revision) {
      const changed = this.#window.before(revision);
      const items = changed.size === 0 ? this.#index.view() : undo(this.#index.view(), changed);
      this.#snapshot = { revision, items };
    }
    return this.#snapshot;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      try {
        if (this.#revision === 0) await this.#load(signal);
        await this.#follow(signal);
        // The store has ended the watch by itself: it is closed.
        break;
      } catch (error) {
        if (signal.aborted) break;
        if (error instanceof StorageFailedError && error.failure === 'closed') break;
        const isBehind = error instanceof CompactedError || error instanceof SlowConsumerError;
        if (isBehind) this.#forget();
        log.warn('the watch cache lost its watch', { error, loadsAnew: isBehind });
        if (!(await pause(clock, RETRY_MS, signal))) break;
      }
    }
    this.#forget();
  }

  #forget(): void {
    this.#revision = 0;
    this.#generation++;
    this.#snapshot = undefined;
    this.#loose.length = 0;
    this.#looseCharacters = 0;
    this.#index.replace([]);
    this.#dictionaries.clear();
    this.#window = new EventWindow(0, 0);
    this.#waiters.wakeAll();
  }

  /** In chunks that are compressed one by one: never all of it as text. */
  async #load(signal: AbortSignal): Promise<void> {
    const items: CachedItem[] = [];
    let revision: number | undefined;
    for (;;) {
      const last = items.at(-1);
      const page = await this.#storage.list(ROOT, {
        limit: LOAD_CHUNK,
        ...(last === undefined ? {} : { afterKey: last.key }),
        ...(revision === undefined ? {} : { atRevision: revision }),
      });
      signal.throwIfAborted();
      revision = page.revision;
      for (const item of page.items) {
        const cached = this.#newItem(item, items.at(-1));
        cached.pack(this.#dictionaries);
        items.push(cached);
      }
      if (page.remaining === 0 || page.items.length === 0) break;
      await setImmediate();
    }
    this.#index.replace(items);
    this.#window = new EventWindow(this.#options.windowEvents ?? 1_000, revision);
    this.#generation++;
    this.#revision = revision;
    this.#waiters.wakeAll();
  }

  async #follow(signal: AbortSignal): Promise<void> {
    for await (const event of this.#storage.watch(ROOT, this.#revision, signal)) {
      if (event.type === 'progress') {
        this.#revision = Math.max(this.#revision, event.revision);
        this.#ticks++;
      } else this.#apply(event);
      this.#waiters.wakeAll();
    }
  }

  #apply(event: Exclude<StorageEvent, { readonly type: 'progress' }>): void {
    const { key, revision } = event;
    const before = this.#index.get(key);
    const current = event.type === 'put' ? this.#newItem({ key, value: event.value, revision }, before) : undefined;
    this.#index.set(key, current);
    this.#window.add(new CachedEvent(event.type, key, revision, current, before));
    this.#revision = revision;
    if (current === undefined) return;
    this.#loose.push(current);
    this.#looseCharacters += current.looseCharacters;
    while (this.#loose.length > LOOSE_ITEMS || this.#looseCharacters > LOOSE_CHARACTERS) {
      const oldest = this.#loose.shift()!;
      this.#looseCharacters -= oldest.looseCharacters;
      oldest.pack(this.#dictionaries);
    }
  }

  #newItem(item: StoredItem, previous: CachedItem | undefined): CachedItem {
    return new CachedItem(item, this.#options.cut?.(item.value), previous);
  }
}

interface Snapshot {
  readonly revision: number;
  readonly items: Items;
}

/** False when `signal` aborted first. */
async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(ms, signal);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
