import { setImmediate } from 'node:timers/promises';
import { CompactedError, SlowConsumerError, type StorageEvent } from '../storage.ts';
import type { CachedEvent, EventWindow } from './event-window.ts';
import type { EventSink, FanOut, Follower } from './fan-out.ts';
import type { WatchSource, WatchState } from './watch-source.ts';

/** Events handed out in one go, before others get a turn. */
const BURST = 500;

/** An event as watches hand it out; the texts are made when somebody asks for them. */
export class LazyEvent {
  readonly cached: CachedEvent;
  constructor(cached: CachedEvent) {
    this.cached = cached;
  }
  get type(): 'put' | 'delete' {
    return this.cached.type;
  }
  get key(): string {
    return this.cached.key;
  }
  get revision(): number {
    return this.cached.revision;
  }
  get value(): string {
    return this.cached.current?.value ?? '';
  }
  get previous(): string | undefined {
    return this.cached.before?.value;
  }
}

/** One for all watches of the same event. */
const lazyEvents = new WeakMap<CachedEvent, StorageEvent>();

function toStorageEvent(cached: CachedEvent): StorageEvent {
  const known = lazyEvents.get(cached);
  if (known !== undefined) return known;
  const event = new LazyEvent(cached) as unknown as StorageEvent;
  lazyEvents.set(cached, event);
  return event;
}

/** `fanOut`: the one of the cache that is `source`. */
export function watchCache(
  source: WatchSource,
  fanOut: FanOut,
  prefix: string,
  afterRevision: number,
  signal: AbortSignal,
): AsyncIterable<StorageEvent> {
  return new CacheWatch(source, fanOut, prefix, afterRevision, signal);
}

/**
 * From the cache as far as it reaches back, and from the store before that. A watch that starts in the past, or that does not keep
 * up, reads the store's history until the cache has what comes next.
 */
class CacheWatch implements AsyncIterable<StorageEvent> {
  sink: EventSink | undefined;
  readonly #source: WatchSource;
  readonly #fanOut: FanOut;
  readonly #prefix: string;
  readonly #signal: AbortSignal;
  /** Everything up to it has been handed out. */
  #position: number;

  constructor(source: WatchSource, fanOut: FanOut, prefix: string, afterRevision: number, signal: AbortSignal) {
    this.#source = source;
    this.#fanOut = fanOut;
    this.#prefix = prefix;
    this.#signal = signal;
    this.#position = afterRevision;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<StorageEvent, void, undefined> {
    const source = this.#source;
    let hasStarted = false;
    while (!this.#signal.aborted) {
      if (source.reachesBackTo(this.#position)) {
        yield* this.#live();
        hasStarted = true;
        // The cache has moved on too far, or has lost its state: the store's history tells what is missing.
        if (this.#signal.aborted) return;
      }
      let hasEnded = true;
      for await (const event of history(source, this.#prefix, this.#position, this.#signal, hasStarted)) {
        // Its place is in the cache, too: from there it comes once for all.
        const isInCache =
          event.revision > this.#position && source.reachesBackTo(this.#position) && isCached(source, event);
        if (isInCache) {
          hasEnded = false;
          break;
        }
        this.#position = Math.max(this.#position, event.revision);
        hasStarted = true;
        yield event;
        if (event.type === 'progress' && source.reachesBackTo(this.#position)) {
          hasEnded = false;
          break;
        }
      }
      // The store is closed, or the reader has gone.
      if (hasEnded) return;
    }
  }

  /** Ends when the cache no longer has what comes next. While it waits, the sink is handed what comes. */
  async *#live(): AsyncGenerator<StorageEvent, void, undefined> {
    const { window } = this.#source.state();
    if (window === undefined) return;
    const place = new Place(this.#source.state(), window, this.#prefix, this.#position);
    const follower: Follower = {
      sink: this.sink,
      peek: (state) => place.peek(state),
      pass: (event) => {
        place.pass(event);
        this.#position = event.revision;
      },
    };
    for (let burst = 1; !this.#signal.aborted;) {
      const event = place.peek(this.#source.state());
      if (event === 'gone') return;
      if (event === undefined) {
        // Everything that the cache knows of has been handed out.
        await this.#fanOut.turn(follower, this.#signal);
        continue;
      }
      follower.pass(event);
      yield event;
      if (event.type !== 'progress' && burst++ % BURST === 0) await setImmediate();
    }
  }
}

/**
 * What comes is handed to `sink` while the reader of `events` waits for it, where the events come from a cache. To be called before
 * the reading begins.
 */
export function deliverTo(events: AsyncIterable<StorageEvent>, sink: EventSink): void {
  if (events instanceof CacheWatch) events.sink = sink;
}

/** How far a watch is in the events of a cache. */
class Place {
  readonly #window: EventWindow;
  readonly #generation: number;
  readonly #prefix: string;
  readonly #after: number;
  /** Number of the next event in the window. */
  #next: number;
  /** The last revision that the reader has been told of. */
  #told: number;
  #ticks: number;
  /** As of the last look. */
  #seenTicks: number;

  constructor(state: WatchState, window: EventWindow, prefix: string, after: number) {
    this.#window = window;
    this.#generation = state.generation;
    this.#prefix = prefix;
    this.#after = after;
    this.#next = window.after(after);
    this.#told = after;
    this.#ticks = state.ticks;
    this.#seenTicks = state.ticks;
  }

  peek(state: WatchState): StorageEvent | 'gone' | undefined {
    if (state.generation !== this.#generation || !this.#window.has(this.#next)) return 'gone';
    for (let event = this.#window.at(this.#next); event !== undefined; event = this.#window.at(++this.#next)) {
      if (event.revision > this.#after && event.key.startsWith(this.#prefix)) return toStorageEvent(event);
    }
    const { revision, ticks } = state;
    const isNews = revision > this.#told || (revision === this.#told && ticks !== this.#ticks);
    this.#seenTicks = ticks;
    return isNews ? { type: 'progress', revision } : undefined;
  }

  pass(event: StorageEvent): void {
    this.#told = event.revision;
    if (event.type === 'progress') this.#ticks = this.#seenTicks;
    else this.#next++;
  }
}

/** What the store tells; a reader that had started and finds its place gone has been too slow. */
async function* history(
  source: WatchSource,
  prefix: string,
  after: number,
  signal: AbortSignal,
  hasStarted: boolean,
): AsyncGenerator<StorageEvent, void, undefined> {
  try {
    yield* source.fromStore(prefix, after, signal);
  } catch (error) {
    if (!hasStarted || !(error instanceof CompactedError)) throw error;
    throw new SlowConsumerError(`the reader stopped at revision ${after}, which is no longer in the history`, {
      cause: error,
    });
  }
}

function isCached(source: WatchSource, event: StorageEvent): boolean {
  return source.state().revision >= event.revision;
}

/** The cached event behind what a watch handed out, if it came from the cache. */
export function cachedEventOf(event: StorageEvent): CachedEvent | undefined {
  return event instanceof LazyEvent ? event.cached : undefined;
}
