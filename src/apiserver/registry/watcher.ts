import { LRUCache } from 'lru-cache';
import type { Clock } from '../../base/clock.ts';
import { newExpired } from '../../apimachinery/status.ts';
import type { ListOptions } from '../options.ts';
import { SendBudget } from '../send-budget.ts';
import { cachedEventOf, deliverTo } from '../storage/cache/cache-watch.ts';
import { CompactedError } from '../storage/storage.ts';
import type { Storage, StorageEvent } from '../storage/storage.ts';
import { Stored } from './codec.ts';
import { collectionPrefix } from './keys.ts';
import type { Lister } from './lister.ts';
import { parseRevision, singleKey } from './lister.ts';
import type { Resource } from './resource.ts';
import { matchesKey, matchesLabels } from './selection.ts';
import type { Selection } from './selection.ts';

export type WatchItem =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly stored: Stored }
  /** All that was there when the watch began has been sent, as of `revision`. */
  | { readonly type: 'INITIAL_EVENTS_END'; readonly revision: number }
  /** Everything up to `revision` has been sent. */
  | { readonly type: 'PROGRESS'; readonly revision: number };

/** Takes items the moment they come, while the reader of the watch waits for the next one. */
export interface WatchSink {
  /** False: the item is to come to the reader instead. */
  take(item: WatchItem): boolean;
  /** Set while nothing should be taken; resolves when to ask again. */
  pause(): Promise<void> | undefined;
}

type Change = Exclude<StorageEvent, { readonly type: 'progress' }>;

interface Decoded {
  readonly current: Stored | undefined;
  readonly previous: Stored | undefined;
}

/** Events that have been written and have not left yet, of all watches together. */
const maxBytesUnderWay = 2 * 1024 * 1024;

/**
 * Events of a collection for one client. Every open watch gets the same event objects from the storage, so what is decoded for
 * one is there for all.
 */
export class Watcher {
  readonly #storage: Storage;
  readonly #lister: Lister;
  /** Of the newest events only: most are sent to everybody at once, and what is decoded takes room. */
  readonly #decoded = new LRUCache<Change, Decoded>({ max: 64 });

  /** Shared by all watches. */
  readonly budget: SendBudget;

  constructor(storage: Storage, lister: Lister, clock: Clock) {
    this.#storage = storage;
    this.#lister = lister;
    this.budget = new SendBudget(maxBytesUnderWay, clock);
  }

  /** Asks for a `PROGRESS` item on every open watch now. */
  requestProgress(): void {
    this.#storage.requestProgress();
  }

  /**
   * Where the watch starts, checked before the first byte is sent. What comes while the reader waits may go to the sink; every item
   * comes once, here or there, in order. @throws StatusError (400, 504)
   */
  async open(
    resource: Resource,
    selection: Selection,
    options: ListOptions,
    signal: AbortSignal,
    sink?: WatchSink,
  ): Promise<AsyncIterable<WatchItem>> {
    const revision = parseRevision(options.resourceVersion);
    if (options.sendInitialEvents === true) {
      if (revision !== undefined) await this.#lister.reach(revision, options.resourceVersion, signal);
      return this.#withInitialEvents(resource, selection, options.resourceVersion, signal, sink);
    }
    return this.#changes(resource, selection, revision ?? (await this.#storage.currentRevision()), signal, sink);
  }

  async *#withInitialEvents(
    resource: Resource,
    selection: Selection,
    minRevision: string,
    signal: AbortSignal,
    sink: WatchSink | undefined,
  ): AsyncGenerator<WatchItem> {
    const { waiting, revision } = await this.#present(resource, selection, minRevision, signal);
    for (let stored = waiting.pop(); stored !== undefined; stored = waiting.pop()) yield { type: 'ADDED', stored };
    yield { type: 'INITIAL_EVENTS_END', revision };
    yield* this.#changes(resource, selection, revision, signal, sink);
  }

  /** What is there, last first: what has been sent is let go, with all that was made of it for the sending. */
  async #present(
    resource: Resource,
    selection: Selection,
    minRevision: string,
    signal: AbortSignal,
  ): Promise<{ readonly waiting: Stored[]; readonly revision: number }> {
    const options = { ...wholeList, resourceVersion: minRevision };
    const { items, revision } = await this.#lister.list(resource, selection, options, signal);
    return { waiting: items.toReversed(), revision };
  }

  async *#changes(
    resource: Resource,
    selection: Selection,
    after: number,
    signal: AbortSignal,
    sink: WatchSink | undefined,
  ): AsyncGenerator<WatchItem> {
    const single = singleKey(resource, selection);
    const prefix = single ?? collectionPrefix(resource, selection.namespace);
    const itemOf = (event: StorageEvent): WatchItem | undefined => {
      if (event.type === 'progress') return { type: 'PROGRESS', revision: event.revision };
      return single !== undefined && event.key !== single ? undefined : this.#select(resource, selection, event);
    };
    // Whoever watches from here has seen what was before.
    yield { type: 'PROGRESS', revision: after };
    const events = this.#storage.watch(prefix, after, signal);
    if (sink !== undefined) {
      const take = (event: StorageEvent): boolean => {
        const item = itemOf(event);
        return item === undefined || sink.take(item);
      };
      deliverTo(events, { take, pause: () => sink.pause() });
    }
    try {
      for await (const event of events) {
        const item = itemOf(event);
        if (item !== undefined) yield item;
      }
    } catch (error) {
      throw error instanceof CompactedError
        ? newExpired(`too old resource version: ${after} (${await this.#storage.currentRevision()})`)
        : error;
    }
  }

  /** What a change is to a client that sees only what it selected: objects enter and leave its view. */
  #select(resource: Resource, selection: Selection, event: Change): WatchItem | undefined {
    if (!matchesKey(resource, selection, event.key)) return undefined;
    const { current, previous } = this.#decode(event);
    const isIn = current !== undefined && matchesLabels(selection, current);
    const wasIn = previous !== undefined && matchesLabels(selection, previous);
    if (isIn) return { type: wasIn ? 'MODIFIED' : 'ADDED', stored: current };
    // What left carries its last selected state and the revision at which it left.
    return wasIn ? { type: 'DELETED', stored: previous } : undefined;
  }

  #decode(event: Change): Decoded {
    const known = this.#decoded.get(event);
    if (known !== undefined) return known;
    const decoded = decode(event);
    this.#decoded.set(event, decoded);
    return decoded;
  }
}

function decode(event: Change): Decoded {
  const cached = cachedEventOf(event);
  if (cached !== undefined) {
    const { current, before, revision } = cached;
    return { current: current && Stored.of(current), previous: before && Stored.of(before, revision) };
  }
  const { key, previous, revision } = event;
  return {
    current: event.type === 'put' ? new Stored(key, event.value, revision) : undefined,
    previous: previous === undefined ? undefined : new Stored(key, previous, revision),
  };
}

const wholeList: ListOptions = {
  resourceVersion: '',
  resourceVersionMatch: '',
  limit: 0,
  continueToken: '',
  watch: false,
  timeoutSeconds: undefined,
  allowWatchBookmarks: false,
  sendInitialEvents: undefined,
};
