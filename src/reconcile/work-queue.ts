import { backoffDelayMs, type BackoffOptions, type Random } from '../base/backoff.ts';
import { systemClock, type Clock, type Timer } from '../base/clock.ts';
import { abortReason } from '../base/deadline.ts';
import type { Counter, Gauge, Histogram, Metrics } from '../base/metrics.ts';

export interface WorkQueueOptions {
  /** Value of the label `name` of the metrics. */
  readonly name: string;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
  readonly metrics?: Metrics | undefined;
  /** Delays of `addRateLimited`. Default from 100 ms to 5 minutes. */
  readonly backoff?: BackoffOptions | undefined;
}

const BACKOFF: BackoffOptions = { initialMs: 100, maxMs: 300_000, jitter: 0.2 };

/**
 * Keys that want work, each at most once, and never handed out while it is being worked on: what is added meanwhile comes again
 * after `done`. The rules are client-go's (util/workqueue: queue.go, delaying_queue.go, rate_limiting_queue.go).
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #backoff: BackoffOptions;
  readonly #metrics: QueueMetrics | undefined;
  /** In the order of arrival, with the time of it. */
  readonly #waiting = new Map<string, number>();
  /** Being worked on; true: to be handed out again. */
  readonly #active = new Map<string, boolean>();
  readonly #delayed = new Map<string, { readonly atMs: number; readonly timer: Timer }>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string) => void)[] = [];
  #stopped = false;

  constructor(options: WorkQueueOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#backoff = options.backoff ?? BACKOFF;
    this.#metrics = options.metrics && newQueueMetrics(options.metrics, options.name);
    this.#metrics?.onCollect(() => this.#waiting.size);
  }

  /** Keys that wait now, without those that are delayed or worked on. */
  get depth(): number {
    return this.#waiting.size;
  }

  /** Keys that wait for their time. */
  get delayed(): number {
    return this.#delayed.size;
  }

  add(key: string): void {
    if (this.#stopped || this.#waiting.has(key)) return;
    this.#metrics?.adds();
    if (this.#active.has(key)) {
      this.#active.set(key, true);
      return;
    }
    this.#offer(key, this.#clock.monotonic());
  }

  /** Adds after `delayMs`, or when an earlier `addAfter` of the key said, whichever comes first. */
  addAfter(key: string, delayMs: number): void {
    if (this.#stopped) return;
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const atMs = this.#clock.monotonic() + delayMs;
    const known = this.#delayed.get(key);
    if (known && known.atMs <= atMs) return;
    known?.timer.cancel();
    const timer = this.#clock.setTimer(delayMs, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { atMs, timer });
  }

  /** Adds after a time that grows with every call until `forget`. Answers that time in ms. */
  addRateLimited(key: string): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.#metrics?.retries();
    const delayMs = backoffDelayMs(failures, this.#backoff, this.#random);
    this.addAfter(key, delayMs);
    return delayMs;
  }

  /** Starts the growth of `addRateLimited` over. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** How often `addRateLimited` was called since `forget`. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The next key, which is the caller's until `done`. @throws the reason of the signal. */
  next(signal: AbortSignal): Promise<string> {
    if (signal.aborted) return Promise.reject(abortReason(signal));
    const first = this.#waiting.entries().next();
    if (!first.done) {
      const [key, sinceMs] = first.value;
      this.#waiting.delete(key);
      this.#take(key, sinceMs);
      return Promise.resolve(key);
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#takers.splice(this.#takers.indexOf(taker), 1);
        reject(abortReason(signal));
      };
      const taker = (key: string): void => {
        signal.removeEventListener('abort', onAbort);
        resolve(key);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#takers.push(taker);
    });
  }

  /** The work on a key from `next` ended. */
  done(key: string): void {
    const again = this.#active.get(key);
    this.#active.delete(key);
    if (again && !this.#stopped) this.#offer(key, this.#clock.monotonic());
  }

  /** Takes no more keys and drops those that wait. */
  stop(): void {
    this.#stopped = true;
    for (const { timer } of this.#delayed.values()) timer.cancel();
    this.#delayed.clear();
    this.#waiting.clear();
    this.#failures.clear();
  }

  #offer(key: string, sinceMs: number): void {
    const taker = this.#takers.shift();
    if (taker) {
      this.#take(key, sinceMs);
      taker(key);
    } else {
      this.#waiting.set(key, sinceMs);
    }
  }

  #take(key: string, sinceMs: number): void {
    this.#active.set(key, false);
    this.#metrics?.waited((this.#clock.monotonic() - sinceMs) / 1000);
  }
}

interface QueueMetrics {
  adds(): void;
  retries(): void;
  waited(seconds: number): void;
  onCollect(depth: () => number): void;
}

/** Names as in client-go's workqueue, so that the usual dashboards work. */
function newQueueMetrics(metrics: Metrics, name: string): QueueMetrics {
  const adds: Counter<'name'> = metrics.counter('workqueue_adds_total', 'Keys added to a work queue.', ['name']);
  const retries: Counter<'name'> = metrics.counter('workqueue_retries_total', 'Keys added again after a failure.', [
    'name',
  ]);
  const waited: Histogram<'name'> = metrics.histogram(
    'workqueue_queue_duration_seconds',
    'Time that keys waited in a work queue.',
    ['name'],
  );
  const depth: Gauge<'name'> = metrics.gauge('workqueue_depth', 'Keys that wait in a work queue.', ['name']);
  return {
    adds: () => adds.inc({ name }),
    retries: () => retries.inc({ name }),
    waited: (seconds) => waited.observe({ name }, seconds),
    onCollect: (read) => metrics.onCollect(() => depth.set({ name }, read())),
  };
}
