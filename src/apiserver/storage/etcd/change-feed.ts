import { Backoff, type Random } from '../../../base/backoff.ts';
import type { Clock } from '../../../base/clock.ts';
import { withDeadline } from '../../../base/deadline.ts';
import type { Logger } from '../../../base/log.ts';
import type { EtcdClient } from '../../../etcdclient/client.ts';
import type { WatchEvent } from '../../../etcdclient/rpc.ts';
import { CompactedError } from '../storage.ts';
import { toStorageError } from './failures.ts';
import type { EtcdLayout } from './layout.ts';
import { WatchStream } from './watch-stream.ts';

export interface ChangeFeedOptions {
  readonly client: EtcdClient;
  readonly layout: EtcdLayout;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: Random;
  onEvents(events: readonly WatchEvent[]): void;
  /** Everything up to `revision` has been told. */
  onProgress(revision: number): void;
  /** History was cut off ahead of us: nothing is known of what happened since. Answers where to go on. */
  onGap(): Promise<number>;
}

/** Longest pause between attempts to watch again. */
const MAX_PAUSE_MS = 2_000;

/** The one watch of all our objects: every change, once, in order, whatever happens to connections and servers. */
export class ChangeFeed {
  readonly #options: ChangeFeedOptions;
  readonly #stream: WatchStream;
  /** Everything up to here has been told. */
  #told: number;
  #restart = new AbortController();
  /** A question about progress is out, and nothing has come back. */
  #asked = false;
  /** Somebody asked since: his question must not be answered with what was on its way already. */
  #wanted = false;

  constructor(options: ChangeFeedOptions, revision: number) {
    this.#options = options;
    this.#stream = new WatchStream(options.client);
    this.#told = revision;
  }

  /** Asks for `onProgress` soon. */
  requestProgress(): void {
    if (this.#asked) this.#wanted = true;
    else this.askAgain();
  }

  /** True while an answer is due. */
  get progressDue(): boolean {
    return this.#asked;
  }

  /** etcd does not answer while it has anything to send, and a new stream knows nothing of old questions. */
  askAgain(): void {
    this.#asked = true;
    this.#stream.requestProgress();
  }

  /** Progress is known, from whomever. */
  progressAnswered(): void {
    this.#asked = false;
    if (!this.#wanted) return;
    this.#wanted = false;
    this.askAgain();
  }

  /** Goes on with a new stream, such as one with other credentials. */
  restart(): void {
    this.#restart.abort();
  }

  /** Until `signal` aborts. Never throws for what etcd does. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, random } = this.#options;
    const backoff = new Backoff({ initialMs: 50, maxMs: MAX_PAUSE_MS }, random);
    while (!signal.aborted) {
      const before = this.#told;
      try {
        await this.#watch(signal);
        continue;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof CompactedError) {
          log.warn('history was cut off ahead of the watch: everybody has to list again', { revision: this.#told });
        } else if (this.#told > before || backoff.failures === 0) {
          log.info('watching again', { after: this.#told, error: toStorageError(error) });
        } else {
          log.warn('cannot watch', { after: this.#told, error: toStorageError(error) });
        }
        if (this.#told > before) backoff.reset();
        await clock.sleep(backoff.nextMs(), signal).catch(() => undefined);
        if (error instanceof CompactedError) await this.#skip(signal);
      }
    }
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { layout } = this.#options;
    this.#restart = new AbortController();
    using either = withDeadline([signal, this.#restart.signal], undefined, 'watching');
    const handler = {
      onEvents: (events: readonly WatchEvent[]): void => {
        // After a reconnection nothing comes twice, since we ask for what is above `told`.
        this.#options.onEvents(events);
        this.#told = events.at(-1)!.kv.modRevision;
      },
      onProgress: (revision: number): void => {
        this.progressAnswered();
        if (revision < this.#told) return;
        this.#told = revision;
        this.#options.onProgress(revision);
      },
    };
    await this.#stream.run(layout.objectRange('')!, this.#told + 1, handler, either.signal);
  }

  async #skip(signal: AbortSignal): Promise<void> {
    try {
      if (!signal.aborted) this.#told = await this.#options.onGap();
    } catch (error) {
      if (!signal.aborted) this.#options.log.warn('cannot ask for the revision', { error: toStorageError(error) });
    }
  }
}
