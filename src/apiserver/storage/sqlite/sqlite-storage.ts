import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemClock, type Clock, type Timer } from '../../../base/clock.ts';
import type { Change } from '../history.ts';
import { assertWrite } from '../key-range.ts';
import {
  ClaimTakenError,
  KeyExistsError,
  RevisionMismatchError,
  StorageFailedError,
  type ListOptions,
  type ListResult,
  type Storage,
  type StorageEvent,
  type StoredItem,
  type Write,
} from '../storage.ts';
import { WatchHub } from '../watch-hub.ts';
import { backupDatabase } from './backup.ts';
import { lockFile, makePrivateFile } from './file-lock.ts';
import { Reader } from './reader.ts';
import { openReader } from './schema.ts';
import { toStorageFailure } from './sqlite-error.ts';
import { WriterClient } from './writer-client.ts';

export interface SqliteStorageOptions {
  /** The database file; its directory is created when missing. */
  readonly path: string;
  /** Stamps history and drives progress and compaction. Default: the system's. */
  readonly clock?: Clock;
  /** How long history reaches back at most; default 5 min. */
  readonly historyMs?: number;
  /** How many writes history holds at most; default 50,000. */
  readonly historyWrites?: number;
  /** Pause between `progress` items; default 5 s. 0: only on request. */
  readonly progressMs?: number;
  /** Pause between looks for history to forget; default 10 s. 0: only `compact`. */
  readonly compactMs?: number;
  /** What one watcher may have waiting in memory before it is served from the file. */
  readonly maxQueuedChanges?: number;
  /** Told once when the store can no longer work; every later call fails. */
  readonly onFailure?: (error: StorageFailedError) => void;
}

const COMPACT_SLICE = 500;

/**
 * Storage in one SQLite file of this process. Reads are synchronous on the calling thread; writes go through a thread of their
 * own, which shares one wait for the disk among all that arrive meanwhile.
 */
export class SqliteStorage implements Storage {
  readonly #options: SqliteStorageOptions;
  readonly #lock: { release(): void };
  readonly #clock: Clock;
  #reader!: Reader;
  #writer!: WriterClient;
  #hub!: WatchHub;
  readonly #timers = new Map<string, Timer>();
  /** The last compaction asked for; the next waits for it. */
  #compacting: Promise<void> = Promise.resolve();
  #failure: StorageFailedError | undefined;
  #closed: Promise<void> | undefined;

  private constructor(options: SqliteStorageOptions, lock: { release(): void }) {
    this.#options = options;
    this.#lock = lock;
    this.#clock = options.clock ?? systemClock;
  }

