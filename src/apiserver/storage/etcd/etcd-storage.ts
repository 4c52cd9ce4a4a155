import type { Random } from '../../../base/backoff.ts';
import { systemClock, type Clock } from '../../../base/clock.ts';
import { silentLogger, type Logger } from '../../../base/log.ts';
import { SharedRead } from '../../../base/shared-read.ts';
import { ETCD, isEtcdAnswer } from '../../../etcdclient/call-error.ts';
import type { EtcdClient, EtcdCredentials } from '../../../etcdclient/client.ts';
import type { EtcdRequest, RangeAnswer } from '../../../etcdclient/rpc.ts';
import type { HistorySlice } from '../history.ts';
import { assertWrite } from '../key-range.ts';
import {
  CompactedError,
  FutureRevisionError,
  StorageFailedError,
  type ListOptions,
  type ListResult,
  type Storage,
  type StorageEvent,
  type StoredItem,
  type Write,
} from '../storage.ts';
import { WatchHub } from '../watch-hub.ts';
import { ChangeFeed } from './change-feed.ts';
import { toChange, toItem } from './changes.ts';
import { TransactionCommitter, type Committer } from './committer.ts';
import { compactTo, runCompactor } from './compactor.ts';
import { toStorageError } from './failures.ts';
import { readHistorySlice } from './history-reader.ts';
import { KnownClaims } from './known-claims.ts';
import { EtcdLayout } from './layout.ts';
import { RecentChanges } from './recent-changes.ts';
import { inspectServer } from './server-abilities.ts';
import { SingleKeyCommitter } from './single-key-committer.ts';
import { Turns } from './turns.ts';

export interface EtcdStorageOptions {
  /** Closed together with the storage. */
  readonly client: EtcdClient;
  /** All our keys are below; begins with a slash and ends without one. */
  readonly prefix: string;
  readonly clock?: Clock | undefined;
  readonly log?: Logger | undefined;
  readonly random?: Random | undefined;
  /** Pause between `progress` items; default 5 s. 0: only on request. */
  readonly progressMs?: number | undefined;
  /** How long history reaches back at least; default 5 min. 0: only `compact`, and whoever else compacts this etcd. */
  readonly compactMs?: number | undefined;
  /** Told once when the store can no longer be trusted; every later call fails. */
  readonly onFailure?: ((error: StorageFailedError) => void) | undefined;
}

/** Keys in one answer of etcd: more of them would hold up everybody else. */
const PAGE_KEYS = 1_000;
/** How often a list starts over when history is cut off below it. */
const MAX_LIST_ATTEMPTS = 3;
const RECENT_CHANGES = 2_000;
const RECENT_CHARACTERS = 16 * 1024 * 1024;
const KNOWN_KEYS = 20_000;
/** Writes under way at once: what waits in etcd runs into deadlines, what waits here does not. */
const MAX_COMMITS = 256;
/** kine takes a database connection for each, and databases have few. */
const MAX_KINE_COMMITS = 24;
/** etcd answers requests for progress only when it has nothing else to send, and kine not always then. */
const ASK_AGAIN_MS = 100;

/**
 * Storage in an etcd v3, or what speaks its protocol, that any number of processes share. Reads are linearizable. One watch brings every
 * change to this process, whatever the number of its watchers; those that lag go to etcd's history.
 */
export class EtcdStorage implements Storage {
  readonly #client: EtcdClient;
  readonly #layout: EtcdLayout;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #random: Random;
  readonly #known = new KnownClaims(KNOWN_KEYS);
  readonly #committer: Committer;
  readonly #turns: Turns;
  readonly #compactKey: Buffer;
  /** As far as this process has heard of it. */
  #compacted: number | undefined;
  readonly #recent: RecentChanges;
  readonly #hub: WatchHub;
  readonly #feed: ChangeFeed;
  readonly #revision: SharedRead<number>;
  readonly #stop = new AbortController();
  readonly #commits = new Set<Promise<unknown>>();
  readonly #onFailure: ((error: StorageFailedError) => void) | undefined;
  #asking = false;
  /** The highest revision that any answer has told. */
  #highest: number;
  #failure: StorageFailedError | undefined;
  #background: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  private constructor(options: EtcdStorageOptions, revision: number, transactions: boolean) {
    this.#client = options.client;
    this.#layout = new EtcdLayout(options.prefix);
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLogger;
    this.#random = options.random ?? Math.random;
    this.#onFailure = options.onFailure;
    this.#highest = revision;
    const deps = { client: this.#client, layout: this.#layout, known: this.#known };
    this.#committer = transactions ? new TransactionCommitter(deps) : new SingleKeyCommitter(deps, this.#clock);
    this.#turns = new Turns(transactions ? MAX_COMMITS : MAX_KINE_COMMITS);
    // kine keeps a key of that very name for kube-apiserver, and counts versions of no other.
    this.#compactKey = transactions ? this.#layout.compactKey : Buffer.from('compact_rev_key');
    this.#recent = new RecentChanges(revision, RECENT_CHANGES, RECENT_CHARACTERS);
    this.#hub = new WatchHub({ readHistory: (...args) => this.#readHistory(...args) }, revision);
    this.#revision = new SharedRead(() => this.#readRevision());
    this.#feed = new ChangeFeed(
      {
        client: this.#client,
        layout: this.#layout,
        clock: this.#clock,
        log: this.#log,
        random: this.#random,
        onEvents: (events) => {
          for (const event of events) {
            const { change, claims } = toChange(this.#layout, event);
            if (change.type === 'delete') this.#known.forget(change.key);
            else this.#known.note(change.key, change.revision, claims);
            this.#recent.add(change);
            this.#hub.dispatch(change);
          }
        },
        onProgress: (told) => {
          this.#recent.advance(told);
          this.#hub.advance(told);
          this.#hub.progress();
        },
        onGap: async () => {
          const current = await this.#readRevision();
          this.#recent.forget(current);
          this.#hub.skipTo(current);
          return current;
        },
      },
      revision,
    );
  }

