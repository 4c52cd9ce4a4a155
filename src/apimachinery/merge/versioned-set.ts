import type { FieldSet } from '../fieldpath/field-set.ts';

/** What one manager owns. sigs.k8s.io/structured-merge-diff/v6/fieldpath, managers.go. */
export interface VersionedSet {
  readonly set: FieldSet;
  /** The version in which the paths are written. */
  readonly apiVersion: string;
  /** By apply, else by update. */
  readonly applied: boolean;
}

/** By manager identifier. */
export type Managers = ReadonlyMap<string, VersionedSet>;
export type MutableManagers = Map<string, VersionedSet>;
