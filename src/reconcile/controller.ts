import type { BackoffOptions, Random } from '../base/backoff.ts';
import { systemClock, type Clock } from '../base/clock.ts';
import { withDeadline } from '../base/deadline.ts';
import type { Logger } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import { isConflict } from '../kubeclient/api-error.ts';
import { TerminalError } from './terminal-error.ts';
import { WorkQueue } from './work-queue.ts';

/** What a reconcile that did not throw wants next. Nothing: not before somebody adds the key again. */
export interface ReconcileResult {
  /** Waiting is a result, not a failure: come again after this time, without backoff. */
  readonly requeueAfterMs?: number | undefined;
}

export interface ControllerOptions {
  /** Names it in logs and metrics. */
  readonly name: string;
  /**
   * Brings the world to what the object of `key` asks for. Called for one key at most once at a time. Throwing means: again, with
   * backoff; a TerminalError: not before something changed.
   */
  readonly reconcile: (key: string, signal: AbortSignal) => Promise<ReconcileResult | undefined | void>;
  /** Keys worked on at once. Default 4. */
  readonly concurrency?: number | undefined;
  /** Caches that must be filled before the first reconcile. */
  readonly caches?: readonly { waitForSync(signal: AbortSignal): Promise<void> }[] | undefined;
  /** One reconcile may take this long. Default 60,000. */
  readonly timeoutMs?: number | undefined;
  readonly backoff?: BackoffOptions | undefined;
  readonly log: Logger;
  readonly metrics?: Metrics | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
}

export interface Controller {
  readonly name: string;
  /** Asks for a reconcile of `key`. May be called before `run`. */
  enqueue(key: string): void;
  enqueueAfter(key: string, delayMs: number): void;
  /** Works until `signal` aborts, and returns when every reconcile under way ended. */
  run(signal: AbortSignal): Promise<void>;
  readonly queue: WorkQueue;
}

export function createController(options: ControllerOptions): Controller {
  return new QueueController(options);
}

class QueueController implements Controller {
  readonly name: string;
  readonly queue: WorkQueue;
  readonly #options: ControllerOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #report: (result: 'success' | 'requeue' | 'error' | 'terminal' | 'conflict', seconds: number) => void;

  constructor(options: ControllerOptions) {
    const { name, clock, random, metrics, backoff } = options;
    this.name = name;
    this.#options = options;
    this.#clock = clock ?? systemClock;
    this.#log = options.log.child({ controller: name });
    this.queue = new WorkQueue({ name, clock, random, metrics, backoff });
    this.#report = metrics ? reportTo(metrics, name) : () => undefined;
  }

  enqueue(key: string): void {
    this.queue.add(key);
  }

  enqueueAfter(key: string, delayMs: number): void {
    this.queue.addAfter(key, delayMs);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { caches = [], concurrency = 4 } = this.#options;
    try {
      await Promise.all(caches.map((cache) => cache.waitForSync(signal)));
      this.#log.info('working', { concurrency, depth: this.queue.depth });
      await Promise.all(Array.from({ length: concurrency }, () => this.#work(signal)));
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.queue.stop();
    }
  }

  async #work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let key: string;
      try {
        key = await this.queue.next(signal);
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
      await this.#reconcile(key, signal);
      this.queue.done(key);
    }
  }

  /** Never throws. */
  async #reconcile(key: string, signal: AbortSignal): Promise<void> {
    const { reconcile, timeoutMs = 60_000 } = this.#options;
    const startedMs = this.#clock.monotonic();
    const seconds = (): number => (this.#clock.monotonic() - startedMs) / 1000;
    using deadline = withDeadline([signal], timeoutMs, 'the reconcile', this.#clock);
    try {
      const result = await reconcile(key, deadline.signal);
      this.queue.forget(key);
      if (result?.requeueAfterMs !== undefined) this.queue.addAfter(key, result.requeueAfterMs);
      this.#report(result?.requeueAfterMs === undefined ? 'success' : 'requeue', seconds());
      if (this.#log.enabled('debug'))
        this.#log.debug('reconciled', { object: key, tookMs: Math.round(seconds() * 1000) });
    } catch (error) {
      if (signal.aborted) return;
      this.#failed(key, error, seconds());
    }
  }

  #failed(key: string, error: unknown, seconds: number): void {
    if (error instanceof TerminalError) {
      this.queue.forget(key);
      this.#report('terminal', seconds);
      this.#log.warn('cannot reconcile until something changes', {
        object: key,
        reason: error.reason,
        message: error.message,
      });
      return;
    }
    const retryAfterMs = this.queue.addRateLimited(key);
    if (isConflict(error)) {
      // Somebody else wrote in between: the ordinary way of the world, and the next try reads what they wrote.
      this.#report('conflict', seconds);
      this.#log.debug('conflict: trying again', { object: key, retryAfterMs, error });
      return;
    }
    this.#report('error', seconds);
    this.#log.error('reconcile failed', { object: key, retryAfterMs, failures: this.queue.failures(key), error });
  }
}

function reportTo(metrics: Metrics, controller: string): (result: string, seconds: number) => void {
  const total = metrics.counter('controller_reconcile_total', 'Reconciles by their result.', ['controller', 'result']);
  const time = metrics.histogram('controller_reconcile_duration_seconds', 'Time of reconciles.', ['controller']);
  return (result, seconds) => {
    total.inc({ controller, result });
    time.observe({ controller }, seconds);
  };
}
