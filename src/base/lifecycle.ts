import type { Clock, Timer } from './clock.ts';
import { isAbortError } from './deadline.ts';
import type { Logger } from './log.ts';

export interface LifecycleOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** How long tasks may take to end after the stop. Default 30,000. */
  readonly graceMs?: number;
}

/**
 * The life of the process: named tasks under one signal. A task that throws stops all; when all ended, or the grace is over,
 * `wait` answers the exit code (0 asked to stop, 1 a task failed or would not end).
 */
export class Lifecycle {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #graceMs: number;
  readonly #controller = new AbortController();
  readonly #running = new Map<string, Promise<void>>();
  #exitCode = 0;

  constructor(options: LifecycleOptions) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#graceMs = options.graceMs ?? 30_000;
  }

  /** Aborts when the process is to stop. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get stopping(): boolean {
    return this.signal.aborted;
  }

  /** Starts `task`. It ends by returning, at the latest soon after its signal aborted; what it throws before that stops all. */
  run(name: string, task: (signal: AbortSignal) => Promise<void>): void {
    if (this.#running.has(name)) throw new Error(`a task named ${name} runs already`);
    this.#running.set(name, this.#supervise(name, task));
  }

  /** Asks every task to end. Idempotent: the first reason stands. */
  stop(reason: string): void {
    if (this.stopping) return;
    this.#log.info('stopping', { reason });
    this.#controller.abort(new DOMException(reason, 'AbortError'));
  }

  /** Stops because something is broken: the exit code tells. */
  fail(reason: string): void {
    if (!this.stopping) this.#exitCode = 1;
    this.stop(reason);
  }

  /** Stops on the first SIGTERM or SIGINT and leaves at once on the second. Answers a function that lets go of the signals. */
  handleSignals(target: NodeJS.Process = process): () => void {
    const onSignal = (name: NodeJS.Signals): void => {
      if (this.stopping) target.exit(130);
      else this.stop(`received ${name}`);
    };
    target.on('SIGTERM', onSignal);
    target.on('SIGINT', onSignal);
    return () => {
      target.off('SIGTERM', onSignal);
      target.off('SIGINT', onSignal);
    };
  }

  /** Resolves with the exit code when every task ended, or `graceMs` after the stop. */
  async wait(): Promise<number> {
    const overdue = this.#overdue();
    let late = false;
    while (this.#running.size > 0 && !late) {
      const ended = Promise.all(this.#running.values()).then(() => false);
      late = await Promise.race([ended, overdue.promise]);
    }
    overdue.cancel();
    if (late) {
      this.#log.error('tasks did not end in time', { tasks: [...this.#running.keys()], graceMs: this.#graceMs });
      this.#exitCode = 1;
    }
    return this.#exitCode;
  }

  /** Resolves with true once the grace after the stop is over. */
  #overdue(): { readonly promise: Promise<true>; cancel(): void } {
    const { promise, resolve } = Promise.withResolvers<true>();
    let timer: Timer | undefined;
    const onStop = (): void => {
      timer = this.#clock.setTimer(this.#graceMs, () => resolve(true));
    };
    if (this.stopping) onStop();
    else this.signal.addEventListener('abort', onStop, { once: true });
    return {
      promise,
      cancel: () => {
        timer?.cancel();
        this.signal.removeEventListener('abort', onStop);
      },
    };
  }

  async #supervise(name: string, task: (signal: AbortSignal) => Promise<void>): Promise<void> {
    try {
      // A task that throws synchronously is a task that failed.
      await Promise.resolve();
      await task(this.signal);
    } catch (error) {
      if (!(this.stopping && isAbortError(error))) {
        this.#log.error('task failed', { task: name, error });
        this.#exitCode = 1;
        this.stop(`task ${name} failed`);
      }
    } finally {
      this.#running.delete(name);
    }
  }
}
