import { setImmediate } from 'node:timers/promises';
import { CompactedError, SlowConsumerError, type StorageEvent } from './storage.ts';
import type { Change, HistorySlice } from './history.ts';

export interface WatchHubOptions {
  /**
   * What comes after a revision. A slice that takes time to read (a promise) is never `atHead`: changes may have been dispatched
   * meanwhile, and the hub asks again. @throws CompactedError
   */
  readHistory(
    prefix: string,
    after: number,
    maxChanges: number,
    maxCharacters: number,
    signal: AbortSignal,
  ): HistorySlice | Promise<HistorySlice>;
  /** What one watcher may have waiting in memory; beyond that it is served from history until it has caught up. */
  readonly maxQueuedChanges?: number;
  readonly maxQueuedCharacters?: number;
}

const SLICE_CHANGES = 200;
const SLICE_CHARACTERS = 4 * 1024 * 1024;

/**
 * Brings changes to any number of watchers, for drivers whose history can be read at will. A watcher starts in history and
 * goes over to live changes; one that does not keep up goes back to history, so memory stays bounded and nothing is lost
 * until history itself is cut off behind it.
 */
export class WatchHub {
  readonly #options: WatchHubOptions;
  readonly #maxChanges: number;
  readonly #maxCharacters: number;
  /** By prefix: thousands of watchers share few prefixes. */
  readonly #watchers = new Map<string, Set<Watcher>>();
  #dispatched: number;
  #failure: Error | undefined;
  #ended = false;

  /** `revision`: changes up to this one are never dispatched, they are history. */
  constructor(options: WatchHubOptions, revision: number) {
    this.#options = options;
    this.#maxChanges = options.maxQueuedChanges ?? 1000;
    this.#maxCharacters = options.maxQueuedCharacters ?? 8 * 1024 * 1024;
    this.#dispatched = revision;
  }

