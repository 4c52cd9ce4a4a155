import type { KubeObject, ManagedFieldsEntry } from '../object.ts';
import type { Schema } from '../schema/schema.ts';

/** Paths of field names below the root, such as `['status']`. */
export type FieldNames = readonly string[];

export interface FieldManagerFacts {
  /** The structural schema of the whole object, root included. `metadata` is taken as ObjectMeta whatever it says. */
  readonly schema: Schema;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** '' for the main endpoint. */
  readonly subresource: string;
  /** Paths that a write through this endpoint resets: nobody comes to own them, or what is below, through it. */
  readonly resetFields: readonly FieldNames[];
}

export interface FieldManager {
  /**
   * Ownership after a create (`live` undefined), an update or a patch that is no apply. `next` is what will be stored, with the
   * client's `metadata.managedFields` as sent (undefined: not sent). Never fails: what cannot be tracked loses its managedFields.
   * `now`: RFC 3339 with seconds. Answers `next` with `metadata.managedFields` set or removed.
   */
  update(live: KubeObject | undefined, next: KubeObject, manager: string, now: string): KubeObject;
  /**
   * Server-side apply. `live`: the stored object, or `{apiVersion, kind, metadata: {}}` for a create. The answer is merged and
   * defaulted. @throws StatusError: 409 with causes, 400, and 500 where kube-apiserver has no better code.
   */
  apply(live: KubeObject, applied: KubeObject, manager: string, force: boolean, now: string): KubeObject;
}

export function createFieldManager(_facts: FieldManagerFacts): FieldManager {
  throw new Error('field ownership is not tracked yet');
}

/** Where the replicas stand in each apiVersion of the parent; undefined: no scale subresource there. */
export type ReplicasPaths = Readonly<Record<string, FieldNames | undefined>>;

export type ManagedFieldsList = readonly ManagedFieldsEntry[];
