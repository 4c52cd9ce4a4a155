import type { KubeObject } from '../apimachinery/object.ts';
import { Backoff, type Random } from '../base/backoff.ts';
import { systemClock, type Clock } from '../base/clock.ts';
import { withDeadline } from '../base/deadline.ts';
import type { Logger } from '../base/log.ts';
import { ConnectionError, isApiError, isExpired, isTooLargeResourceVersion } from './api-error.ts';
import type { KubeClient, Resource, WatchEvent } from './client.ts';

export interface ReflectorOptions<T extends KubeObject> {
  readonly client: KubeClient;
  readonly resource: Resource<T>;
  /** Default: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly metadataOnly?: boolean | undefined;
  readonly log: Logger;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
}

/** Where a reflector puts what it sees. */
export interface ReflectorSink<T extends KubeObject> {
  /** The whole state. */
  replace(items: readonly T[]): void;
  apply(event: Exclude<WatchEvent<T>, { readonly type: 'BOOKMARK' }>): void;
}

/** client-go asks for 5 to 10 minutes (tools/cache/reflector.go, minWatchTimeout). */
const MIN_WATCH_SECONDS = 300;
/** A watch that outlives the time we asked for by this much is dead. */
const OVERTIME_MS = 30_000;
/** Servers that send bookmarks do so every minute or so; after the first one, silence this long means that the connection is dead. */
const BOOKMARK_SILENCE_MS = 180_000;
/** A watch that ends sooner, without an event, counts as a failure: the server does not mean it. */
const SHORT_WATCH_MS = 1_000;
const LONG_WATCH_MS = 30_000;
const LIST_TIMEOUT_MS = 60_000;
const BACKOFF = { initialMs: 200, maxMs: 30_000, jitter: 0.5 };

/**
 * Keeps `sink` up to date: lists, then watches from there, for ever; lists anew when the server no longer knows where we stood.
 * Errors are logged and tried again with backoff, so it returns only when `signal` aborts.
 */
export async function runReflector<T extends KubeObject>(
  options: ReflectorOptions<T>,
  sink: ReflectorSink<T>,
  signal: AbortSignal,
): Promise<void> {
  const reflector = new Reflector(options, sink, signal);
  while (!signal.aborted) await reflector.turn();
}

class Reflector<T extends KubeObject> {
  readonly #options: ReflectorOptions<T>;
  readonly #sink: ReflectorSink<T>;
  readonly #signal: AbortSignal;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #backoff: Backoff;
  /** Where the watch goes on; undefined: list first. */
  #position: string | undefined;
  /** Least resourceVersion that a list may have. "0": any; "": the latest, from the store itself. */
  #notOlderThan = '0';

  constructor(options: ReflectorOptions<T>, sink: ReflectorSink<T>, signal: AbortSignal) {
    this.#options = options;
    this.#sink = sink;
    this.#signal = signal;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#backoff = new Backoff(BACKOFF, this.#random);
  }

  /** One list if needed, and one watch. Never throws. */
  async turn(): Promise<void> {
    let listed = false;
    try {
      if (this.#position === undefined) {
        await this.#list();
        listed = true;
      }
      await this.#watch(this.#position!);
    } catch (error) {
      if (this.#signal.aborted) return;
      await this.#recover(error, listed);
    }
  }

  async #list(): Promise<void> {
    const { client, resource, namespace = '', labelSelector, fieldSelector, metadataOnly } = this.#options;
    const list = await client.list(resource, namespace, {
      labelSelector,
      fieldSelector,
      metadataOnly,
      resourceVersion: this.#notOlderThan === '' ? undefined : this.#notOlderThan,
      signal: this.#signal,
      timeoutMs: LIST_TIMEOUT_MS,
    });
    const position = list.metadata.resourceVersion;
    if (!position) throw new Error(`the list of ${resource.plural} has no resourceVersion`);
    this.#signal.throwIfAborted();
    this.#sink.replace(list.items);
    this.#moveTo(position);
  }

