import { FieldSet } from '../fieldpath/field-set.ts';
import { equalValues } from '../fieldpath/value-order.ts';
import type { Json } from '../object.ts';
import type { Atom } from '../typed/atom.ts';
import type { Comparison } from '../typed/compare.ts';
import { compare } from '../typed/compare.ts';
import { mergeValues } from '../typed/merge-values.ts';
import { withNamedFields } from '../typed/named-fields.ts';
import { reconcileSet } from '../typed/reconcile-set.ts';
import { removeItems } from '../typed/remove-items.ts';
import { toFieldSet } from '../typed/to-field-set.ts';
import { ConflictsError } from './conflicts.ts';
import type { Managers, MutableManagers, VersionedSet } from './versioned-set.ts';

/**
 * Ownership and merge over one version of one type. All values are valid.
 * sigs.k8s.io/structured-merge-diff/v6/merge, update.go, without the conversion between versions.
 */
export class Updater {
  readonly #atom: Atom;
  readonly #apiVersion: string;
  readonly #ignored: FieldSet;
  readonly #checkVersion: (apiVersion: string) => void;

  /**
   * `ignored`: nobody comes to own these, or what is below, through this updater. `checkVersion` throws for a version in which a set
   * may not be written.
   */
  constructor(atom: Atom, apiVersion: string, ignored: FieldSet, checkVersion: (apiVersion: string) => void) {
    this.#atom = atom;
    this.#apiVersion = apiVersion;
    this.#ignored = ignored;
    this.#checkVersion = checkVersion;
  }

  /** Managers after `next` took the place of `live`: what changed is now `manager`'s. */
  update(live: Json, next: Json, before: Managers, manager: string): MutableManagers {
    const reconciled = this.#reconcile(before);
    const { managers, comparison } = this.#settle(live, next, reconciled, manager, true);
    const own = managers.get(manager)?.set ?? new FieldSet();
    const { removed, modified, added } = comparison;
    const set = own.difference(removed).union(modified).union(added).recursiveDifference(this.#ignored);
    if (set.empty) managers.delete(manager);
    else managers.set(manager, { set, apiVersion: this.#apiVersion, applied: false });
    return managers;
  }

  /**
   * The merged object, undefined when nothing changed, and the managers after it.
   * @throws ConflictsError unless `force`
   */
  apply(
    live: Json,
    config: Json,
    before: Managers,
    manager: string,
    force: boolean,
  ): { readonly object: Json | undefined; readonly managers: MutableManagers } {
    const reconciled = this.#reconcile(before);
    const merged = mergeValues(this.#atom, live, config);
    const last = reconciled.get(manager);
    const set = toFieldSet(this.#atom, config).recursiveDifference(this.#ignored);
    reconciled.set(manager, { set, apiVersion: this.#apiVersion, applied: true });
    const object = last === undefined ? merged : this.#prune(merged, reconciled, last.set);
    const { managers } = this.#settle(live, object, reconciled, manager, force);
    return { object: equalValues(live, object) ? undefined : object, managers };
  }

  #reconcile(managers: Managers): MutableManagers {
    const result: MutableManagers = new Map();
    for (const [manager, versioned] of managers) {
      this.#checkVersion(versioned.apiVersion);
      const set = reconcileSet(this.#atom, versioned.set);
      result.set(manager, set === versioned.set ? versioned : { ...versioned, set });
    }
    return result;
  }

  /** Takes from the others what changed, or refuses where that needs force. */
  #settle(
    live: Json,
    next: Json,
    managers: MutableManagers,
    workflow: string,
    force: boolean,
  ): { readonly managers: MutableManagers; readonly comparison: Comparison } {
    const comparison = this.#relevant(compare(this.#atom, live, next));
    const changed = comparison.modified.union(comparison.added);
    const conflicts = new Map<string, VersionedSet>();
    for (const [manager, versioned] of managers) {
      if (manager === workflow) continue;
      const set = versioned.set.intersection(changed);
      if (!set.empty) conflicts.set(manager, { ...versioned, set });
    }
    if (!force && conflicts.size > 0) throw ConflictsError.of(conflicts);
    for (const [manager, versioned] of managers) {
      let { set } = versioned;
      const conflict = conflicts.get(manager);
      if (conflict !== undefined) set = set.difference(conflict.set);
      if (manager !== workflow) set = set.difference(comparison.removed);
      if (set.empty) managers.delete(manager);
      else if (set !== versioned.set) managers.set(manager, { ...versioned, set });
    }
    return { managers, comparison };
  }

  #relevant({ removed, modified, added }: Comparison): Comparison {
    if (this.#ignored.empty) return { removed, modified, added };
    return {
      removed: removed.recursiveDifference(this.#ignored),
      modified: modified.recursiveDifference(this.#ignored),
      added: added.recursiveDifference(this.#ignored),
    };
  }

  /** Removes what the manager applied last time, not this time, and nobody else owns. */
  #prune(merged: Json, managers: Managers, last: FieldSet): Json {
    if (last.empty) return merged;
    const atom = this.#atom;
    const lastSet = withNamedFields(last, atom);
    const mergedSet = withNamedFields(toFieldSet(atom, merged), atom);
    // Removing an item takes all that is in it along, also what others own: that comes back,
    const without = removeItems(atom, merged, lastSet);
    let owned = new FieldSet();
    for (const { set } of managers.values()) owned = owned.union(set);
    const kept = this.#namedSetOf(without).union(withNamedFields(owned, atom));
    const withOwned = removeItems(atom, merged, mergedSet.difference(kept));
    // and so does what nobody owns but this manager did not apply either.
    const dangling = mergedSet.difference(this.#namedSetOf(withOwned)).intersection(lastSet);
    return removeItems(atom, merged, dangling);
  }

  #namedSetOf(value: Json): FieldSet {
    return withNamedFields(toFieldSet(this.#atom, value), this.#atom);
  }
}
