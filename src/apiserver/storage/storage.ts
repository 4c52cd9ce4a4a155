/**
 * The contract of a storage driver: an ordered key-value store with one global revision counter and a bounded history,
 * the part of etcd v3 that an API server needs. Keys look like `/kamaji.io/tenantcontrolplanes/<namespace>/<name>`;
 * values are JSON text without resourceVersion. Every driver passes `conformance.ts`.
 */
export interface Storage {
  /** Revision of the newest write; at least 1, never goes backwards, also over restarts. */
  currentRevision(): Promise<number>;
  get(key: string): Promise<StoredItem | undefined>;
  /** Items under `prefix` in key order, all as of one revision. @throws CompactedError, FutureRevisionError */
  list(prefix: string, options: ListOptions): Promise<ListResult>;
  /**
   * One atomic write. Resolves once it would survive a crash; readers and watchers never see it earlier.
   * @throws KeyExistsError, RevisionMismatchError, ClaimTakenError, ValueTooLargeError; nothing is written then. StorageFailedError.
   */
  commit(write: Write): Promise<{ readonly revision: number }>;
  /**
   * Events under `prefix` with a revision above `afterRevision`, in order, without gaps, until `signal` aborts (then it
   * ends normally). A revision ahead of the current one is allowed: the watch is silent until it is passed.
   * @throws (at the first step) CompactedError when history no longer reaches back, SlowConsumerError when the reader lags too far.
   * `progress` items tell the reader that it has seen everything up to that revision; one comes at least each few seconds.
   */
  watch(prefix: string, afterRevision: number, signal: AbortSignal): AsyncIterable<StorageEvent>;
  /** Up to which revision history is known to be gone, where that takes no question to anybody; undefined: not known. */
  compactedRevision?(): number | undefined;
  /** Asks for a `progress` item on every open watch now. */
  requestProgress(): void;
  /** Lets running commits finish, ends all watches and frees the store. Later calls fail with StorageFailedError. */
  close(): Promise<void>;
}

export interface StoredItem {
  readonly key: string;
  readonly value: string;
  /** Revision of the write that produced this value. */
  readonly revision: number;
}

export interface ListOptions {
  /** At most so many items; 0 or absent: all. */
  readonly limit?: number;
  /** Only keys greater than this one. */
  readonly afterKey?: string;
  /** As of this revision; absent: the newest. */
  readonly atRevision?: number;
  /** Without `atRevision`: as of any revision not older than this one will do. Drivers may well answer the newest. */
  readonly minRevision?: number;
}

export interface ListResult {
  readonly items: readonly StoredItem[];
  readonly revision: number;
  /** Number of keys under the prefix behind the last returned one. */
  readonly remaining: number;
}

export interface Write {
  readonly key: string;
  /** New value; undefined deletes. */
  readonly value: string | undefined;
  /** Revision that the key must have now; 0: the key must not exist. */
  readonly expectedRevision: number;
  /** All claims this key holds after the write; a claim is held by at most one key. Absent: as before. A delete releases all. */
  readonly claims?: readonly string[];
}

export type StorageEvent =
  | {
      readonly type: 'put';
      readonly key: string;
      readonly value: string;
      readonly previous: string | undefined;
      readonly revision: number;
    }
  | { readonly type: 'delete'; readonly key: string; readonly previous: string; readonly revision: number }
  | { readonly type: 'progress'; readonly revision: number };

export class KeyExistsError extends Error {
  override readonly name = 'KeyExistsError';
}

export class RevisionMismatchError extends Error {
  override readonly name = 'RevisionMismatchError';
  readonly current: StoredItem | undefined;
  constructor(current: StoredItem | undefined) {
    super(current === undefined ? 'the key does not exist' : `the key is at revision ${current.revision}`);
    this.current = current;
  }
}

export class ClaimTakenError extends Error {
  override readonly name = 'ClaimTakenError';
  readonly claim: string;
  readonly holder: string;
  constructor(claim: string, holder: string) {
    super(`claim ${claim} is held by ${holder}`);
    this.claim = claim;
    this.holder = holder;
  }
}

/** The store takes no value of that size; nothing was written. */
export class ValueTooLargeError extends Error {
  override readonly name = 'ValueTooLargeError';
}

export class CompactedError extends Error {
  override readonly name = 'CompactedError';
}

export class FutureRevisionError extends Error {
  override readonly name = 'FutureRevisionError';
  readonly current: number;
  constructor(requested: number, current: number) {
    super(`revision ${requested} is ahead of the current revision ${current}`);
    this.current = current;
  }
}

export class SlowConsumerError extends Error {
  override readonly name = 'SlowConsumerError';
}

/**
 * Why a store cannot do its work: `full` (no space or quota), `corrupt` (the data cannot be trusted), `in-use` (another
 * process holds it), `incompatible` (not ours, or written by a newer version), `unavailable` (I/O error or no connection;
 * a commit that fails so may or may not have happened), `closed`.
 */
export type StorageFailure = 'full' | 'corrupt' | 'in-use' | 'incompatible' | 'unavailable' | 'closed';

/** The store itself failed, whatever was asked of it. The message is for operators and holds no data. */
export class StorageFailedError extends Error {
  override readonly name = 'StorageFailedError';
  readonly failure: StorageFailure;
  constructor(failure: StorageFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}