  /** Hands a change to those who watch. Call in the order of revisions, once the change is readable in history. */
  dispatch(change: Change): void {
    this.#dispatched = change.revision;
    for (const [prefix, watchers] of this.#watchers) {
      if (change.key.startsWith(prefix)) {
        for (const watcher of watchers) {
          watcher.offer(change, this.#maxChanges, this.#maxCharacters);
        }
      }
    }
  }

  /** Everything up to `revision` has been dispatched. */
  advance(revision: number): void {
    this.#dispatched = Math.max(this.#dispatched, revision);
  }

  /** Changes up to `revision` will never be dispatched: everybody goes back to history. */
  skipTo(revision: number): void {
    this.advance(revision);
    for (const watcher of this.#all()) {
      watcher.fallBehind();
      watcher.wake();
    }
  }

  /** Tells every watcher how far it has seen. */
  progress(): void {
    for (const watcher of this.#all()) {
      watcher.progressDue = true;
      watcher.wake();
    }
  }

  /** Ends every watch: with an error, or normally without one. Later watches end the same way. */
  end(failure?: Error): void {
    this.#failure ??= failure;
    this.#ended = true;
    for (const watcher of this.#all()) {
      watcher.wake();
    }
  }

  /** @throws at its first step what `Storage.watch` throws */
  async *watch(
    prefix: string,
    afterRevision: number,
    signal: AbortSignal,
  ): AsyncGenerator<StorageEvent, void, undefined> {
    const watcher = new Watcher(afterRevision);
    const wake = () => watcher.wake();
    signal.addEventListener('abort', wake, { once: true });
    this.#add(prefix, watcher);
    let started = false;
    try {
      while (!this.#isOver(signal)) {
        if (watcher.behind) {
          const reading = this.#catchUp(prefix, watcher, started, signal);
          // Without a pause when there is none: what is dispatched must not come between reading and going live.
          const slice = reading instanceof Promise ? await reading : reading;
          if (slice === undefined) continue;
          started = true;
          for (const change of slice.changes) {
            watcher.position = change.revision;
            yield change;
            if (this.#isOver(signal)) {
              return;
            }
          }
          watcher.position = slice.completeTo;
          // A long way to go, with a reader that never waits, must not keep everybody else waiting.
          if (!slice.atHead) await setImmediate();
        } else if (watcher.queue.length > 0) {
          for (const change of watcher.takeQueue()) {
            watcher.position = change.revision;
            yield change;
            if (this.#isOver(signal)) {
              return;
            }
          }
        } else if (watcher.progressDue) {
          watcher.progressDue = false;
          // Everything dispatched so far for this prefix has been handed out: the queue is empty.
          if (this.#dispatched >= watcher.position) {
            watcher.position = this.#dispatched;
            yield { type: 'progress', revision: this.#dispatched };
          }
        } else {
          await watcher.sleep();
        }
      }
    } finally {
      signal.removeEventListener('abort', wake);
      this.#remove(prefix, watcher);
    }
  }

  /** Undefined when the watch was over before the slice had been read. */
  #catchUp(
    prefix: string,
    watcher: Watcher,
    started: boolean,
    signal: AbortSignal,
  ): HistorySlice | Promise<HistorySlice | undefined> {
    try {
      const slice = this.#options.readHistory(prefix, watcher.position, SLICE_CHANGES, SLICE_CHARACTERS, signal);
      if (slice instanceof Promise) {
        return slice.catch((error: unknown) => {
          if (this.#isOver(signal)) return undefined;
          throw toWatchError(error, watcher, started);
        });
      }
      if (slice.atHead) {
        watcher.goLive(slice.completeTo);
      }
      return slice;
    } catch (error) {
      throw toWatchError(error, watcher, started);
    }
  }

  #isOver(signal: AbortSignal): boolean {
    if (this.#failure !== undefined && !signal.aborted) {
      throw this.#failure;
    }
    return this.#ended || signal.aborted;
  }

  #add(prefix: string, watcher: Watcher): void {
    const watchers = this.#watchers.get(prefix) ?? new Set();
    watchers.add(watcher);
    this.#watchers.set(prefix, watchers);
  }

  #remove(prefix: string, watcher: Watcher): void {
    const watchers = this.#watchers.get(prefix);
    watchers?.delete(watcher);
    if (watchers?.size === 0) {
      this.#watchers.delete(prefix);
    }
  }

  *#all(): Iterable<Watcher> {
    for (const watchers of this.#watchers.values()) {
      yield* watchers;
    }
  }
}

function toWatchError(error: unknown, watcher: Watcher, started: boolean): unknown {
  if (!started || !(error instanceof CompactedError)) return error;
  const what = `the reader stopped at revision ${watcher.position}, which is no longer in the history`;
  return new SlowConsumerError(what, { cause: error });
}

class Watcher {
  /** Everything up to this revision has been handed out. */
  position: number;
  /** True while changes come from history and live ones are passed by. */
  behind = true;
  progressDue = false;
  queue: Change[] = [];
  #characters = 0;
  #liveAfter = 0;
  #wake: (() => void) | undefined;

  constructor(position: number) {
    this.position = position;
  }

  goLive(after: number): void {
    this.behind = false;
    this.#liveAfter = after;
  }

  offer(change: Change, maxChanges: number, maxCharacters: number): void {
    if (this.behind || change.revision <= this.#liveAfter) {
      return;
    }
    this.queue.push(change);
    this.#characters += (change.type === 'put' ? change.value.length : 0) + (change.previous?.length ?? 0);
    if (this.queue.length > maxChanges || this.#characters > maxCharacters) {
      this.fallBehind();
    }
    this.wake();
  }

  fallBehind(): void {
    this.takeQueue();
    this.behind = true;
  }

  takeQueue(): Change[] {
    const taken = this.queue;
    this.queue = [];
    this.#characters = 0;
    return taken;
  }

  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  sleep(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