  /** @throws StorageFailedError: no server answers, it refuses us, or it is too old. The client is closed then. */
  static async open(options: EtcdStorageOptions): Promise<EtcdStorage> {
    try {
      const { revision, transactions } = await inspectServer(options.client, new EtcdLayout(options.prefix));
      const storage = new EtcdStorage(options, revision, transactions);
      storage.#start(options);
      return storage;
    } catch (error) {
      options.client.close();
      throw toStorageError(error);
    }
  }

  #start({ progressMs = 5_000, compactMs = 5 * 60_000 }: EtcdStorageOptions): void {
    const { signal } = this.#stop;
    const tasks = [this.#feed.run(signal)];
    if (progressMs > 0) tasks.push(this.#progressEvery(progressMs, signal));
    if (compactMs > 0) {
      const options = { client: this.#client, key: this.#compactKey, clock: this.#clock, log: this.#log };
      const onCompacted = (revision: number): void => this.#forget(revision);
      tasks.push(runCompactor({ ...options, intervalMs: compactMs, onCompacted }, signal));
    }
    this.#background = Promise.all(tasks);
  }

  async currentRevision(): Promise<number> {
    this.#assertOpen();
    return this.#revision.read();
  }

  async get(key: string): Promise<StoredItem | undefined> {
    const { kvs } = await this.#call({ key: this.#layout.objectKey(key) });
    return kvs[0] === undefined ? undefined : this.#toItem(kvs[0]);
  }

  async list(prefix: string, options: ListOptions): Promise<ListResult> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#listOnce(prefix, options);
      } catch (error) {
        // History was cut off between two pages of a list of what is newest: what is newest is another revision by now.
        const again = error instanceof CompactedError && options.atRevision === undefined;
        if (!again || attempt === MAX_LIST_ATTEMPTS) throw error;
      }
    }
  }

  async #listOnce(prefix: string, { limit = 0, afterKey, atRevision }: ListOptions): Promise<ListResult> {
    const items: StoredItem[] = [];
    let revision = atRevision;
    let behind = afterKey;
    for (;;) {
      const range = this.#layout.objectRange(prefix, behind);
      if (range === undefined) return { items, revision: revision ?? (await this.currentRevision()), remaining: 0 };
      const wanted = limit === 0 ? PAGE_KEYS : Math.min(PAGE_KEYS, limit - items.length);
      const page = await this.#range({ ...range, limit: wanted, ...(revision !== undefined && { revision }) });
      revision ??= page.header.revision;
      for (const kv of page.kvs) items.push(this.#toItem(kv));
      const remaining = Math.max(0, page.count - page.kvs.length);
      if (remaining === 0 || page.kvs.length === 0 || items.length === limit) return { items, revision, remaining };
      behind = items.at(-1)!.key;
    }
  }

  /** @throws CompactedError, FutureRevisionError, StorageFailedError */
  async #range(request: EtcdRequest<'KV.Range'>): Promise<RangeAnswer> {
    try {
      return await this.#send(request);
    } catch (error) {
      if (!isEtcdAnswer(error, ETCD.futureRevision)) throw toStorageError(error);
      throw new FutureRevisionError(request.revision ?? 0, await this.currentRevision());
    }
  }

  async commit(write: Write): Promise<{ readonly revision: number }> {
    assertWrite(write);
    this.#assertOpen();
    const commit = this.#turns.run(() => this.#committer.commit(write));
    this.#commits.add(commit);
    try {
      const done = await commit;
      this.#highest = Math.max(this.#highest, done.revision);
      return done;
    } finally {
      this.#commits.delete(commit);
    }
  }

  watch(prefix: string, afterRevision: number, signal: AbortSignal): AsyncIterable<StorageEvent> {
    return this.#hub.watch(prefix, afterRevision, signal);
  }

  requestProgress(): void {
    this.#feed.requestProgress();
    if (this.#asking || this.#stop.signal.aborted) return;
    this.#asking = true;
    void this.#askAgain().finally(() => (this.#asking = false));
  }

  /**
   * Forgets all history below `revision` (default the current one), for all who use this etcd. `client`: one that may, when ours may not.
   * @throws StorageFailedError
   */
  async compact(client: EtcdClient = this.#client, revision?: number): Promise<void> {
    try {
      const upTo = revision ?? (await this.#readRevision());
      await compactTo(client, upTo, (compacted) => this.#forget(compacted));
    } catch (error) {
      throw toStorageError(error);
    }
  }

  compactedRevision(): number | undefined {
    return this.#compacted;
  }

  /** What etcd has forgotten is gone for everybody, so that an answer does not depend on which replica gives it. */
  #forget(revision: number): void {
    this.#compacted = Math.max(this.#compacted ?? 0, revision);
    this.#recent.forget(revision);
  }

  /** Goes on with other credentials; watches notice nothing. @throws Error for PEM that cannot be used */
  useCredentials(credentials: EtcdCredentials): void {
    this.#client.useCredentials(credentials);
    this.#feed.restart();
  }

  /** Runs `task` until the storage is closed. */
  runUntilClosed(task: (signal: AbortSignal) => Promise<void>): void {
    this.#background = Promise.all([this.#background, task(this.#stop.signal)]);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#hub.end();
    this.#stop.abort();
    await Promise.allSettled(this.#commits);
    await this.#background;
    this.#client.close();
  }

  /** Until somebody answers: etcd, or our own look that nothing is missing. */
  async #askAgain(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted && this.#feed.progressDue) {
      await this.#clock.sleep(ASK_AGAIN_MS, signal).catch(() => undefined);
      if (signal.aborted || !this.#feed.progressDue) return;
      this.#feed.askAgain();
      try {
        if ((await this.#revision.read()) === this.#recent.head) {
          this.#feed.progressAnswered();
          this.#hub.progress();
        }
      } catch (error) {
        this.#log.debug('cannot ask for the revision', { error });
      }
    }
  }

  async #progressEvery(pauseMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(pauseMs, signal).catch(() => undefined);
      if (!signal.aborted) this.requestProgress();
    }
  }

  #readHistory(
    prefix: string,
    after: number,
    maxChanges: number,
    maxCharacters: number,
    signal: AbortSignal,
  ): HistorySlice | Promise<HistorySlice> {
    const recent = this.#recent.read(prefix, after, maxChanges);
    if (recent !== undefined) return recent;
    const deps = { client: this.#client, layout: this.#layout, clock: this.#clock, random: this.#random };
    const both = AbortSignal.any([signal, this.#stop.signal]);
    const until = this.#recent.floor;
    return readHistorySlice(deps, { prefix, after, until, maxChanges, maxCharacters }, both);
  }

  #toItem(kv: RangeAnswer['kvs'][number]): StoredItem {
    const { item, claims } = toItem(this.#layout, kv);
    this.#known.note(item.key, item.revision, claims);
    return item;
  }

  async #readRevision(): Promise<number> {
    // Any key will do: the header of a linearizable read tells the revision.
    const { header } = await this.#call({ key: this.#layout.compactKey, keysOnly: true });
    return header.revision;
  }

  /** @throws StorageFailedError and other errors of the contract */
  async #call(request: EtcdRequest<'KV.Range'>): Promise<RangeAnswer> {
    try {
      return await this.#send(request);
    } catch (error) {
      throw toStorageError(error);
    }
  }

  /** A linearizable read: it knows of everything that any answer has told before it was asked. */
  async #send(request: EtcdRequest<'KV.Range'>): Promise<RangeAnswer> {
    this.#assertOpen();
    const floor = this.#highest;
    const answer = await this.#client.call('KV.Range', request);
    const { revision } = answer.header;
    if (revision < floor) throw this.#fail(revision, floor);
    this.#highest = Math.max(this.#highest, revision);
    return answer;
  }

  /**
   * An etcd that lost its data, or was replaced by an older copy or another one, while we run. Served, its emptiness would tell the garbage
   * collector that all owners are gone.
   */
  #fail(revision: number, floor: number): StorageFailedError {
    const what = `etcd is at revision ${revision} and was at ${floor} before: these are not the data that we know`;
    if (this.#failure === undefined) {
      this.#failure = new StorageFailedError('corrupt', what);
      this.#hub.end(this.#failure);
      this.#onFailure?.(this.#failure);
    }
    return this.#failure;
  }

  #assertOpen(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closed !== undefined) throw new StorageFailedError('closed', 'the storage is closed');
  }
}