  /** @throws StorageFailedError: in use by another process, damaged, of a newer version, or the disk refuses. */
  static async open(options: SqliteStorageOptions): Promise<SqliteStorage> {
    const { path } = options;
    let lock: { release(): void };
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      lock = lockFile(path);
    } catch (error) {
      throw toStorageFailure(error, path);
    }
    try {
      // SQLite gives its log and index files the mode of the database.
      makePrivateFile(path);
      const storage = new SqliteStorage(options, lock);
      await storage.#start();
      return storage;
    } catch (error) {
      lock.release();
      throw toStorageFailure(error, path);
    }
  }

  async #start(): Promise<void> {
    const { path, maxQueuedChanges, progressMs = 5000, compactMs = 10_000 } = this.#options;
    const { client, revision } = await WriterClient.start({
      path,
      onCommitted: (write, at, previous) => this.#hub.dispatch(toChange(write, at, previous)),
      onFailure: (error) => this.#fail(error),
    });
    this.#writer = client;
    try {
      this.#reader = new Reader(openReader(path));
    } catch (error) {
      await client.close();
      throw error;
    }
    this.#hub = new WatchHub(
      {
        readHistory: (prefix, after, maxChanges, maxCharacters) =>
          this.#read(() => this.#reader.history(prefix, after, maxChanges, maxCharacters)),
        ...(maxQueuedChanges !== undefined && { maxQueuedChanges }),
      },
      revision,
    );
    this.#repeat('progress', progressMs, async () => this.#hub.progress());
    this.#repeat('compact', compactMs, () => this.compact());
  }

  async currentRevision(): Promise<number> {
    return this.#read(() => this.#reader.revisions().revision);
  }

  async get(key: string): Promise<StoredItem | undefined> {
    return this.#read(() => this.#reader.get(key));
  }

  async list(prefix: string, options: ListOptions): Promise<ListResult> {
    return this.#read(() => this.#reader.list(prefix, options));
  }

  async commit(write: Write): Promise<{ readonly revision: number }> {
    assertWrite(write);
    this.#assertUsable();
    const outcome = await this.#writer.commit(write, this.#clock.now());
    switch (outcome.type) {
      case 'done':
        return { revision: outcome.revision };
      case 'exists':
        throw new KeyExistsError(`${write.key} exists already`);
      case 'mismatch':
        throw new RevisionMismatchError(outcome.current);
      case 'claimed':
        throw new ClaimTakenError(outcome.claim, outcome.holder);
      default:
        throw new StorageFailedError(outcome.failure, outcome.message);
    }
  }

  watch(prefix: string, afterRevision: number, signal: AbortSignal): AsyncIterable<StorageEvent> {
    return this.#hub.watch(prefix, afterRevision, signal);
  }

  compactedRevision(): number {
    return this.#read(() => this.#reader.revisions().compacted);
  }

  requestProgress(): void {
    this.#hub.progress();
  }

  /** Forgets all history that is too old or too much, in slices between which writes go on. */
  compact(): Promise<void> {
    const run = () => this.#compactSlices();
    const mine = this.#compacting.then(run, run);
    this.#compacting = mine;
    return mine;
  }

  /** Copies the database to a new file while it is in use. @throws StorageFailedError */
  async backup(target: string): Promise<void> {
    this.#assertUsable();
    await backupDatabase(this.#options.path, target);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    for (const timer of this.#timers.values()) {
      timer.cancel();
    }
    this.#timers.clear();
    await this.#writer.close();
    this.#failure ??= new StorageFailedError('closed', 'the storage is closed');
    this.#hub.end();
    this.#reader.close();
    this.#lock.release();
  }

  async #compactSlices(): Promise<void> {
    const { historyMs = 5 * 60_000, historyWrites = 50_000 } = this.#options;
    const olderThanMs = this.#clock.now() - historyMs;
    for (;;) {
      const outcome = await this.#writer.compact({ olderThanMs, keep: historyWrites, limit: COMPACT_SLICE });
      if (outcome.type === 'failed') {
        throw new StorageFailedError(outcome.failure, outcome.message);
      }
      if (outcome.removed < COMPACT_SLICE) {
        return;
      }
    }
  }

  /** Runs `task` again and again, `pauseMs` after it ended, until the store is closed. */
  #repeat(name: string, pauseMs: number, task: () => Promise<void>): void {
    if (pauseMs <= 0 || this.#closed !== undefined) {
      return;
    }
    const again = () => this.#repeat(name, pauseMs, task);
    // A failed compaction is no caller's concern: a store that fails shows it to the next one who writes.
    this.#timers.set(
      name,
      this.#clock.setTimer(pauseMs, () => void task().then(again, again)),
    );
  }

  #read<T>(read: () => T): T {
    this.#assertUsable();
    try {
      return read();
    } catch (error) {
      throw error instanceof Error && 'errcode' in error ? toStorageFailure(error, this.#options.path) : error;
    }
  }

  #assertUsable(): void {
    if (this.#failure !== undefined) {
      throw this.#failure;
    }
  }

  #fail(error: StorageFailedError): void {
    this.#failure ??= error;
    if (error.failure !== 'closed') {
      this.#hub.end(error);
      this.#options.onFailure?.(error);
    }
  }
}

function toChange(write: Write, revision: number, previous: string | undefined): Change {
  const { key, value } = write;
  return Object.freeze(
    value === undefined
      ? { type: 'delete', key, previous: previous ?? '', revision }
      : { type: 'put', key, value, previous, revision },
  );
}
