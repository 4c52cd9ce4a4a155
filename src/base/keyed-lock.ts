import { abandonOn } from './deadline.ts';

/** Mutual exclusion per key, first come first served. Holds nothing for a key that nobody uses. */
export class KeyedLock {
  readonly #tails = new Map<string, Promise<void>>();

  /** Runs `work` alone for `key`. A waiter whose signal aborts leaves the line. @throws what `work` throws. */
  async run<T>(key: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const before = this.#tails.get(key);
    const turn = Promise.withResolvers<void>();
    const tail = (before ?? Promise.resolve()).then(() => turn.promise);
    this.#tails.set(key, tail);
    try {
      if (before) await (signal ? abandonOn(before, signal) : before);
      signal?.throwIfAborted();
      return await work();
    } finally {
      turn.resolve();
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    }
  }

  /** Number of keys that are held or waited for. */
  get size(): number {
    return this.#tails.size;
  }
}
