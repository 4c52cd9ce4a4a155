import type { Path } from '../fieldpath/path-element.ts';
import { compareText } from '../text-order.ts';
import type { Managers } from './versioned-set.ts';

export interface Conflict {
  /** Identifier of who owns the field. */
  readonly manager: string;
  readonly path: Path;
}

/** Others own what an apply would change. sigs.k8s.io/structured-merge-diff/v6/merge, conflict.go. */
export class ConflictsError extends Error {
  override readonly name = 'ConflictsError';
  readonly conflicts: readonly Conflict[];

  constructor(conflicts: readonly Conflict[]) {
    super(`${conflicts.length} fields are owned by others`);
    this.conflicts = conflicts;
  }

  /** Managers in order, where upstream has them in any. */
  static of(sets: Managers): ConflictsError {
    const managers = [...sets.keys()].sort(compareText);
    return new ConflictsError(
      managers.flatMap((manager) => [...sets.get(manager)!.set.paths()].map((path) => ({ manager, path }))),
    );
  }
}
