import type { StorageFailure, StoredItem, Write } from '../storage.ts';

/** What the storage says to its writing thread, and hears from it. Plain data: it crosses threads. */
export type WriterRequest =
  | { readonly type: 'commit'; readonly id: number; readonly timeMs: number; readonly write: Write }
  | {
      readonly type: 'compact';
      readonly id: number;
      readonly olderThanMs: number;
      readonly keep: number;
      readonly limit: number;
    }
  | { readonly type: 'close' };

export type CommitRequest = Extract<WriterRequest, { readonly type: 'commit' }>;
export type CompactRequest = Extract<WriterRequest, { readonly type: 'compact' }>;

export type CommitOutcome =
  | { readonly id: number; readonly type: 'done'; readonly revision: number; readonly previous: string | undefined }
  | { readonly id: number; readonly type: 'exists' }
  | { readonly id: number; readonly type: 'mismatch'; readonly current: StoredItem | undefined }
  | { readonly id: number; readonly type: 'claimed'; readonly claim: string; readonly holder: string }
  | { readonly id: number; readonly type: 'failed'; readonly failure: StorageFailure; readonly message: string };

export type CompactOutcome =
  | { readonly id: number; readonly type: 'compacted'; readonly compacted: number; readonly removed: number }
  | { readonly id: number; readonly type: 'failed'; readonly failure: StorageFailure; readonly message: string };

export type WriterReply =
  | { readonly type: 'ready'; readonly revision: number }
  | { readonly type: 'refused'; readonly failure: StorageFailure; readonly message: string }
  /** Outcomes of one group, in the order of the commits; durable when this arrives. */
  | { readonly type: 'group'; readonly outcomes: readonly CommitOutcome[] }
  | { readonly type: 'compaction'; readonly outcome: CompactOutcome }
  | { readonly type: 'closed' };
