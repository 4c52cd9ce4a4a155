import { FieldSet } from '../fieldpath/field-set.ts';
import type { PathElement } from '../fieldpath/path-element.ts';
import type { Atom, ListType, MapType } from './atom.ts';
import { resolve } from './deduce.ts';

/**
 * A stored set after the schema has changed below it: where a list or map has become a leaf, whoever owned parts owns the whole.
 * Answers the same set where nothing changed.
 * sigs.k8s.io/structured-merge-diff/v6/typed, reconcile_schema.go.
 */
export function reconcileSet(atom: Atom, set: FieldSet): FieldSet {
  const walk = new Reconciliation();
  walk.visit(atom, set, false);
  return walk.changed.empty ? set : set.recursiveDifference(walk.changed).union(walk.changed);
}

class Reconciliation {
  /** What is now a leaf. */
  readonly changed = new FieldSet();
  readonly #path: PathElement[] = [];

  /** `isLeaf`: the set has the value itself and nothing below it. */
  visit(atom: Atom, set: FieldSet | undefined, isLeaf: boolean): void {
    const kind = resolve(atom, 'whole');
    if (kind === 'map') this.#map(atom.map!, set, isLeaf);
    else if (kind === 'list') this.#list(atom.list!, set, isLeaf);
  }

  #list(type: ListType, set: FieldSet | undefined, isLeaf: boolean): void {
    if (!isLeaf && type.atomic) this.changed.insert(this.#path);
    else if (set !== undefined) this.#each(set, () => type.item);
  }

  #map(type: MapType, set: FieldSet | undefined, isLeaf: boolean): void {
    if (type.deduced) return;
    if (!isLeaf && type.atomic) {
      if (set !== undefined && !set.empty) this.changed.insert(this.#path);
    } else if (set !== undefined) {
      this.#each(
        set,
        (element) => (element.kind === 'field' ? type.field(element.name)?.atom : undefined) ?? type.rest,
      );
    }
  }

  /** Elements without a type are passed over. */
  #each(set: FieldSet, typeOf: (element: PathElement) => Atom | undefined): void {
    for (const { element, set: below } of set.children) {
      const atom = typeOf(element);
      if (atom !== undefined) this.#descend(element, atom, below, false);
    }
    for (const element of set.members) {
      if (set.child(element) !== undefined) continue;
      const atom = typeOf(element);
      if (atom !== undefined) this.#descend(element, atom, undefined, true);
    }
  }

  #descend(element: PathElement, atom: Atom, below: FieldSet | undefined, isLeaf: boolean): void {
    this.#path.push(element);
    this.visit(atom, below, isLeaf);
    this.#path.pop();
  }
}
