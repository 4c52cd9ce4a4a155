import { setImmediate } from 'node:timers/promises';
import { CompactedError, SlowConsumerError, type StorageEvent } from '../storage.ts';
import type { CachedEvent, EventWindow } from './event-window.ts';

/** What a watch needs of the cache and of the store behind it. */
export interface WatchSource {
  /** `window` undefined: nothing is in the cache. */
  state(): {
    readonly window: EventWindow | undefined;
    readonly revision: number;
    readonly generation: number;
    /** Counts how often the store has said how far it is. */
    readonly ticks: number;
  };
  reachesBackTo(revision: number): boolean;
  /** Resolves when the state has changed, or the signal aborts. */
  changed(signal: AbortSignal): Promise<void>;
  fromStore(prefix: string, after: number, signal: AbortSignal): AsyncIterable<StorageEvent>;
}

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

/**
 * From the cache as far as it reaches back, and from the store before that. A watch that starts in the past, or that does not keep
 * up, reads the store's history until the cache has what comes next.
 */
export async function* watchCache(
  source: WatchSource,
  prefix: string,
  afterRevision: number,
  signal: AbortSignal,
): AsyncGenerator<StorageEvent, void, undefined> {
  /** Everything up to it has been handed out. */
  let position = afterRevision;
  let hasStarted = false;
  while (!signal.aborted) {
    if (source.reachesBackTo(position)) {
      for await (const event of live(source, prefix, position, signal)) {
        position = event.revision;
        yield event;
      }
      hasStarted = true;
      // The cache has moved on too far, or has lost its state: the store's history tells what is missing.
      if (signal.aborted) return;
    }
    let hasEnded = true;
    for await (const event of history(source, prefix, position, signal, hasStarted)) {
      // Its place is in the cache, too: from there it comes once for all.
      const isInCache = event.revision > position && source.reachesBackTo(position) && isCached(source, event);
      if (isInCache) {
        hasEnded = false;
        break;
      }
      position = Math.max(position, event.revision);
      hasStarted = true;
      yield event;
      if (event.type === 'progress' && source.reachesBackTo(position)) {
        hasEnded = false;
        break;
      }
    }
    // The store is closed, or the reader has gone.
    if (hasEnded) return;
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

/** Ends when the cache no longer has what comes next. */
async function* live(
  source: WatchSource,
  prefix: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<StorageEvent, void, undefined> {
  const { generation, window } = source.state();
  if (window === undefined) return;
  let next = window.after(after);
  /** The last revision that the reader has been told of. */
  let told = after;
  let burst = 0;
  let { ticks } = source.state();
  for (;;) {
    if (signal.aborted || source.state().generation !== generation || !window.has(next)) return;
    const event = window.at(next);
    if (event !== undefined) {
      next++;
      if (event.revision > after && event.key.startsWith(prefix)) {
        told = event.revision;
        yield toStorageEvent(event);
        if (++burst % BURST === 0) await setImmediate();
      }
      continue;
    }
    // Everything that the cache knows of has been handed out.
    const { revision, ticks: newTicks } = source.state();
    if (revision > told || (revision === told && newTicks !== ticks)) {
      told = revision;
      ticks = newTicks;
      yield { type: 'progress', revision };
      continue;
    }
    await source.changed(signal);
  }
}

/** The cached event behind what a watch handed out, if it came from the cache. */
export function cachedEventOf(event: StorageEvent): CachedEvent | undefined {
  return event instanceof LazyEvent ? event.cached : undefined;
}
