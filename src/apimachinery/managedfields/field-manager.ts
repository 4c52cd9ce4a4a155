import { FieldsError } from '../fieldpath/fields-v1.ts';
import type { GroupVersionKind, KubeObject, ManagedFieldsEntry } from '../object.ts';
import type { Schema } from '../schema/schema.ts';
import { newBadRequest, newUnknownError } from '../status.ts';
import { objectAtom } from '../typed/atom.ts';
import { ConflictsError } from '../merge/conflicts.ts';
import { newConflictStatus } from './conflict-status.ts';
import { lastAppliedManager, lastAppliedUpdater } from './last-applied.ts';
import { buildManagerInfo, capManagers, skipNonApplied, stampTimes, stripMeta, versionCheck } from './links.ts';
import type { Managed } from './managed.ts';
import {
  decodeManaged,
  encodeManaged,
  entriesOf,
  isReset,
  ManagedFieldsError,
  noManaged,
  withEntries,
} from './managed.ts';
import type { Manager } from './manager.ts';
import { AppliedTypeError, OwnershipError } from './manager.ts';
import { structuredMerge } from './structured-merge.ts';

/** Paths of field names below the root, such as `['status']`. */
export type FieldNames = readonly string[];

/** Where the replicas stand, by apiVersion of the parent; undefined: that version has no scale subresource. */
export type ReplicasPaths = Readonly<Record<string, FieldNames | undefined>>;

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

/** Who owns which field. k8s.io/apimachinery/pkg/util/managedfields, as kube-apiserver uses it for custom resources. */
export interface FieldManager {
  /**
   * Ownership after a create (`live` undefined), an update or a patch that is no apply. `next` is what will be stored, with the
   * client's `metadata.managedFields` as sent (undefined: not sent). Never fails: what cannot be tracked loses its managedFields.
   * `now`: RFC 3339 with seconds. Answers `next` with `metadata.managedFields` set or removed.
   */
  update(live: KubeObject | undefined, next: KubeObject, manager: string, now: string): KubeObject;
  /**
   * Server-side apply. `live`: the stored object, or `{apiVersion, kind, metadata: {}}` for a create. The answer is merged, not
   * defaulted: defaults change nobody's ownership. @throws StatusError: 409 with causes, 400, and 500 where kube-apiserver has no
   * better code.
   */
  apply(live: KubeObject, applied: KubeObject, manager: string, force: boolean, now: string): KubeObject;
}

/** A manager for one endpoint of one kind. Cheap: the schema is looked into as far as objects need it, once for all. */
export function createFieldManager(facts: FieldManagerFacts): FieldManager {
  return new ChainedFieldManager(facts);
}

/** Decodes, lets the chain work, encodes. internal/fieldmanager.go. */
class ChainedFieldManager implements FieldManager {
  readonly #chain: Manager;
  readonly #subresource: string;
  readonly #kind: GroupVersionKind;

  constructor({ schema, group, version, kind, subresource, resetFields }: FieldManagerFacts) {
    this.#kind = { group, version, kind };
    this.#subresource = subresource;
    const atom = objectAtom(schema);
    let chain = structuredMerge(atom, this.#kind, resetFields);
    chain = stampTimes(stripMeta(chain));
    chain = capManagers(buildManagerInfo(chain, this.#kind, subresource));
    chain = lastAppliedManager(skipNonApplied(chain), atom, this.#kind);
    this.#chain = versionCheck(lastAppliedUpdater(chain), this.#kind);
  }

  update(live: KubeObject | undefined, next: KubeObject, manager: string, now: string): KubeObject {
    const { apiVersion, kind } = next;
    const before = live ?? ({ apiVersion, kind } as KubeObject);
    const managed = this.#decodeLiveOrNew(before, next);
    const bare = withEntries(next, undefined);
    try {
      const after = this.#chain.update({ live: before, next: bare, managed, manager, now });
      return withEntries(bare, encodeManaged(after));
    } catch (error) {
      // An object that does not fit its schema: better without a record than with a wrong one.
      if (error instanceof OwnershipError) return bare;
      throw error;
    }
  }

  /** The client's record if it sent a readable one, else the stored one: clients that know nothing of it must not delete it. */
  #decodeLiveOrNew(live: KubeObject, next: KubeObject): Managed {
    if (this.#subresource === '') {
      const entries = entriesOf(next.metadata);
      if (isReset(entries)) return noManaged;
      const managed = tryDecode(entries);
      if (managed !== undefined && managed.fields.size > 0) return managed;
    }
    return tryDecode(entriesOf(live.metadata)) ?? noManaged;
  }

  apply(live: KubeObject, applied: KubeObject, manager: string, force: boolean, now: string): KubeObject {
    try {
      const managed = decodeManaged(entriesOf(live.metadata) ?? []);
      const after = this.#chain.apply({ live, next: applied, managed, manager, force, now });
      return withEntries(after.object ?? live, encodeManaged(after.managed));
    } catch (error) {
      if (error instanceof ConflictsError) throw newConflictStatus(error.conflicts);
      if (error instanceof ManagedFieldsError || error instanceof FieldsError) {
        throw newUnknownError(`failed to decode managed fields: ${error.message}`);
      }
      if (error instanceof AppliedTypeError) throw newBadRequest(error.message);
      if (error instanceof OwnershipError) throw newUnknownError(error.message);
      throw error;
    }
  }
}

function tryDecode(entries: readonly ManagedFieldsEntry[] | undefined): Managed | undefined {
  try {
    return decodeManaged(entries ?? []);
  } catch (error) {
    if (error instanceof ManagedFieldsError || error instanceof FieldsError) return undefined;
    throw error;
  }
}

/** Says what is wrong with a list of entries by throwing. k8s.io/apimachinery/pkg/util/managedfields, ValidateManagedFields. */
export function validateManagedFields(entries: readonly ManagedFieldsEntry[]): void {
  decodeManaged(entries);
}