  async #watch(from: string): Promise<void> {
    const { client, resource, namespace = '', labelSelector, fieldSelector, metadataOnly } = this.#options;
    const timeoutSeconds = Math.round(MIN_WATCH_SECONDS * (1 + this.#random()));
    using deadline = withDeadline([this.#signal], timeoutSeconds * 1000 + OVERTIME_MS, 'the watch', this.#clock);
    const stalled = new Stall(this.#clock, [deadline.signal]);
    const startedMs = this.#clock.monotonic();
    let events = 0;
    try {
      const stream = client.watch(resource, namespace, {
        resourceVersion: from,
        labelSelector,
        fieldSelector,
        metadataOnly,
        timeoutSeconds,
        signal: stalled.signal,
      });
      for await (const event of stream) {
        if (this.#signal.aborted) return;
        events++;
        stalled.sawEvent(event.type === 'BOOKMARK');
        if (event.type === 'BOOKMARK') {
          this.#moveTo(event.resourceVersion);
        } else {
          this.#sink.apply(event);
          this.#moveTo(event.object.metadata.resourceVersion);
        }
        if (this.#backoff.failures > 0) this.#backoff.reset();
      }
    } finally {
      stalled.stop();
      // However it ended, it had worked: what failed before it is no reason to wait long now.
      if (this.#clock.monotonic() - startedMs >= LONG_WATCH_MS) this.#backoff.reset();
    }
    if (this.#signal.aborted) return;
    if (stalled.signal.aborted) {
      this.#options.log.warn('watch was silent for too long: watching again', { resource: resource.plural });
    } else if (events === 0 && this.#clock.monotonic() - startedMs < SHORT_WATCH_MS) {
      await this.#pause();
    } else {
      this.#backoff.reset();
    }
  }

  /** Decides where to go on after a failure. `listed`: the list of this turn went well, so the watch failed. */
  async #recover(error: unknown, listed: boolean): Promise<void> {
    const { log, resource } = this.#options;
    const watching = this.#position !== undefined;
    if (isExpired(error) && watching && !listed) {
      // The usual end of a watch that was away for too long.
      log.debug('resourceVersion expired: listing again', { resource: resource.plural });
      this.#position = undefined;
      return;
    }
    if (isExpired(error) || isTooLargeResourceVersion(error)) {
      // What the list may be not older than is not served, or the list itself is too old already: ask for the latest.
      this.#notOlderThan = '';
      this.#position = undefined;
    } else if (!isTransient(error)) {
      this.#position = undefined;
    }
    log.warn(watching ? 'watch failed' : 'list failed', {
      resource: resource.plural,
      error,
      failures: this.#backoff.failures + 1,
    });
    await this.#pause();
  }

  async #pause(): Promise<void> {
    await this.#clock.sleep(this.#backoff.nextMs(), this.#signal).catch(ignoreAbort(this.#signal));
  }

  #moveTo(resourceVersion: string | undefined): void {
    if (!resourceVersion) return;
    this.#position = resourceVersion;
    this.#notOlderThan = resourceVersion;
  }
}

/** Aborts its signal when bookmarks came and then nothing did for too long. */
class Stall {
  readonly #clock: Clock;
  readonly #controller = new AbortController();
  readonly #parents: readonly AbortSignal[];
  readonly #onAbort: () => void;
  #expectsBookmarks = false;
  #lastMs: number;
  #timer: { cancel(): void } | undefined;

  constructor(clock: Clock, parents: readonly AbortSignal[]) {
    this.#clock = clock;
    this.#parents = parents;
    this.#lastMs = clock.monotonic();
    this.#onAbort = () => this.#controller.abort();
    for (const parent of parents) parent.addEventListener('abort', this.#onAbort, { once: true });
    if (parents.some((parent) => parent.aborted)) this.#onAbort();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  sawEvent(isBookmark: boolean): void {
    this.#lastMs = this.#clock.monotonic();
    if (isBookmark && !this.#expectsBookmarks) {
      this.#expectsBookmarks = true;
      this.#arm(BOOKMARK_SILENCE_MS);
    }
  }

  stop(): void {
    this.#timer?.cancel();
    for (const parent of this.#parents) parent.removeEventListener('abort', this.#onAbort);
  }

  /** One timer that looks at the time of the last event, instead of a new one for each event. */
  #arm(delayMs: number): void {
    this.#timer = this.#clock.setTimer(delayMs, () => {
      const leftMs = this.#lastMs + BOOKMARK_SILENCE_MS - this.#clock.monotonic();
      if (leftMs <= 0) this.#controller.abort();
      else this.#arm(leftMs);
    });
  }
}

/** True when the watch may go on from where it stood; otherwise something was lost or refused, and only a list tells the truth. */
function isTransient(error: unknown): boolean {
  return error instanceof ConnectionError || (isApiError(error) && (error.code === 429 || error.code >= 500));
}

function ignoreAbort(signal: AbortSignal): (error: unknown) => void {
  return (error) => {
    if (!signal.aborted) throw error;
  };
}
