import type { StorageEvent } from '../storage.ts';
import type { EventWindow } from './event-window.ts';

export interface WatchState {
  /** Undefined: nothing is in the cache. */
  readonly window: EventWindow | undefined;
  readonly revision: number;
  readonly generation: number;
  /** Counts how often the store has said how far it is. */
  readonly ticks: number;
}

/** What a watch needs of the cache and of the store behind it. */
export interface WatchSource {
  state(): WatchState;
  reachesBackTo(revision: number): boolean;
  /** Resolves when the state has changed, or the signal aborts. */
  changed(signal: AbortSignal): Promise<void>;
  fromStore(prefix: string, after: number, signal: AbortSignal): AsyncIterable<StorageEvent>;
}
