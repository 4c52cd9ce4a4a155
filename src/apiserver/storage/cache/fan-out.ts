import { setImmediate } from 'node:timers/promises';
import type { StorageEvent } from '../storage.ts';
import type { WatchSource, WatchState } from './watch-source.ts';

/** Takes events the moment they come, while the reader of the watch waits for the next one. */
export interface EventSink {
  /** False: the event is to come to the reader instead, and so are all that follow until it waits again. */
  take(event: StorageEvent): boolean;
  /** Set while nothing should be taken; resolves when to ask again. */
  pause(): Promise<void> | undefined;
}

/** Where a watch is in the cache. */
export interface Follower {
  readonly sink: EventSink | undefined;
  /** What comes next in this state: undefined when there is nothing yet, `gone` when the cache cannot tell. */
  peek(state: WatchState): StorageEvent | 'gone' | undefined;
  /** What was seen last has been handed out. */
  pass(event: StorageEvent): void;
}

interface Waiting {
  readonly follower: Follower;
  wake(): void;
  fail(error: unknown): void;
}

/** Events handed out in one go: then they leave, and others get a turn. */
const BURST = 32;

/**
 * Brings what is new to all watches that wait for it, in one loop. Very many watches of the same collection would otherwise each
 * wake up, layer by layer, for every event.
 */
export class FanOut {
  readonly #source: WatchSource;
  readonly #waiting = new Set<Waiting>();
  #isRunning = false;

  constructor(source: WatchSource) {
    this.#source = source;
  }

  /**
   * Hands to the follower's sink what comes. Resolves when there is something that it does not take, or the signal aborts. To be
   * called when there is nothing for the follower at this moment. @throws what the sink throws
   */
  turn(follower: Follower, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const leave = (): void => {
        this.#waiting.delete(waiting);
        signal.removeEventListener('abort', wake);
      };
      const wake = (): void => {
        leave();
        resolve();
      };
      const fail = (error: unknown): void => {
        leave();
        reject(error);
      };
      const waiting: Waiting = { follower, wake, fail };
      this.#waiting.add(waiting);
      signal.addEventListener('abort', wake, { once: true });
      if (!this.#isRunning) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    const over = new AbortController();
    // Asked for before each round: what changes during it is not missed.
    let change = this.#source.changed(over.signal);
    do {
      await change;
      change = this.#source.changed(over.signal);
      await this.#round();
    } while (this.#waiting.size > 0);
    this.#isRunning = false;
    over.abort();
  }

  async #round(): Promise<void> {
    let handedOut = 0;
    for (const waiting of this.#waiting) {
      while (this.#waiting.has(waiting)) {
        const pause = this.#step(waiting);
        if (pause === 'done') break;
        if (pause !== undefined) await pause;
        else if (++handedOut % BURST === 0) await setImmediate();
      }
    }
  }

  /** Hands out one event, or tells why not: there is none for the sink, or it is to be later. */
  #step(waiting: Waiting): 'done' | Promise<void> | undefined {
    const { follower } = waiting;
    try {
      const event = follower.peek(this.#source.state());
      if (event === undefined) return 'done';
      if (event !== 'gone' && follower.sink !== undefined) {
        const pause = follower.sink.pause();
        if (pause !== undefined) return pause;
        if (follower.sink.take(event)) {
          follower.pass(event);
          return undefined;
        }
      }
      waiting.wake();
    } catch (error) {
      waiting.fail(error);
    }
    return 'done';
  }
}
