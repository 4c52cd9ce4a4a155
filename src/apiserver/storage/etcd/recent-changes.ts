import type { Change, HistorySlice } from '../history.ts';

/** The newest changes, in memory: where watchers go over from etcd's history to what happens now. */
export class RecentChanges {
  readonly #maxChanges: number;
  readonly #maxCharacters: number;
  #changes: Change[] = [];
  #characters = 0;
  /** Every change above this revision is here. */
  #floor: number;
  /** Nothing above this revision has come yet. */
  #head: number;

  constructor(revision: number, maxChanges: number, maxCharacters: number) {
    this.#floor = revision;
    this.#head = revision;
    this.#maxChanges = maxChanges;
    this.#maxCharacters = maxCharacters;
  }

  get floor(): number {
    return this.#floor;
  }

  get head(): number {
    return this.#head;
  }

  add(change: Change): void {
    this.#changes.push(change);
    this.#characters += sizeOf(change);
    this.advance(change.revision);
    // In halves: what is dropped one by one is moved one by one.
    if (this.#changes.length > this.#maxChanges || this.#characters > this.#maxCharacters) {
      this.forget(this.#changes[Math.floor((this.#changes.length - 1) / 2)]!.revision);
    }
  }

  /** Nothing but what has been added happened up to `revision`. */
  advance(revision: number): void {
    this.#head = Math.max(this.#head, revision);
  }

  /** Drops changes up to `revision`. */
  forget(revision: number): void {
    if (revision <= this.#floor) return;
    this.#floor = revision;
    this.#changes = this.#changes.filter((change) => change.revision > revision);
    this.#characters = this.#changes.reduce((sum, change) => sum + sizeOf(change), 0);
    this.advance(revision);
  }

  /** Changes under `prefix` after a revision; undefined when that is too long ago. */
  read(prefix: string, after: number, maxChanges: number): HistorySlice | undefined {
    if (after < this.#floor) return undefined;
    const found: Change[] = [];
    for (const change of this.#changes) {
      if (change.revision <= after || !change.key.startsWith(prefix)) continue;
      // Several keys may have changed in one revision, by another hand than ours: they go together.
      const last = found.at(-1);
      if (found.length >= maxChanges && last !== undefined && last.revision !== change.revision) {
        return { changes: found, completeTo: last.revision, atHead: false };
      }
      found.push(change);
    }
    return { changes: found, completeTo: Math.max(after, this.#head), atHead: true };
  }
}

function sizeOf(change: Change): number {
  return (change.type === 'put' ? change.value.length : 0) + (change.previous?.length ?? 0);
}
